"""Prepare a dataset's arrays in results/data/<name>/: `python -m cnnatomy.steps.prepare data=mnist`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnatomy.steps.step import step

if TYPE_CHECKING:
    from cnnatomy.steps.job import Job


@step
def prepare(job: Job) -> None:
    from hydra.utils import instantiate

    from cnnatomy.data.archive import Raw

    data = job.config["data"]
    with Raw(job.raw) as archive:
        job.accept(job.raw, archive.manifest["digest"], "fetch")
    del archive  # and its list of files, which may be long
    instantiate(data["prepare"], raw=job.raw, folder=job.output(f"data/{data['name']}"), digest=job.digest)


if __name__ == "__main__":
    prepare()
