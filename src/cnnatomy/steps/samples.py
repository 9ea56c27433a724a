"""Hang what a run's dataset holds: `python -m cnnatomy.steps.samples run=speech`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnatomy.steps.step import step

if TYPE_CHECKING:
    from cnnatomy.steps.job import Job


@step
def samples(job: Job) -> None:
    from cnnatomy.dissect.samples import Settings, measure, show
    from cnnatomy.steps.datasets import dataset, sound
    from cnnatomy.steps.measured import measured
    from cnnatomy.steps.publish import publish

    data = dataset(job)
    settings = Settings(**job.config["dissect"]["samples"])
    found = measured(job, "samples", settings, lambda asked: measure(data), data)
    made = show(found, data, settings, sound=sound(job, data))
    publish(job, made, "samples")


if __name__ == "__main__":
    samples()
