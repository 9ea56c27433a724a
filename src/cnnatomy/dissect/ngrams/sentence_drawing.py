"""A filter along a sentence as a drawing: words down, their vectors across, the map beside, one number kept below."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnnatomy.dissect.ngrams.sliding import Slide, Slides
from cnnatomy.drawing.sketch import GREY, INK, PHONE, Sketch

ROW = 17  # pixels a word
DRAWN = 16  # numbers of a word's vector that are drawn
CELL = 7
LEFT, MAP = 92, 222  # where vectors begin, and where the map's bars do
LETTERS = 13  # of a word that have room


def drawing(found: Slides, one: Slide, words: Sequence[str]) -> str:
    """One sentence. words: as a reader sees them."""
    rows, top = len(one.vectors), 30
    sketch = Sketch(PHONE, 0)
    for x, title in ((0, "word"), (LEFT, "its vector"), (MAP, "map")):
        sketch.text(x, 16, title, bold=True)
    shown = one.vectors[:, :DRAWN]
    largest = float(np.abs(shown).max()) or 1.0
    for colour, sign in ((0, 1), (1, -1)):
        sketch.picture(LEFT, top, sign * shown / largest, CELL, colour, tall=ROW)
    for row in range(rows):
        at = row - one.first
        word = words[at] if 0 <= at < len(words) else "·"
        sketch.text(0, top + ROW * row + 13, word if len(word) <= LETTERS else word[: LETTERS - 1] + "…")
    _bars(sketch, found, one, top)
    first = int(one.starts[one.best]) + one.first
    frame = (LEFT - 2, top + ROW * first), (CELL * DRAWN + 4, ROW * found.width)
    sketch.box(*frame, 1, width=2.5)
    sketch.arrow((LEFT + CELL * DRAWN + 10, top + 4), (LEFT + CELL * DRAWN + 10, top + min(ROW * rows, 60)), 1)
    return _vector(sketch, found, one, top + ROW * rows + 26)


def _bars(sketch: Sketch, found: Slides, one: Slide, top: int) -> None:
    """The map: a bar for each window, beside its middle."""
    longest, room = max(float(one.values.max()), 1e-9), PHONE - MAP - 36
    for number, (start, value) in enumerate(zip(one.starts, one.values, strict=True)):
        y = top + ROW * (start + one.first + (found.width - 1) / 2)
        kept = number == one.best
        long = max(1.0, room * float(value) / longest)
        sketch.box((MAP, y + 4), (long, ROW - 8), 1 if kept else GREY if value == 0 else 0, 0.8, width=0)
        if kept:
            sketch.text(MAP + long + 4, y + 13, f"{value:.2f}", bold=True)


def _vector(sketch: Sketch, found: Slides, one: Slide, top: float) -> str:
    """What pooling leaves of every filter: a row for each width, as long as its layer has filters."""
    sketch.text(0, top, "maximum over all", bold=True)
    filters = max(len(row) for row in one.vector)
    wide = min(12.0, (PHONE - 2) / filters)
    largest = max(float(row.max()) for row in one.vector) or 1.0
    for number, row in enumerate(one.vector):
        sketch.picture(1, top + 8 + 14 * number, row[None] / largest, wide, INK, tall=12)
    sketch.box((1 + wide * found.channel - 1, top + 7 + 14 * found.row), (wide + 2, 14), 1, width=2.5)
    sketch.height = top + 14 + 14 * len(one.vector)
    return sketch.svg()
