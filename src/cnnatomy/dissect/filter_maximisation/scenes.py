"""The input that a network is shown while filters climb: the samples, or windows of them where they are large."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Samples
from cnnatomy.inspection.layers import Layer, trace


def scenes(network: nn.Module, samples: Samples, training: Samples, side: int) -> tuple[Samples, Samples, list[Layer]]:
    """The samples, or windows of them if they are larger than `side` and the network takes such; and its layers.

    A signal may be as long as such a window has places.
    """
    side = side**2 if samples.facts.kind == "signals" else side
    cut = through(samples, side)
    try:
        traced = trace(network, to_tensor(cut.facts, cut.inputs[:1]))
        return cut, through(training, side), traced
    except Exception:  # whatever the network does with another size than its own
        if cut is samples:
            raise
        return samples, training, trace(network, to_tensor(samples.facts, samples.inputs[:1]))


def through(samples: Samples, side: int) -> Samples:
    """The samples, or windows of them where they are larger than `side`: as many, at least 64, here and there."""
    facts = samples.facts
    sides = tuple(min(side, length) for length in facts.shape[1:])
    if sides == tuple(facts.shape[1:]):
        return samples
    random = np.random.default_rng(0)
    origin = np.repeat(np.arange(len(samples)), -(-64 // len(samples)) if len(samples) < 64 else 1)
    cut = np.empty((len(origin), facts.shape[0], *sides), samples.inputs.dtype)
    for row, place in enumerate(origin):
        firsts = (
            int(random.integers(0, length - part + 1)) for length, part in zip(facts.shape[1:], sides, strict=True)
        )
        where = tuple(slice(first, first + part) for first, part in zip(firsts, sides, strict=True))
        cut[row] = samples.inputs[place][(slice(None), *where)]
    shape = (facts.shape[0], *sides)
    axes = [replace(axis, values=axis.values[:length]) for axis, length in zip(facts.axes, sides, strict=False)]
    return replace(samples, facts=replace(facts, shape=shape, axes=axes), inputs=cut, labels=samples.labels[origin])
