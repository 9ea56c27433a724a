"""Connections drawn, and the reasons for few of them. What is said of them: `locale/<language>/connections.yaml`."""

from __future__ import annotations

import numpy as np

from cnnatomy.drawing.sketch import GREY, INK, PHONE, Sketch
from cnnatomy.exhibit import Block, Figure, Say, Showing, say
from cnnatomy.exhibit.worded import figure
from cnnatomy.lessons.connections.measure import MOVED, Connections, Reasons, Tied, Way, numbers
from cnnatomy.lessons.objects import BEAK, WINDOW, halved

SOURCES = ["@goodfellow2016, section 9.2"]
TITLES = {
    "all": "all to all",
    "local": "blocks with own weights",
    "shared": "blocks that share one kernel",
    "pooled": "the same, pooled in blocks",
}


def show(found: Connections) -> Showing:
    """Four ways to connect, a convolution as a dense layer, and a picture for each reason."""
    weights = {way.name: way.weights for way in found.ways}
    caption = say("connections.ways.caption", units=found.ways[0].units, inputs=found.inputs, **weights)
    ways = figure("ways", "connections.ways", _ways(found), None, caption, **weights)
    blocks: list[Block] = [ways, _matrix(found.tied), *_reasons(found.reasons)]
    return Showing(numbers(found), blocks, say("connections.caption"), SOURCES)


def _ways(found: Connections) -> str:
    step, tall = PHONE / found.inputs, 64
    sketch, top = Sketch(PHONE, 0), 0.0
    for way in found.ways:
        sketch.text(0, top + 14, TITLES[way.name], bold=True)
        sketch.text(PHONE - 54, top + 14, way.weights, "end", bold=True).text(PHONE - 50, top + 14, "weights")
        _connected(sketch, way, (step, top + 32, top + 32 + tall))
        inputs = sorted({place for _, place, _ in way.links})
        for place in inputs:
            sketch.dot(step * (place + 0.5), top + 32, 7, INK)
        top += 32 + tall + (58 if way.pooled > 1 else 24)
    sketch.height = top
    return sketch.svg()


def _connected(sketch: Sketch, way: Way, at: tuple[float, float, float]) -> None:
    """Lines from inputs to units; where places share weights, a colour a weight. at: a step, the two rows."""
    step, above, below = at
    units = [step * (_middle(way, unit) + 0.5) for unit in range(way.units)]
    few = way.weights <= 3
    for unit, place, weight in way.links:
        ends = [(step * (place + 0.5), above + 7), (units[unit], below - 7)]
        sketch.line(ends, weight if few else GREY, 2 if few else 1)
    for x in units:
        sketch.dot(x, below, 7, INK, 0.25)
    for first in range(0, way.units - way.pooled + 1, way.pooled) if way.pooled > 1 else ():
        middle = sum(units[first : first + way.pooled]) / way.pooled
        for x in units[first : first + way.pooled]:
            sketch.line([(x, below + 7), (middle, below + 29)], GREY)
        sketch.box((middle - 7, below + 29), (14, 14), INK, 0.25)


def _middle(way: Way, unit: int) -> float:
    """Below which input a unit stands: in the middle of its own, or, connected with all, in the row of units."""
    mine = [place for one, place, _ in way.links if one == unit]
    every = len({place for _, place, _ in way.links})
    return unit + (every - way.units) / 2 if len(mine) == every else (min(mine) + max(mine)) / 2


def _matrix(tied: Tied) -> Figure:
    rows, columns = tied.which.shape
    k = tied.kernel.shape[1]
    side, cell = (PHONE - 2) // columns, 30
    left, top = (PHONE - side * columns) / 2, k * cell + 58
    sketch = Sketch(PHONE, top + rows * side + 24)
    sketch.text(0, 14, "filter", bold=True)
    for place, weight in enumerate(tied.kernel.ravel(), 1):
        x, y = cell * ((place - 1) % k), 24 + cell * ((place - 1) // k)
        sketch.box((x + 1, y + 1), (cell - 2, cell - 2), *_coloured(place))
        sketch.text(x + cell / 2, y + 20, f"{weight:g}".replace("-", "−"), "middle")
    sketch.text(0, top - 10, "the dense layer's weights", bold=True)
    sketch.text(PHONE, top - 10, f"{rows} × {columns}", "end")
    for output, place in np.argwhere(tied.which > 0).tolist():
        corner = left + side * place, top + side * output
        sketch.box(corner, (side, side), *_coloured(int(tied.which[output, place])), width=0)
    sketch.box((left, top), (side * columns, side * rows))
    sketch.text(PHONE / 2, top + side * rows + 17, "image, pixel by pixel →", "middle")
    difference = float(np.abs(tied.dense - tied.convolution).max())
    slopes = float(np.abs(tied.slopes[0] - tied.slopes[1]).max())
    filled, differ = int((tied.which > 0).sum()), len(np.unique(tied.which)) - 1
    size = {"all": tied.which.size, "filled": filled, "differ": differ, "outputs": rows, "inputs": columns}
    caption = [
        say("connections.matrix.caption", **size),
        say("connections.matrix.same" if difference == 0 else "connections.matrix.apart", away=difference),
        say("connections.matrix.rows"),
        say("connections.matrix.slopes_same" if slopes == 0 else "connections.matrix.slopes_apart", away=slopes),
    ]
    return figure("matrix", "connections.matrix", sketch.svg(), None, caption, **size)


def _coloured(place: int) -> tuple[int, float]:
    """Nine weights, of which no two look alike: six colours, and three of them pale."""
    return (place - 1) % 6, 0.85 if place <= 6 else 0.4


def _reasons(found: Reasons) -> list[Figure]:
    bird = found.pictures[0]
    value, noisy, moved = found.values
    (row, column), (to_row, to_column) = found.places
    sees = {"pixels": WINDOW**2, "all": bird.size, "share": WINDOW**2 / bird.size}
    local = [
        say("connections.local.sees", window=WINDOW, **sees),
        say("connections.local.there" if (row, column) == BEAK else "connections.local.elsewhere"),
        say("connections.local.same" if noisy == value else "connections.local.changed", value=value, noisy=noisy),
    ]
    followed = (to_row - row, to_column - column) == MOVED
    anywhere = [
        say("connections.anywhere.moved", down=MOVED[0], right=MOVED[1]),
        say("connections.anywhere.found" if followed else "connections.anywhere.lost", value=value, moved=moved),
    ]
    told = {"own": found.own, "other": found.other}
    smaller = [say("connections.smaller.kept" if found.own > found.other else "connections.smaller.lost", **told)]
    return [
        _reason("local", _beak(found), local),
        _reason("anywhere", _elsewhere(found), anywhere),
        _reason("smaller", _halved(found), smaller),
    ]


def _reason(name: str, svg: str, told: list[Say]) -> Figure:
    title, alt = say(f"connections.{name}.title"), say(f"connections.{name}.alt")
    return Figure(name, svg, alt=alt, title=title, caption=[*told, say(f"connections.{name}.study")])


def _beak(found: Reasons) -> str:
    bird, side = found.pictures[0], 5
    rows, columns = bird.shape
    sketch = Sketch(PHONE, 26 + rows * side + 22)
    for left, picture, words in ((0, bird, "bird"), (PHONE - columns * side - 1, found.noisy, "all else is noise")):
        sketch.text(left, 16, words, bold=True).picture(left + 0.5, 26, picture, side)
        _window(sketch, left + 0.5, BEAK, side)
    for left, value in ((0, found.values[0]), (PHONE - columns * side, found.values[1])):
        sketch.text(left, 26 + rows * side + 17, f"{value:.1f}")
    return sketch.svg()


def _elsewhere(found: Reasons) -> str:
    bird, moved = found.pictures[0], found.moved
    side = (PHONE - 24) // (bird.shape[1] + moved.shape[1])
    sketch = Sketch(PHONE, 26 + len(moved) * side + 22)
    right = PHONE - moved.shape[1] * side - 1
    for left, picture, place, value, words in (
        (0, bird, found.places[0], found.values[0], "bird"),
        (right, moved, found.places[1], found.values[2], "the bird elsewhere"),
    ):
        sketch.text(left, 16, words, bold=True).picture(left + 0.5, 26, picture, side)
        _window(sketch, left + 0.5, place, side)
        sketch.text(left, 26 + len(picture) * side + 17, f"{value:.1f}")
    return sketch.svg()


def _window(sketch: Sketch, left: float, place: tuple[int, int], side: float) -> None:
    row, column = place
    sketch.box((left + column * side, 26 + row * side), (WINDOW * side, WINDOW * side), 1, width=3)


def _halved(found: Reasons) -> str:
    rows, columns = found.pictures[0].shape
    side = 96 / columns
    sketch, tall = Sketch(PHONE, 0), rows * side
    for number, picture in enumerate(found.pictures):
        left = number * (PHONE - 97) / 2 + 0.5
        sketch.picture(left, 0.5, picture, side)
        sketch.picture(left + 24, tall + 30, halved(picture), side)
        sketch.arrow((left + 48, tall + 5), (left + 48, tall + 26))
        sketch.text(left + 48, 1.5 * tall + 48, f"{found.likeness[number, number]:.2f}", "middle")
    sketch.height = 1.5 * tall + 56
    return sketch.svg()
