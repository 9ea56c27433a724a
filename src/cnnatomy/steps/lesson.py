"""Make a lesson: `python -m cnnatomy.steps.lesson lesson=convolution`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnatomy.steps.step import step

if TYPE_CHECKING:
    from cnnatomy.steps.job import Job


@step
def lesson(job: Job) -> None:
    from importlib import import_module

    from cnnatomy.steps.datasets import dataset
    from cnnatomy.steps.publish import publish_lesson

    name = str(job.method)
    config = job.config["lesson"][name]
    taught = import_module(f"cnnatomy.lessons.{name}")
    given = {"samples": dataset(job).split("test")} if config.get("data") else {}
    settings = getattr(taught, "Settings", dict)(**config)
    publish_lesson(job, taught.show(taught.measure(settings, **given)))


if __name__ == "__main__":
    lesson()
