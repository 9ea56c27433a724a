"""Maps of what counts in a sample, as pictures, marked words and plain numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.drawing import curves
from cnnatomy.drawing.showing import amount, picture, signed, upright, words
from cnnatomy.exhibit import Item
from cnnatomy.exhibit.rounding import significant
from cnnatomy.probing.answers import Answer

SIDE = 64  # cells along the longer side of a drawn map, at most
STRIP = 4  # how wide a map of one cell's width is drawn, in pixels
CUT = 99  # per cent of a map's cells that its scale of colours reaches


def sample_item(samples: Samples, answer: Answer, group: str = "") -> Item:
    """The sample itself, beside which its maps stand."""
    name = str(samples.table["id"][answer.place])
    pixels = picture(samples.facts, samples.inputs[answer.place])
    return Item(name, pixels, label=name, state=answer.state, group=group)


def coarser(values: np.ndarray, most: int = SIDE) -> tuple[np.ndarray, int]:
    """A map (rows, columns) in square blocks, each the sum of its places, of at most `most` along a side; and the
    side of a block."""
    side = -(-max(values.shape) // most)
    if side == 1:
        return values, 1
    rows, columns = (-(-length // side) for length in values.shape)
    whole = np.zeros((rows * side, columns * side))
    whole[: values.shape[0], : values.shape[1]] = values
    return whole.reshape(rows, side, columns, side).sum(axis=(1, 3)), side


def signed_picture(facts: Facts, values: np.ndarray) -> np.ndarray:
    """A map with signs as colours; its strongest hundredth shares the darkest, so that one cell does not pale all."""
    scale = float(np.percentile(np.abs(values), CUT)) or float(np.abs(values).max())
    return signed(upright(facts, values), scale)


def cells_picture(facts: Facts, cells: np.ndarray) -> np.ndarray:
    """A map of amounts, cell by cell: zero is black, the largest pale; one cell wide is drawn as a strip."""
    flat = cells if cells.ndim == 2 else cells[:, None] if facts.kind == "sounds" else cells[None]
    flat = upright(facts, flat)
    for axis, length in enumerate(flat.shape):
        if length == 1:
            flat = flat.repeat(STRIP, axis=axis)
    return amount(flat)


def on_signal(samples: Samples, answer: Answer, values: np.ndarray) -> np.ndarray:
    """A signal with a map of its moments, (steps,), as colours below and behind it: red above zero, blue below.

    The strongest hundredth of the moments shares the darkest colours.
    """
    scale = float(np.percentile(np.abs(values), CUT)) or float(np.abs(values).max())
    return curves.signal(samples.facts, np.asarray(samples.inputs[answer.place]), map_=signed(values[None], scale)[0])


def weighed(samples: Samples, answer: Answer, weights: np.ndarray) -> list[tuple[str, float]]:
    """The words of a sentence, each with its weight."""
    spelt = words(samples, answer.place)
    return [(word, significant(float(weight))) for word, weight in zip(spelt, weights, strict=False)]


def concentration(maps: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """The share of each map's sum that lies in its strongest quarter of places, (n,): 0.25 if it is even.

    maps: (n, *places), none below zero; valid: bool, which places count. Maps that are zero there are left out.
    """
    found = []
    for values in (one[counts] for one, counts in zip(maps, valid, strict=True)):
        if values.sum() > 0:
            found.append(np.sort(values)[::-1][: max(1, round(len(values) / 4))].sum() / values.sum())
    return np.array(found)


def extent(axis_values: Sequence[float], weights: np.ndarray) -> tuple[float, float, float]:
    """Where along an axis the weights peak, and between which values the middle half of them lies."""
    values, total = np.asarray(axis_values, dtype=float), np.cumsum(weights)
    low, high = (values[int(np.searchsorted(total, part * total[-1]))] for part in (0.25, 0.75))
    return float(values[int(np.argmax(weights))]), float(low), float(high)
