"""Fetch a dataset's raw files, verified: `python -m cnnatomy.steps.fetch data=mnist` → resources/mnist/mnist.zip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnatomy.steps.step import step

if TYPE_CHECKING:
    from cnnatomy.steps.job import Job


@step
def fetch(job: Job) -> None:
    from hydra.utils import instantiate

    from cnnatomy.data.fetching import Into

    data = job.config["data"]
    instantiate(data["fetch"], Into(job.raw, data["mirror"], job.digest))


if __name__ == "__main__":
    fetch()
