"""A step's trained network: built as the run's configuration says, with the weights that training left."""

from __future__ import annotations

from torch import nn

from cnnatomy import models
from cnnatomy.data.prepared import Facts
from cnnatomy.models import weights
from cnnatomy.steps.job import Job


def network(job: Job, facts: Facts) -> nn.Module:
    """The run's network in evaluation mode, refused where other values or other code trained it."""
    file = job.input(f"runs/{job.run}/seed{job.seed}/model.safetensors")
    job.accept(file, weights.metadata(file)["digest"], "train")
    built = models.build(job.config["model"], facts)
    weights.load(built, file)
    return built.eval()
