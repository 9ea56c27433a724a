"""What a network understands of voices that sit higher or lower than those it has heard."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import nn

from cnnatomy.data.prepared import Dataset
from cnnatomy.exhibit import Number
from cnnatomy.inspection.predicting import logits
from cnnatomy.studies.measures.answers import answered


def shifted(network: nn.Module, data: Dataset, *, seed: int, by: Sequence[int]) -> list[Number]:
    """Accuracy on the test split when the spectrum of each sample is moved by so many bands: one number a shift.

    by: up where positive, down where negative; 0 moves nothing. What leaves the picture is lost, and what comes in is
        the floor, the least that any test sample holds. Nothing is drawn at random: `seed` is not used.
    """
    test = data.split("test")
    inputs = np.asarray(test.inputs)
    floor = inputs.min()
    numbers: list[Number] = []
    for bands in by:
        answers = logits(network, test.facts, moved(inputs, bands, floor)).argmax(1).numpy()
        numbers.append(answered("test_accuracy", test, answers == test.labels, at=f"shift={bands}"))
    return numbers


def moved(inputs: np.ndarray, bands: int, floor: float) -> np.ndarray:
    """Spectrograms (n, 1, bands, frames) in dB, moved up by so many bands (down where negative)."""
    high = inputs.shape[2]
    bands = max(-high, min(bands, high))  # moved out of the picture whole
    result = np.full_like(inputs, floor)
    result[:, :, max(bands, 0) : high + min(bands, 0)] = inputs[:, :, max(-bands, 0) : high - max(bands, 0)]
    return result
