"""Where a picture is like a filter: the map laid back on the picture, for the lecture's image and for a curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from cnnatomy.lessons.template.settings import Settings
from cnnatomy.statistics.numbers import Numbers

Place = tuple[int, int]
SIDE = 28  # pixels, of the drawn picture
WIDTH = 1.2  # pixels, of a stroke


@dataclass(frozen=True)
class Laid:
    """A filter on each place of a picture.

    map: the sum of products in each window. likeness: the cosine of each window with the filter, 0 where it is blank.
    best: the first places of the windows with the largest sums, the largest first. other: of all windows with at least
    as much ink as the best one, that with the lowest sum.
    """

    picture: np.ndarray
    filter: np.ndarray
    map: np.ndarray
    likeness: np.ndarray
    best: Sequence[Place]
    other: Place

    def window(self, place: Place) -> np.ndarray:
        """What lies under the filter there."""
        rows, columns = self.filter.shape
        return self.picture[place[0] : place[0] + rows, place[1] : place[1] + columns]

    def on_positive(self, place: Place) -> float:
        """The share of a window's ink that lies on weights above zero."""
        window = self.window(place)
        return float(window[self.filter > 0].sum() / window.sum())

    @property
    def alike(self) -> bool:
        """Whether the window with the largest sum is also the one most like the filter."""
        return bool(self.likeness[self.best[0]] >= self.likeness.max() - 1e-9)


@dataclass(frozen=True)
class Templates:
    """strokes: the lecture's image; its best windows are all with the largest sum. curve: the drawn picture."""

    strokes: Laid
    curve: Laid


def measure(settings: Settings) -> Templates:
    """settings: `image` (rows, columns) and `filter` (k, k) of the lecture; `marked`, windows marked on the curve."""
    image, filter_ = (np.array(one, dtype=float) for one in (settings.image, settings.filter))
    sums = slid(image, filter_)
    largest = [(int(row), int(column)) for row, column in np.argwhere(sums == sums.max())]
    picture, curve = eight(), arc()
    found = apart(slid(picture, curve), settings.marked, len(curve))
    return Templates(laid(image, filter_, largest), laid(picture, curve, found))


def laid(picture: np.ndarray, filter_: np.ndarray, best: Sequence[Place]) -> Laid:
    """The filter on each place; best: the windows to mark."""
    sums = slid(picture, filter_)
    ink = slid(picture, np.ones_like(filter_))
    lengths = np.sqrt(slid(picture**2, np.ones_like(filter_)) * (filter_**2).sum())
    likeness = np.divide(sums, lengths, out=np.zeros_like(sums), where=lengths > 1e-9)
    as_much = np.where(ink >= ink[best[0]] - 1e-9, sums, np.inf)
    row, column = np.unravel_index(int(as_much.argmin()), sums.shape)
    return Laid(picture, filter_, sums, likeness, best, (int(row), int(column)))


def slid(picture: np.ndarray, filter_: np.ndarray) -> np.ndarray:
    """The sum of products in each window, (rows − k + 1, columns − k + 1)."""
    return functional.conv2d(torch.tensor(picture[None, None]), torch.tensor(filter_[None, None]))[0, 0].numpy()


def apart(sums: np.ndarray, many: int, side: int) -> list[Place]:
    """The windows with the largest sums of which no two overlap by more than half a side."""
    found: list[Place] = []
    for flat in np.argsort(-sums, axis=None, kind="stable"):
        row, column = (int(at) for at in np.unravel_index(flat, sums.shape))
        if all(max(abs(row - up), abs(column - left)) > side // 2 for up, left in found):
            found.append((row, column))
        if len(found) == many:
            break
    return found


def eight() -> np.ndarray:
    """A digit 8 of two loops: ink from 0 to 1, (SIDE, SIDE)."""
    turn = np.linspace(0, 2 * np.pi, 100)
    loops = [np.stack([row - 5.5 * np.sin(turn), 13.5 + 5.5 * np.cos(turn)], axis=1) for row in (8, 19)]
    return _stroke(np.concatenate(loops), SIDE)


def arc() -> np.ndarray:
    """A quarter of a circle, its lower left one, as a filter of 7 × 7 whose weights add up to 0."""
    turn = np.linspace(np.pi, 1.5 * np.pi, 40)
    ink = _stroke(np.stack([0.5 - 5.5 * np.sin(turn), 6 + 5.5 * np.cos(turn)], axis=1), 7)
    return ink - ink.mean()


def _stroke(points: np.ndarray, side: int) -> np.ndarray:
    """Ink along points (n, 2) of (row, column)."""
    rows, columns = np.mgrid[:side, :side]
    away = np.sqrt((rows[..., None] - points[:, 0]) ** 2 + (columns[..., None] - points[:, 1]) ** 2).min(axis=-1)
    return np.asarray(np.exp(-((away / WIDTH) ** 2)).round(3))


def numbers(found: Templates) -> Numbers:
    """Of each: the largest sum, how many windows have it, how like the filter the best window is, and another."""
    rows = Numbers()
    for name, one in (("strokes", found.strokes), ("curve", found.curve)):
        with rows.about(f"picture={name}"):
            rows.add("largest", float(one.map[one.best[0]]))
            rows.add("windows", one.map.size)
            rows.add("windows_marked", len(one.best))
            rows.add("likeness_of_best", float(one.likeness[one.best[0]]))
            rows.add("likeness_of_other", float(one.likeness[one.other]))
    return rows
