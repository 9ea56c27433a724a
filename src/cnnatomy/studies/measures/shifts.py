"""What a network answers to pictures that lie a few pixels beside where they were."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import nn

from cnnatomy.data.prepared import Dataset
from cnnatomy.exhibit import Number
from cnnatomy.inspection.predicting import logits


def moved(network: nn.Module, data: Dataset, *, seed: int, by: Sequence[int], samples: int) -> list[Number]:
    """Accuracy and consistency when test images are moved by so many pixels: two numbers a shift, and two means.

    Each is a mean over the image's axes: shift=2 is down and to the right, shift=-2 up and to the left. Consistency is
    the share of images that are read as the unmoved one is, whether rightly or not (Zhang 2019). Black comes in. The
    means are over all shifts but 0. Of `samples` images, which the seed draws.
    """
    test = data.split("test")
    places = np.sort(np.random.default_rng(seed).permutation(len(test))[:samples])
    inputs, labels = np.asarray(test.inputs[places]), test.labels[places]
    before = logits(network, test.facts, inputs).argmax(1).numpy()
    right, same = {}, {}
    for pixels in by:
        answers = [logits(network, test.facts, shift(inputs, pixels, axis)).argmax(1).numpy() for axis in (2, 3)]
        right[pixels] = float(np.mean([(answer == labels).mean() for answer in answers]))
        same[pixels] = float(np.mean([(answer == before).mean() for answer in answers]))
    numbers = []
    for metric, values in (("moved_accuracy", right), ("consistency", same)):
        for pixels, value in values.items():
            numbers.append(Number(metric, value, unit="fraction", n=len(places), subject=f"shift={pixels}"))
        mean = float(np.mean([value for pixels, value in values.items() if pixels]))
        numbers.append(Number(metric, mean, unit="fraction", n=len(places)))
    return numbers


def shift(images: np.ndarray, pixels: int, axis: int) -> np.ndarray:
    """Images moved along an axis of the array, forward where `pixels` is positive; 0 comes in."""
    length = images.shape[axis]
    pixels = max(-length, min(pixels, length))
    kept = np.take(images, range(max(-pixels, 0), length - max(pixels, 0)), axis)
    around = [(0, 0)] * images.ndim
    around[axis] = (max(pixels, 0), max(-pixels, 0))
    return np.pad(kept, around)
