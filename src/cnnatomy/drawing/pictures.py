"""How network inputs look that were computed rather than read."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from cnnatomy.data.prepared import Facts
from cnnatomy.drawing.showing import picture


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
