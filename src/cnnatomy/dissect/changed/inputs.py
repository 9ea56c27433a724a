"""Network inputs as they are changed: within which values, smoothed, at another size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, pad

from cnnatomy.data.batches import network_ready
from cnnatomy.data.prepared import Facts

DEPTH = 60.0  # dB below its loudest point at which a spectrogram ends, as the shipped sounds are prepared

Limits = tuple[Tensor, Tensor]
"""The lowest and the highest value of an input, (channels, 1, 1) each."""


def box(facts: Facts, prepare: Mapping[str, Any]) -> Limits:
    """The lowest and the highest value of a network's input, normalised as it gets them.

    Images go from black to white, sounds to 0 dB from where `prepare`, the settings of the data, ends spectrograms.
    Raises ValueError for texts: tokens have no range.
    """
    if facts.kind == "texts":
        raise ValueError(f"the dataset {facts.name!r} holds texts, and words have no range of values")
    depth = float(prepare.get("spectrogram", {}).get("range_db", DEPTH))
    ends = torch.tensor((-depth, 0.0) if facts.kind == "sounds" else (0.0, 1.0))
    low, high = network_ready(facts, ends.reshape(2, 1, 1, 1).repeat(1, facts.shape[0], 1, 1))
    return low, high


def blurred(values: Tensor, width: float) -> Tensor:
    """Each channel of (n, channels, rows, columns) smoothed by a Gaussian of this width in pixels; 0 leaves it."""
    if width == 0:
        return values
    channels = values.shape[1]
    for axis in (2, 3):
        radius = min(round(3 * width), values.shape[axis] - 1)
        weights = torch.exp(-(torch.arange(-radius, radius + 1.0) ** 2) / (2 * width**2))
        kernel = (weights / weights.sum()).reshape((1, 1, -1, 1) if axis == 2 else (1, 1, 1, -1))
        border = (0, 0, radius, radius) if axis == 2 else (radius, radius, 0, 0)
        values = conv2d(pad(values, border, mode="reflect"), kernel.expand(channels, -1, -1, -1), groups=channels)
    return values


def resized(x: Tensor, size: Sequence[int]) -> Tensor:
    """Network inputs (n, channels, rows, columns) at another size, bicubic; they may leave the box a little."""
    if tuple(x.shape[2:]) == tuple(size):
        return x
    return interpolate(x, size=tuple(size), mode="bicubic", antialias=True, align_corners=False)
