"""Laid over a picture of a sample: an amount a place, or the frame of a window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnnatomy.data.prepared import Facts

LEAST, MOST = 84, 112  # pixels of the longer side of what is made here: small pictures are enlarged, large ones reduced
TINT, LINE = (214, 40, 24), (255, 196, 0)  # of an amount, and of the line around the places above half of the largest
FRAME = (255, 64, 48)
STRENGTH = 0.7  # of the tint at the largest amount
LEVELS = 12  # of grey and of the tint: enough to see, and a third of the bytes
LUMINANCE = np.array([0.299, 0.587, 0.114])


def over(pixels: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """A picture in grey, red where amounts (height, width) are, uint8; a line goes around what is above half the most.

    Nothing is smoothed; amounts that are all zero leave the picture in grey.
    """
    grey = pixels if pixels.ndim == 2 else pixels @ LUMINANCE
    by = -(-max(grey.shape) // MOST)
    rows, columns = (length // by * by for length in grey.shape)
    grey = grey[:rows, :columns].reshape(rows // by, by, columns // by, by).mean((1, 3))
    amounts = amounts[by // 2 : rows : by, by // 2 : columns : by]
    k = max(1, -(-LEAST // max(grey.shape)))
    grey, amounts = (np.kron(one, np.ones((k, k))) for one in (grey, amounts))
    most = float(amounts.max())
    share = np.clip(amounts / most, 0, 1) if most > 0 else np.zeros(grey.shape)
    tint = STRENGTH * _stepped(share)[..., None]
    mixed = (1 - tint) * 255 * _stepped(grey / 255)[..., None] + tint * np.array(TINT)
    mixed[_edge(share >= 0.5)] = LINE
    return np.rint(mixed).astype(np.uint8)


def _stepped(share: np.ndarray) -> np.ndarray:
    return np.rint(share * LEVELS) / LEVELS


def _edge(inside: np.ndarray) -> np.ndarray:
    """The places inside of an area that have a neighbour outside of it."""
    padded = np.pad(inside, 1, mode="edge")
    around = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return inside & ~around


def framed(facts: Facts, pixels: np.ndarray, window: Sequence[tuple[int, int]]) -> np.ndarray:
    """The picture of a whole sample with a frame around what a window sees of it, as `showing.picture` draws it."""
    whole = np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels.copy()
    height, width = whole.shape[:2]
    (top, bottom), (left, right) = window
    if facts.kind == "sounds":  # drawn with the frequencies upward
        top, bottom = height - bottom, height - top
    top, left, bottom, right = max(0, top), max(0, left), min(height, bottom) - 1, min(width, right) - 1
    whole[[top, bottom], left : right + 1] = FRAME
    whole[top : bottom + 1, [left, right]] = FRAME
    return whole
