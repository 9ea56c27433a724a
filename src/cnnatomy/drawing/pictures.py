"""Network inputs that were computed rather than read: the values they may take, and how they look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, pad

from cnnatomy.data.prepared import Facts
from cnnatomy.drawing.showing import picture

FLOOR = -60.0  # dB below its loudest point at which a spectrogram ends, as the shipped sounds are prepared


def box(facts: Facts, floor: float = FLOOR) -> tuple[Tensor, Tensor]:
    """The lowest and the highest value of a network's input, (channels, 1, 1) each, normalised as it gets them.

    Images go from black to white, sounds from `floor` (dB) to 0. Raises ValueError for texts: tokens have no range.
    """
    if facts.kind == "texts":
        raise ValueError(f"the dataset {facts.name!r} holds texts, and words have no range of values")
    low, high = (floor, 0.0) if facts.kind == "sounds" else (0.0, 1.0)
    mean, std = _normalise(facts)
    return (low - mean) / std, (high - mean) / std


def in_own_units(facts: Facts, x: Tensor) -> Tensor:
    """Network inputs (…, channels, *places) without the normalisation: images 0 to 1, sounds in dB.

    Signals in the units of their channels.
    """
    mean, std = _normalise(facts)
    return x * std + mean


def to_pixels(facts: Facts, x: Tensor) -> np.ndarray:
    """One network input (channels, rows, columns) as pixels, uint8, drawn as a sample of the data is.

    Images are cut off below black and above white; a spectrogram shows the 60 dB below its loudest point.
    """
    values = in_own_units(facts, x.detach().cpu().double()).numpy()
    if facts.kind == "images":
        values = np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
    return picture(facts, values)


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


def floor_of(prepare: Mapping[str, Any]) -> float:
    """The dB at which the data's spectrograms end, from their `prepare` settings."""
    return -float(prepare.get("spectrogram", {}).get("range_db", -FLOOR))


def few_colours(pixels: np.ndarray, colours: int) -> np.ndarray:
    """A picture in so many colours of its own (median cut), so that it takes a third of the room; grey stays as it is.

    So do small ones, of 64 × 64 pixels at most, which have little to save. The colours are those of every third row and
    column: of all pixels they take twenty times as long to find and are no better to see.
    """
    from PIL import Image

    if pixels.ndim == 2 or pixels.shape[0] * pixels.shape[1] <= 64 * 64:
        return pixels
    palette = Image.fromarray(np.ascontiguousarray(pixels[::3, ::3])).quantize(colours, Image.Quantize.MEDIANCUT)
    whole = Image.fromarray(np.ascontiguousarray(pixels))
    reduced = whole.quantize(colours, dither=Image.Dither.NONE, palette=palette)
    return np.asarray(reduced.convert("RGB"))


def _normalise(facts: Facts) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the data, (channels, 1, 1) each, of signals (channels, 1)."""
    channels, ones = facts.shape[0], [1] * len(facts.shape[1:])
    if facts.normalise is None:
        return torch.zeros(channels, *ones), torch.ones(channels, *ones)
    mean, std = (
        torch.as_tensor(value, dtype=torch.float32).reshape(-1, *ones).expand(channels, *ones)
        for value in (facts.normalise.mean, facts.normalise.std)
    )
    return mean, std
