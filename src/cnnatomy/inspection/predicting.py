"""What a network answers to many samples, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.inspection.layers import batch_size
from cnnatomy.inspection.outputs import logits_of


def in_batches(samples: Samples, places: np.ndarray) -> Iterator[tuple[np.ndarray, Tensor]]:
    """The samples at these places as a network takes them, a batch at a time: their places, and (n, *shape)."""
    size = batch_size(samples.facts.shape)
    for start in range(0, len(places), size):
        batch = places[start : start + size]
        yield batch, to_tensor(samples.facts, samples.inputs[batch])


def batches(facts: Facts, inputs: np.ndarray) -> Iterator[Tensor]:
    """Samples as they are stored, as a network takes them, a batch at a time: (n, *shape)."""
    size = batch_size(facts.shape)
    for start in range(0, len(inputs), size):
        yield to_tensor(facts, inputs[start : start + size])


def logits(network: nn.Module, facts: Facts, inputs: np.ndarray) -> Tensor:
    """The logits of samples as they are stored, float64 (n, classes).

    Raises NoLogits after the first batch if the output is not (samples, classes).
    """
    return torch.cat([logits_of(network, x, len(facts.classes)) for x in batches(facts, inputs)]).double()


def probabilities(network: nn.Module, facts: Facts, inputs: np.ndarray) -> np.ndarray:
    """The probability of each class, float64 (n, classes)."""
    return logits(network, facts, inputs).softmax(1).numpy()
