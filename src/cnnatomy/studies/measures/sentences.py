"""How well a network reads sentences of different lengths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import nn

from cnnatomy.data.prepared import PADDING, Dataset
from cnnatomy.exhibit import Number
from cnnatomy.studies.measures.always import right
from cnnatomy.studies.measures.answers import answered


def by_length(network: nn.Module, data: Dataset, *, seed: int, edges: Sequence[int]) -> list[Number]:
    """Accuracy on the test split by words a sentence: one number for each range, `words=11-20` and so on.

    edges: the last length of each range; the first range begins with one word. A range in which no sentence falls has
        no number, and longer sentences than the last edge are in none. Nothing is drawn at random: `seed` is not used.
    """
    test = data.split("test")
    words = (np.asarray(test.inputs) != PADDING).sum(axis=1)
    hits = right(network, test)
    numbers: list[Number] = []
    for low, high in zip([1, *(edge + 1 for edge in edges)], edges, strict=False):
        within = (low <= words) & (words <= high)
        if within.any():
            numbers.append(answered("test_accuracy", test, hits, within, f"words={low}-{high}"))
    return numbers
