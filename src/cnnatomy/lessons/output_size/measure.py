"""The formula of a map's size, on a grid of cases beside torch; and a window of a picture in colour, worked out.

Dumoulin & Visin 2016, A guide to convolution arithmetic for deep learning, arXiv:1603.07285.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product, starmap

import numpy as np
import torch
from torch.nn import functional

from cnnatomy.exhibit.formulas import Formula, evaluate
from cnnatomy.lessons.convolution.measure import slide
from cnnatomy.lessons.output_size.settings import Settings
from cnnatomy.statistics.numbers import Numbers

#: ⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1, and 0 where the kernel does not fit. The page's calculator works it out as well.
PLACES: Formula = [
    "max",
    0,
    ["+", ["//", ["-", ["+", "n", ["*", 2, "p"]], ["*", "d", ["-", "k", 1]], 1], "s"], 1],
]

#: The lecture's: input, kernel, stride, padding, filters.
LECTURE = {
    "6 × 6 image, 3 × 3 filter": (6, 3, 1, 0, 1),
    "the same, stride 2": (6, 3, 2, 0, 1),
    "5 × 5 × 3 image, padding 1, stride 2, ten filters": (5, 3, 2, 1, 10),
    "the same, stride 1": (5, 3, 1, 1, 10),
}


@dataclass(frozen=True)
class Case:
    """One axis of a convolution, and the places of its map by the formula and by torch."""

    input: int
    kernel: int
    stride: int
    padding: int
    dilation: int
    map: int
    torch: int


@dataclass(frozen=True)
class Cube:
    """A picture in three channels under one filter: 5 × 5 × 3, padding 1, stride 2.

    image: (3, 5, 5). kernel: (3, 3, 3). maps: (3, 3, 3), of each channel by itself; their sum is the filter's map.
    """

    image: np.ndarray
    kernel: np.ndarray
    maps: np.ndarray
    stride: int = 2
    padding: int = 1


@dataclass(frozen=True)
class Sizes:
    """All cases, and the cube."""

    cases: Sequence[Case]
    cube: Cube


def measure(settings: Settings) -> Sizes:
    """Try all combinations. settings: `sizes`, `kernels`, `strides`, `paddings`, `dilations`."""
    tried = product(settings.sizes, settings.kernels, settings.strides, settings.paddings, settings.dilations)
    return Sizes(list(starmap(_case, tried)), _cube())


def _case(size: int, kernel: int, stride: int, padding: int, dilation: int) -> Case:
    given = size, kernel, stride, padding, dilation
    return Case(*given, units(*given), _of_torch(*given))


def units(size: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> int:
    """Places of the map along one axis; 0 where the kernel does not fit."""
    return evaluate(PLACES, {"n": size, "k": kernel, "s": stride, "p": padding, "d": dilation})


def _of_torch(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """The same by torch itself, on an input of zeros."""
    try:
        line, weights = torch.zeros(1, 1, size), torch.zeros(1, 1, kernel)
        return functional.conv1d(line, weights, stride=stride, padding=padding, dilation=dilation).shape[-1]
    except RuntimeError:  # the kernel is larger than the padded input
        return 0


def _cube() -> Cube:
    chance = np.random.default_rng(0)
    image, kernel = chance.integers(0, 3, (3, 5, 5)), chance.integers(-1, 2, (3, 3, 3))
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
    maps = [slide(channel, weights, 2) for channel, weights in zip(padded, kernel, strict=True)]
    return Cube(image, kernel, np.stack(maps))


def numbers(found: Sizes) -> Numbers:
    """In how many cases torch has another size."""
    rows = Numbers()
    rows.add("cases", len(found.cases))
    rows.add("unlike_torch", sum(case.map != case.torch for case in found.cases), n=len(found.cases))
    return rows
