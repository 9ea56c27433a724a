"""A run's network, trained and written where all that opens it up will look, alone or as one trial of a study."""

from __future__ import annotations

import shutil

import yaml

from cnnatomy.models import snapshots, weights
from cnnatomy.steps.datasets import dataset
from cnnatomy.steps.job import Job
from cnnatomy.steps.writing import replaced
from cnnatomy.training import gpus
from cnnatomy.training.fit import train_network


def train_job(job: Job, *, keeps: bool) -> None:
    """Train the network of a job's run and seed, from the start or from where that was interrupted; write its files.

    keeps: whether its weights on the way are kept too, where `training.snapshots` asks for it.
    """
    gpus.hold(job.config["training"])
    # The state to resume from bears the digest: what other values or other code left is never resumed.
    states = job.output(f"state/{job.run}/seed{job.seed}")
    kept = snapshots.Snapshots()
    network, history = train_network(
        job.config,
        dataset(job),
        seed=job.seed,
        state=states / job.digest[:16],
        snapshots=kept if keeps and job.config["training"]["snapshots"] else None,
    )
    folder = job.output(f"runs/{job.run}/seed{job.seed}")
    with replaced(folder / "model.safetensors") as file:
        weights.save(network, file, {"digest": job.digest})
    if keeps:
        with replaced(folder / "snapshots.safetensors") as file:
            snapshots.save(kept, file, {"digest": job.digest})
    with replaced(folder / "config.yaml") as file:
        file.write_text(yaml.safe_dump(job.slice | {"digest": job.digest}, allow_unicode=True))
    with replaced(folder / "history.csv") as file:
        history.to_csv(file, index=False)
    shutil.rmtree(states, ignore_errors=True)  # it holds several times the weights, and nothing goes on from it
