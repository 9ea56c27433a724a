"""What a natural input is like: the range of its values, how little of it is inked, how far the ink hangs together.

Ink is the mean distance from the background, total variation the mean step to the next pixel below and to the right;
both in shares of the range of the data, so that they mean the same for digits, spectrograms and photographs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cnnatomy.data.batches import network_ready, to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.inspection.choosing import evenly

LOOKED_AT = 2000  # samples, at most, that say what is usual
TINY = 1e-9
UNLIMITED = 1e6  # infinity has no gradient


@dataclass(frozen=True)
class Box:
    """The values that an input can have, as the network sees them: (channels, 1, 1) each, of signals (channels, 1).

    low, high: the smallest and the largest; of images black and white, of spectrograms the floor and the loudest point.
    background: of a pixel on which nothing is: the median of the data, black for digits.
    """

    low: Tensor
    high: Tensor
    background: Tensor

    @property
    def range(self) -> Tensor:
        return self.high - self.low

    def clamp(self, x: Tensor) -> Tensor:
        return torch.minimum(torch.maximum(x, self.low), self.high)

    def share(self, x: Tensor) -> Tensor:
        """An input in shares of the range: 0 the smallest value, 1 the largest."""
        return (x - self.low) / self.range


def box(samples: Samples) -> Box:
    """The box that holds the samples. Images are bytes and fill it from 0 to 255; of sounds it is what there is."""
    facts = samples.facts
    some = spread(samples)
    inputs = np.moveaxis(np.asarray(samples.inputs[some]), 1, 0).reshape(facts.shape[0], -1)
    if facts.kind == "images":
        ends = np.repeat([[0.0], [1.0]], facts.shape[0], axis=1)
        middle = np.median(inputs, axis=1) / 255
    else:
        ends = np.stack([inputs.min(axis=1), inputs.max(axis=1)]).astype(np.float64)
        middle = np.median(inputs.astype(np.float32), axis=1)
        ends[1] = np.where(ends[1] > ends[0], ends[1], ends[0] + 1)
    stacked = (
        torch.from_numpy(np.stack([ends[0], ends[1], middle]))
        .float()
        .reshape(3, facts.shape[0], *[1] * len(facts.shape[1:]))
    )
    low, high, background = network_ready(facts, stacked)
    return Box(low, high, background)


def spread(samples: Samples, most: int = LOOKED_AT) -> np.ndarray:
    """Places of at most so many samples, evenly spread over the split."""
    return evenly(len(samples), most)


def ink(x: Tensor, box: Box) -> Tensor:
    """Mean |x − background| over pixels and channels of each input, in shares of the range: (n, …) → (n,)."""
    return ((x - box.background).abs() / box.range).flatten(1).mean(1)


def total_variation(x: Tensor, box: Box) -> Tensor:
    """Mean over pixels and channels of |step down| + |step right|, in shares of the range: (n, …) → (n,).

    Of signals there are steps in time only.
    """
    share = x / box.range
    steps = [share.diff(dim=axis).abs().flatten(1).sum(1) for axis in range(2, share.dim())]
    return sum(steps[1:], steps[0]) / share[0].numel()


@dataclass(frozen=True)
class Limits:
    """No more ink and no more total variation than so much, (n,) each; infinite where there is no limit.

    `held` lowers an input's contrast until both hold. Both grow in step with the contrast, so that this is exact; and
    what climbs the activation *behind* it spends the ink where it does most. The gradient is that of the activation
    less that of ink (L1) or total variation, at the weight for which the limit just holds: a penalty whose weight
    need not be guessed.
    """

    ink: Tensor
    variation: Tensor

    def held(self, x: Tensor, box: Box) -> Tensor:
        by_ink = self.ink.clamp_max(UNLIMITED) / ink(x, box).clamp_min(TINY)
        by_variation = self.variation.clamp_max(UNLIMITED) / total_variation(x, box).clamp_min(TINY)
        contrast = torch.minimum(by_ink, by_variation).clamp(0, 1).reshape(-1, *[1] * (x.dim() - 1))
        return box.background + contrast * (x - box.background)


def measured(facts: Facts, inputs: np.ndarray, box: Box) -> tuple[np.ndarray, np.ndarray]:
    """Ink and total variation of samples (n, *shape) as they are stored."""
    found = [
        (ink(x, box), total_variation(x, box))
        for x in (to_tensor(facts, part) for part in np.array_split(inputs, max(1, len(inputs) // 250)))
    ]
    inks, variations = zip(*found, strict=True)
    return torch.cat(inks).double().numpy(), torch.cat(variations).double().numpy()


class Jitter:
    """Each input of a batch a little shifted, turned and scaled: what it shows must hold then, too.

    Sounds are shifted by up to two bands and nothing else: a word played higher is the word, one turned is none.
    Signals are shifted by up to two steps.
    """

    def __init__(self, facts: Facts, box: Box, generator: torch.Generator) -> None:
        self.sound, self.background, self.generator = facts.kind == "sounds", box.background, generator
        self.signal = facts.kind == "signals"
        self.height, self.width = (1, *facts.shape[1:])[-2:]

    def __call__(self, x: Tensor) -> Tensor:
        if self.signal:  # torch moves pictures: a signal is one of one row
            return self._moved(x[:, :, None], self.background[..., None])[:, :, 0]
        return self._moved(x, self.background)

    def _moved(self, x: Tensor, background: Tensor) -> Tensor:
        n = len(x)
        down, across, turn, scale = (self._either(n) for _ in range(4))
        place = torch.zeros(n, 2, 3)
        if self.sound:
            place[:, 0, 0] = place[:, 1, 1] = 1.0
            place[:, 1, 2] = 2 * torch.round(2 * down) / self.height
        elif self.signal:
            place[:, 0, 0] = place[:, 1, 1] = 1.0
            place[:, 0, 2] = 2 * SHIFT * across / self.width
        else:
            angle, size = turn * np.pi * DEGREES / 180, 1 + SCALE * scale
            place[:, 0, 0] = place[:, 1, 1] = angle.cos() / size
            place[:, 0, 1], place[:, 1, 0] = -angle.sin() / size, angle.sin() / size
            place[:, 1, 2], place[:, 0, 2] = 2 * SHIFT * down / self.height, 2 * SHIFT * across / self.width
        grid = functional.affine_grid(place, list(x.shape), align_corners=False)
        moved = functional.grid_sample(x - background, grid, align_corners=False)  # what comes in is background
        return moved + background

    def _either(self, n: int) -> Tensor:
        return torch.rand(n, generator=self.generator) * 2 - 1


SHIFT, DEGREES, SCALE = 2.0, 5.0, 0.05  # pixels, degrees, share: for inputs of some thirty pixels a side
