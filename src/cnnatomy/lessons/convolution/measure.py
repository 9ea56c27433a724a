"""A box slid over another, and filters walked over an image, with the sum of every window, beside torch's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch.nn import functional

from cnnatomy.lessons.convolution.settings import Settings
from cnnatomy.statistics.numbers import Numbers

STRIDES = (1, 2)
Place = tuple[int, ...]


@dataclass(frozen=True)
class Walk:
    """One filter, laid on each place of an input in turn; no padding.

    over: (n,) or (rows, columns). kernel: (k,) or (k, k). sums: the map, one number a window. torch: the same by torch.
    filter: its number, from 1; 0 of the box.
    """

    over: np.ndarray
    kernel: np.ndarray
    stride: int
    filter: int
    sums: np.ndarray
    torch: np.ndarray

    def windows(self) -> Iterator[tuple[Place, Place, np.ndarray]]:
        """Of each window its place on the map, its first place on the input, and what lies under the filter."""
        for place in np.ndindex(self.sums.shape):
            first = tuple(at * self.stride for at in place)
            yield place, first, self.over[tuple(slice(a, a + n) for a, n in zip(first, self.kernel.shape, strict=True))]


@dataclass(frozen=True)
class Convolution:
    """One box slid over another, sample by sample; then each filter on the image, at each stride."""

    line: Walk
    walks: Sequence[Walk]

    @property
    def shifts(self) -> np.ndarray:
        """Of each place of the sliding box how far its middle is from that of the other, in widths of a box."""
        places = len(self.line.sums)
        return (np.arange(places) - (places - 1) / 2) / len(self.line.kernel)

    @property
    def overlaps(self) -> np.ndarray:
        """Of each place the share of a box that both cover."""
        return self.line.sums / len(self.line.kernel)

    def at(self, stride: int) -> list[Walk]:
        """All filters' walks over the image at this stride."""
        return [walk for walk in self.walks if walk.stride == stride]


def measure(settings: Settings) -> Convolution:
    """Every sum of a box on a box and of filters on an image, and torch's.

    settings: `box`, samples of each box; `image` (rows, columns), `filters`, each (k, k). Raises ValueError if a filter
    is larger than what it moves over.
    """
    box, image = np.ones(settings.box), np.array(settings.image, dtype=float)
    filters = [np.array(one, dtype=float) for one in settings.filters]
    if any(max(one.shape) > min(image.shape) for one in filters):
        raise ValueError("lesson.convolution: a filter is larger than what it moves over")
    over = product(STRIDES, enumerate(filters, 1))
    return Convolution(
        _walk(np.pad(box, len(box)), box, 1), [_walk(image, one, stride, k) for stride, (k, one) in over]
    )


def slide(image: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """The sum of products in every window, (rows, columns) of the map, or (places,) of a line; no padding."""
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    kept = windows[tuple(slice(None, None, stride) for _ in kernel.shape)]
    return (kept * kernel).sum(axis=tuple(range(-kernel.ndim, 0)))


def _walk(over: np.ndarray, kernel: np.ndarray, stride: int, number: int = 0) -> Walk:
    theirs = functional.conv1d if over.ndim == 1 else functional.conv2d
    torchs = theirs(torch.tensor(over)[None, None], torch.tensor(kernel)[None, None], stride=stride)[0, 0].numpy()
    return Walk(over, kernel, stride, number, slide(over, kernel, stride), torchs)


def numbers(found: Convolution) -> Numbers:
    """How far torch is away in any window; of each map its size and its largest number."""
    rows = Numbers()
    everywhere = [found.line, *found.walks]
    windows = sum(walk.sums.size for walk in everywhere)
    rows.add(
        "difference_from_torch", max(float(np.abs(walk.sums - walk.torch).max()) for walk in everywhere), n=windows
    )
    rows.add("windows", windows)
    for walk in sorted(found.walks, key=lambda walk: walk.filter):
        with rows.about(f"filter={walk.filter};stride={walk.stride}"):
            rows.add("map_size", len(walk.sums))
            rows.add("largest", float(walk.sums.max()))
    return rows
