"""Means, Sobel and random weights on a photograph: how they change its range of grey, and its spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cnnatomy.data.prepared import Samples
from cnnatomy.exhibit.rounding import significant
from cnnatomy.lessons.classic_filters.settings import Settings
from cnnatomy.statistics.numbers import Numbers

#: Kernels (rows, columns). Sobel & Feldman's finds edges that stand upright: dark on the left, light on the right.
SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=float)
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601: how bright red, green and blue look
WAVES = np.linspace(0, 0.5, 101)  # cycles a pixel, across the picture


@dataclass(frozen=True)
class Filtered:
    """A picture under one filter.

    kind: which sentence names the filter. over: what its weights are divided by where it is written down: the mean's
    are 1/9 each, or 1/81. cropped: of whole windows only; padded: as large as before, zeros around.
    fine_kept: the share of the energy of fine changes that is left.
    """

    name: str
    kind: str
    kernel: np.ndarray
    over: float
    cropped: np.ndarray
    padded: np.ndarray
    fine_kept: float

    @property
    def leaves(self) -> bool:
        """Whether it takes the picture out of the range of grey, by more than rounding."""
        return bool(self.cropped.min() < -0.5 or self.cropped.max() > 255.5)

    @property
    def gains(self) -> np.ndarray:
        """How much it makes of each of `WAVES`: the size of its Fourier transform across the picture."""
        across = np.outer(WAVES, np.arange(self.kernel.shape[1]))
        return np.abs(np.exp(-2j * np.pi * across) @ self.kernel.sum(axis=0))


@dataclass(frozen=True)
class Filters:
    """A photograph in grey, 0 to 255, before and after each filter."""

    picture: np.ndarray
    filters: Sequence[Filtered]

    @property
    def leaving(self) -> int:
        """How many filters take the picture out of the range of grey."""
        return sum(one.leaves for one in self.filters)


def measure(settings: Settings, samples: Samples) -> Filters:
    """One photograph under each filter."""
    picture = np.round(in_grey(samples.inputs[settings.sample]))  # as a picture in grey holds it, and the page
    chance = np.random.default_rng(settings.seed).random((9, 9))
    kernels = {
        ("mean 3 × 3", "mean"): (np.ones((3, 3)), 9),
        ("mean 9 × 9", "mean"): (np.ones((9, 9)), 81),
        ("Sobel", "sobel"): (SOBEL, 1),
        ("random 9 × 9", "random"): (chance, 1),
        ("random 9 × 9, sum 1", "random_of_sum_1"): (chance, float(chance.sum())),
    }
    return Filters(picture, [_under(picture, *weights, *called) for called, weights in kernels.items()])


def in_grey(pixels: np.ndarray) -> np.ndarray:
    """A photograph uint8 (3, rows, columns), or (1, rows, columns), as brightness 0 to 255."""
    return np.tensordot(LUMA, pixels, 1) if len(pixels) == 3 else pixels[0].astype(float)


def filtered(picture: np.ndarray, kernel: np.ndarray, pad: bool = False) -> np.ndarray:
    """The sum of products in every window; `pad` with zeros so that the picture keeps its size (odd kernels)."""
    if pad:
        rows, columns = kernel.shape
        picture = np.pad(picture, ((rows // 2, rows // 2), (columns // 2, columns // 2)))
    windows = np.lib.stride_tricks.sliding_window_view(picture, kernel.shape)
    return np.einsum("ijkl,kl->ij", windows, kernel)


def spectrum(picture: np.ndarray) -> np.ndarray:
    """Amplitudes as shares of the largest, frequency zero in the middle; the mean grey is taken away."""
    amplitude = np.abs(np.fft.fftshift(np.fft.fft2(picture - picture.mean())))
    return amplitude / amplitude.max()


def _under(picture: np.ndarray, weights: np.ndarray, over: float, name: str, kind: str) -> Filtered:
    kernel = weights / over
    cropped = filtered(picture, kernel)
    fine_kept = _fine(cropped) / _fine(_middle(picture, kernel))
    return Filtered(name, kind, kernel, over, cropped, filtered(picture, kernel, pad=True), fine_kept)


def _middle(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The part of a picture that a filter's cropped picture shows."""
    rows, columns = (n // 2 for n in kernel.shape)
    return picture[rows : picture.shape[0] - rows, columns : picture.shape[1] - columns]


def _fine(picture: np.ndarray) -> float:
    """The energy of a picture's changes finer than eight pixels; the rim faded out, since it is a sharp change."""
    window = np.outer(*(np.hanning(n) for n in picture.shape))
    power = np.abs(np.fft.fft2((picture - picture.mean()) * window)) ** 2
    rows, columns = np.meshgrid(*(np.fft.fftfreq(n) for n in picture.shape), indexing="ij")
    return float(power[np.hypot(rows, columns) > 1 / 8].sum() / picture.size**2)


def numbers(found: Filters) -> Numbers:
    """How many filters leave the range of grey; of each its weights, its range, and what is left of fine detail."""
    rows = Numbers()
    rows.add("outside_grey_range", found.leaving, n=len(found.filters))
    for one in found.filters:
        with rows.about(f"filter={one.name.replace(' × ', 'x').replace(', ', ' ')}"):
            rows.add("weights_sum", significant(float(one.kernel.sum())))
            rows.add("lowest", significant(float(one.cropped.min())))
            rows.add("highest", significant(float(one.cropped.max())))
            rows.add("fine_detail_kept", significant(one.fine_kept))
    return rows
