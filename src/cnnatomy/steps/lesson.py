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
    from cnnatomy.steps.measured import measured
    from cnnatomy.steps.publish import publish_lesson

    name = str(job.method)
    config = job.config["lesson"][name]
    taught = import_module(f"cnnatomy.lessons.{name}")
    data = dataset(job) if config.get("data") else None
    given = {"samples": data.split("test")} if data else {}
    settings = getattr(taught, "Settings", dict)(**config)
    found = measured(job, name, settings, lambda asked: taught.measure(asked, **given), data)
    publish_lesson(job, taught.show(found))


if __name__ == "__main__":
    lesson()
