"""Pieces of photographs, each a class of its own: from which piece is this a window?

A network that must tell them apart learns a first layer of edges, stripes and colours, from few photographs as well
(Dosovitskiy, Springenberg, Riedmiller & Brox 2014; from a single one, Asano, Rupprecht & Vedaldi 2020).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cnnatomy.data import archive, images, pictures
from cnnatomy.data.errors import DataError
from cnnatomy.data.origin import Origin

SPLITS = ("train", "validation", "test")
BRIGHTER, CONTRAST, COLOUR = 0.2, 0.4, 0.06  # how far a window's light is changed, in shares of white and of itself


def prepare(
    raw: Path, folder: Path, *, digest: str, pieces: int, side: int, window: int, windows: list[int], least: float
) -> None:
    """Windows uint8 (n, 3, window, window) out of `pieces` square pieces of the photographs, at random places of each.

    Each window is a little brighter or darker, of more or less contrast, and of another tint. Those of the test split
    are others than those trained on, but of the same pieces: what a network reads of them, it reads of pieces it knows.

    side, window: of a piece and of a window in it, in pixels. windows: of each piece, to train on, for validation and
        for the test.
    least: the least standard deviation of a piece, in units of full white; flat sky is no class.

    Raises DataError where the photographs have too few pieces.
    """
    random = np.random.default_rng(0)
    with archive.Raw(raw) as source:
        names = [name for name in source.names if name.endswith((".jpg", ".png"))]
        read = [pictures.read(source.read(name), name) for name in names]
        photographs = [pictures.pixels(one, one.size[::-1], colour=True).transpose(1, 2, 0) for one in read]
        found = _pieces(photographs, pieces, side, least, random)
        splits = {
            split: (
                np.concatenate([_windows(piece, count, window, random) for piece in found]),
                np.repeat(np.arange(pieces), count),
            )
            for split, count in zip(SPLITS, windows, strict=True)
        }
        images.write(folder, splits, [str(number) for number in range(pieces)], Origin(source, digest))


def _pieces(
    photographs: list[np.ndarray], count: int, side: int, least: float, random: np.random.Generator
) -> list[np.ndarray]:
    """`count` pieces uint8 (side, side, 3), from each photograph in turn."""
    found: list[np.ndarray] = []
    for _ in range(100 * count):
        picture = photographs[len(found) % len(photographs)]
        top, left = (random.integers(0, size - side + 1) for size in picture.shape[:2])
        piece = picture[top : top + side, left : left + side]
        if piece.std() >= 255 * least:
            found.append(piece)
        if len(found) == count:
            return found
    raise DataError(f"data.prepare.least: the photographs have no {count} pieces of {side} px that vary by {least}")


def _windows(piece: np.ndarray, count: int, side: int, random: np.random.Generator) -> np.ndarray:
    """uint8 (count, 3, side, side)."""
    places = random.integers(0, len(piece) - side + 1, (count, 2))
    cut = np.stack([piece[top : top + side, left : left + side] for top, left in places]) / 255
    middle = cut.mean(axis=(1, 2, 3), keepdims=True)
    cut = (cut - middle) * random.uniform(1 - CONTRAST, 1 + CONTRAST, (count, 1, 1, 1)) + middle
    cut += random.uniform(-BRIGHTER, BRIGHTER, (count, 1, 1, 1)) + random.uniform(-COLOUR, COLOUR, (count, 1, 1, 3))
    return (255 * cut).round().clip(0, 255).astype(np.uint8).transpose(0, 3, 1, 2)
