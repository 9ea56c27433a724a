"""A step's dataset: the prepared one of its run, and the sounds in its raw archive."""

from __future__ import annotations

from collections.abc import Callable

from cnnatomy.data import prepared
from cnnatomy.data.archive import Raw
from cnnatomy.data.splitting import resplit
from cnnatomy.steps.job import Job


def dataset(job: Job) -> prepared.Dataset:
    """The run's prepared data, split as the configuration says; refused where other values or other code made them."""
    folder = job.input(f"data/{job.config['data']['name']}")
    data = prepared.load(folder)
    job.accept(folder, data.facts.digest, "prepare")
    split = job.config["split"]
    return resplit(data, split, job.seed) if split else data


def sound(job: Job, data: prepared.Dataset) -> Callable[[str], bytes | None]:
    """A function from the name of a file in the raw archive to its bytes; to nothing where the data are no sounds."""
    if data.facts.kind != "sounds":
        return lambda name: None

    def play(name: str) -> bytes:
        with Raw(job.raw) as archive:
            return archive.read(name)

    return play
