"""A step's trained network: built as the run's configuration says, with the weights that training left."""

from __future__ import annotations

from torch import nn

from cnnatomy import models
from cnnatomy.data.prepared import Facts
from cnnatomy.models import weights
from cnnatomy.steps.job import Job


def network(job: Job, facts: Facts, seed: int | None = None) -> nn.Module:
    """The run's network (of another seed, if given) in evaluation mode; refused if other values or code trained it."""
    seed = job.seed if seed is None else seed
    file = job.input(f"runs/{job.run}/seed{seed}/model.safetensors")
    job.accept(file, weights.metadata(file)["digest"], "train", seed)
    built = models.build(job.config["model"], facts, output=job.config["training"]["output"])
    weights.load(built, file)
    return built.eval()
