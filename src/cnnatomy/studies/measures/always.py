"""What is measured of every trained network of a study."""

from __future__ import annotations

import numpy as np
from torch import nn

from cnnatomy.data.prepared import Dataset, Samples
from cnnatomy.exhibit import Number
from cnnatomy.inspection.choosing import evenly
from cnnatomy.inspection.predicting import logits
from cnnatomy.statistics.intervals import share
from cnnatomy.studies.measures.answers import answered

LOOKED_AT = 10_000  # training samples: a mean over more says no more


def always(network: nn.Module, data: Dataset, *, seed: int) -> list[Number]:
    """Accuracy on each split (of training samples as they are stored, unchanged), and parameters that are trained."""
    numbers: list[Number] = []
    for split in data.facts.splits:
        samples = data.split(split)
        if split == "test":
            numbers.append(answered("test_accuracy", samples, right(network, samples)))
            continue
        places = evenly(len(samples), LOOKED_AT) if split == "train" else np.arange(len(samples))
        numbers.append(share(f"{split}_accuracy", int(right(network, samples, places).sum()), len(places)))
    trained = sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
    return [*numbers, Number("parameters", trained)]


def right(network: nn.Module, samples: Samples, places: np.ndarray | None = None) -> np.ndarray:
    """Which samples (those at `places`, or all) the network reads right, bool (samples,)."""
    inputs = samples.inputs if places is None else samples.inputs[places]
    labels = samples.labels if places is None else samples.labels[places]
    return logits(network, samples.facts, inputs).argmax(1).numpy() == labels
