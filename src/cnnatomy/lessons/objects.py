"""Small pictures of things that everybody knows, drawn by formula."""

from __future__ import annotations

import numpy as np

SIZE = (28, 30)  # rows, columns
BEAK = (5, 0)  # the first row and column of a window on the bird that holds its beak
WINDOW = 7  # pixels, its side


def bird() -> np.ndarray:
    """A bird that looks to the left: ink from 0 to 1, (rows, columns)."""
    ink = np.maximum(_ellipse(17, 17, 6, 8), _ellipse(9, 9, 4.6, 4.6))
    for corners in (((7, 5), (12, 5), (9.5, -0.5)), ((12, 22), (18, 23), (9, 29))):  # beak and tail
        ink = np.maximum(ink, _triangle(*corners))
    ink[22:27, [15, 19]] = 1
    ink[26, 13:16] = ink[26, 17:20] = 1
    ink[7:9, 7:9] = 0  # its eye
    return ink


def fish() -> np.ndarray:
    """A fish that looks to the left, (rows, columns)."""
    ink = np.maximum(_ellipse(14, 12, 6, 10), _triangle((14, 18), (6, 28), (22, 28)))
    ink[12:14, 6:8] = 0
    return ink


def house() -> np.ndarray:
    """A house with a door and a window, (rows, columns)."""
    ink = _triangle((12, 3), (12, 26), (1, 14.5))
    ink[12:26, 6:24] = 1
    ink[18:26, 9:13] = ink[15:20, 17:21] = 0
    return ink


def moved(picture: np.ndarray, down: int, right: int) -> np.ndarray:
    """The picture elsewhere, on paper a little larger so that nothing is cut off, (rows + down, columns + right)."""
    return np.pad(picture, ((down, 0), (right, 0)))


def halved(picture: np.ndarray) -> np.ndarray:
    """Of every 2 × 2 pixels their mean, (rows / 2, columns / 2)."""
    rows, columns = picture.shape
    return picture.reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3))


def _grid() -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(float)
    return rows, columns


def _ellipse(row: float, column: float, tall: float, wide: float) -> np.ndarray:
    rows, columns = _grid()
    return np.asarray(((rows - row) / tall) ** 2 + ((columns - column) / wide) ** 2 <= 1, dtype=float)


def _triangle(*corners: tuple[float, float]) -> np.ndarray:
    """All within three corners, each (row, column)."""
    rows, columns = _grid()
    sides = []
    for (r, c), (to_r, to_c) in zip(corners, (*corners[1:], corners[0]), strict=True):
        sides.append((to_r - r) * (columns - c) - (to_c - c) * (rows - r))
    return np.asarray((np.min(sides, axis=0) >= 0) | (np.max(sides, axis=0) <= 0), dtype=float)
