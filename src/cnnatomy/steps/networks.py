"""A step's trained network: built as the run's configuration says, with the weights that training left."""

from __future__ import annotations

from torch import nn

from cnnatomy import models
from cnnatomy.data.prepared import Facts
from cnnatomy.models import weights
from cnnatomy.models.snapshots import Snapshot
from cnnatomy.models.snapshots import load as read_snapshots
from cnnatomy.steps.job import Job


def network(job: Job, facts: Facts, seed: int | None = None) -> nn.Module:
    """The run's network (of another seed, if given) in evaluation mode; refused if other values or code trained it."""
    seed = job.seed if seed is None else seed
    file = job.input(f"runs/{job.run}/seed{seed}/model.safetensors")
    job.accept(file, weights.metadata(file)["digest"], "train", seed)
    built = models.build(job.config["model"], facts, output=job.config["training"]["output"])
    weights.load(built, file)
    return built.eval()


def snapshots(job: Job, facts: Facts, seed: int | None = None) -> list[Snapshot]:
    """The run's network (of another seed, if given) as it was while it learned, and as it is; none if not kept."""
    seed = job.seed if seed is None else seed
    file = job.input(f"runs/{job.run}/seed{seed}/snapshots.safetensors")
    kept, digest = read_snapshots(file)
    job.accept(file, digest, "train", seed)
    if not kept.states:
        return []
    found = []
    for step, state in sorted(kept.states.items()):
        built = models.build(job.config["model"], facts, output=job.config["training"]["output"])
        built.load_state_dict(state)
        found.append(Snapshot(step, step / kept.epoch, built.eval()))
    return [*found, Snapshot(kept.last, kept.last / kept.epoch, network(job, facts, seed))]
