"""Train a run's network: `python -m cnnatomy.steps.train run=speech seed=1`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnatomy.steps.step import step

if TYPE_CHECKING:
    from cnnatomy.steps.job import Job


@step
def train(job: Job) -> None:
    from cnnatomy.steps.training import train_job

    train_job(job, keeps=True)


if __name__ == "__main__":
    train()
