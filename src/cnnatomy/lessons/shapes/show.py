"""Pooling by hand and the chain of layers. What is said of them: `locale/<language>/shapes.yaml`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from cnnatomy.drawing.sketch import GREY, INK, PHONE, Sketch
from cnnatomy.exhibit import Block, Figure, Showing, Table, say
from cnnatomy.exhibit.worded import figure
from cnnatomy.lessons.number_tables import number
from cnnatomy.lessons.shapes.measure import Chain, Counted, Pooled, numbers

CELL = 30  # pixels, of a number
WIDE = 42  # of one with two decimals
BLOCKS = (0, 1, 2, 3)  # the colours of the four blocks


def show(found: Chain) -> Showing:
    """Two channels pooled by largest values and means; the layers drawn; every layer's shape and parameters."""
    rows = [(one.name, one.kind, " × ".join(map(str, one.shape)), one.by_hand, one.parameters) for one in found.layers]
    chain = pd.DataFrame(rows, columns=["layer", "kind", "shape", "parameters by hand", "parameters"])
    flat = next(one.shape[0] for one in found.layers if one.kind == "Flatten")
    caption = say("shapes.network.caption", flat=flat, before=" × ".join(map(str, _before(found.layers))))
    drawn = figure("network", "shapes.network", _network(found.layers), None, caption, flat=flat)
    blocks: list[Block] = [_pooling(found.pooled), drawn, Table("chain", chain, say("shapes.chain"))]
    return Showing(numbers(found), blocks, say("shapes.caption"))


def _before(layers: Sequence[Counted]) -> tuple[int, ...]:
    """The shape that is flattened."""
    place = next(at for at, one in enumerate(layers) if one.kind == "Flatten")
    return layers[place - 1].shape


def _pooling(pooled: Sequence[Pooled]) -> Figure:
    """Each block of four in its colour, in the channel and in what is made of it; then the row that flatten makes."""
    tall = 34 + 4 * CELL + 12
    sketch = Sketch(PHONE, tall * len(pooled) + 62)
    for at, one in enumerate(pooled):
        top = tall * at
        sketch.text(1, top + 16, f"channel {at + 1}", bold=True)
        right = 1 + 4 * CELL + 26
        sketch.text(right, top + 16, "max pooling", size=11).text(PHONE - 1, top + 16, "average pooling", "end", 11)
        _cells(sketch, (1, top + 28), one.channel, 2, CELL)
        sketch.arrow((4 * CELL + 5, top + 28 + 2 * CELL), (right - 4, top + 28 + 2 * CELL), INK)
        _cells(sketch, (right, top + 28 + CELL), one.largest, 1, CELL)
        _cells(sketch, (PHONE - 1 - 2 * WIDE, top + 28 + CELL), one.mean, 1, WIDE)
    row = np.concatenate([one.largest.ravel() for one in pooled])[None]
    top = tall * len(pooled)
    sketch.text(1, top + 16, "flatten", bold=True)
    wide = min(CELL + 8, (PHONE - 2) / row.shape[1])
    for at, value in enumerate(row[0]):
        sketch.box((1 + wide * at, top + 28), (wide, CELL), BLOCKS[at % 4], 0.3)
        sketch.text(1 + wide * (at + 0.5), top + 28 + 20, number(float(value)), "middle")
    return figure("pooling", "shapes.pooling", sketch.svg())


def _cells(sketch: Sketch, corner: tuple[float, float], values: np.ndarray, block: int, wide: float) -> None:
    """Numbers in cells, each coloured by the block that it lies in; block: cells on a side of one."""
    for (row, column), value in np.ndenumerate(values):
        x, y = corner[0] + wide * column, corner[1] + CELL * row
        sketch.box((x, y), (wide, CELL), BLOCKS[2 * (row // block) + column // block], 0.3)
        sketch.text(x + wide / 2, y + 20, number(float(value)), "middle")


def _network(layers: Sequence[Counted]) -> str:
    """Maps as squares, as large as they have pixels; what is flat as a row."""
    shown = [one for one in layers if one.kind in ("Conv2d", "MaxPool2d", "Flatten", "Linear")]
    unit = 56 / max(max(one.shape[1:], default=1) for one in shown)
    sketch, top = Sketch(PHONE, 0), 4.0
    for at, one in enumerate(shown):
        size = unit * one.shape[-1] if len(one.shape) > 1 else 12
        top += 8 if len(one.shape) > 1 else 0
        if len(one.shape) > 1:
            for behind in range(min(3, int(math.log2(one.shape[0]) / 2) + 1), -1, -1):
                corner = 20 + 4 * behind, top - 3 * behind
                sketch.box(corner, (size, size), 4, 0.25 if behind else 0.6)
        else:
            long = 136 * math.log(one.shape[0]) / math.log(1250)
            sketch.box((20, top), (long, size), 4, 0.6)
            sketch.lines([((20 + x, top), (20 + x, top + size)) for x in range(6, int(long), 6)], GREY, 0.5)
        middle = top + size / 2 + 5
        sketch.text(PHONE - 96, middle - 1, one.name, "end", bold=True)
        sketch.text(PHONE - 88, middle - 1, " × ".join(map(str, one.shape)))
        top += size
        if at < len(shown) - 1:
            sketch.arrow((8, top - size / 2), (8, top + 14), GREY)
        top += 14
    sketch.height = top
    return sketch.svg()
