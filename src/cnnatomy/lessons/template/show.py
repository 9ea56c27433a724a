"""Maps laid back on pictures. What is said of them: `locale/<language>/template.yaml`."""

from __future__ import annotations

import numpy as np

from cnnatomy.drawing.sketch import GREY, INK, PHONE, Sketch
from cnnatomy.exhibit import Showing, say
from cnnatomy.exhibit.worded import figure
from cnnatomy.lessons.number_tables import number
from cnnatomy.lessons.template.measure import Laid, Place, Templates, numbers

SOURCES = ["@zeiler2014"]
CELL = 30
LECTURE = [(0, 0), (3, 0)]  # where its 3s stand


def show(found: Templates) -> Showing:
    """The lecture's image with its best windows, the curve on a digit, and two windows beside the filter."""
    strokes, curve = found.strokes, found.curve
    same = all(np.array_equal(strokes.window(place) > 0, strokes.filter > 0) for place in strokes.best)
    places = [say("template.place", row=row + 1, column=column + 1) for row, column in strokes.best]
    told = {"largest": float(strokes.map.max()), "n": len(places), "places": places, "windows": strokes.map.size}
    there = [
        say("template.strokes.caption", **told),
        say("template.strokes.there" if same else "template.strokes.near"),
        say("template.strokes.lecture") if strokes.best == LECTURE else None,
        say("template.strokes.frames"),
    ]
    first = figure("strokes", "template.strokes", _strokes(strokes), None, there, **told)
    likeness = [number(float(curve.likeness[place])) for place in curve.best]
    marked = {"n": len(curve.best), "windows": curve.map.size, "side": len(curve.filter), "likeness": likeness}
    second = figure("curve", "template.curve", _curve(curve), **marked)
    best, other = curve.best[0], curve.other
    pair = {"best": float(curve.map[best]), "other": float(curve.map[other])}
    pair |= {"alike": float(curve.likeness[best]), "unlike": float(curve.likeness[other])}
    pair |= {"ink": float(curve.window(best).sum()), "more": float(curve.window(other).sum())}
    pair |= {"on": curve.on_positive(best), "off": curve.on_positive(other)}
    alike = say("template.windows.most" if curve.alike else "template.windows.not_most", most=curve.likeness.max())
    compared = [say("template.windows.caption", **pair), alike]
    third = figure("windows", "template.windows", _windows(curve), None, compared, **pair)
    return Showing(numbers(found), [first, second, third], say("template.caption"), SOURCES)


def _strokes(found: Laid) -> str:
    """Image and filter above, the map below; frames of the same colour at a window and at its number."""
    n, k, m = len(found.picture), len(found.filter), len(found.map)
    sketch = Sketch(PHONE, 26 + CELL * n + 34 + CELL * m + 4)
    sketch.text(1, 16, "image", bold=True).text(PHONE - CELL * k - 1, 16, "filter", bold=True)
    _numbers(sketch, (1, 26), found.picture, found.picture > 0)
    _numbers(sketch, (PHONE - CELL * k - 1, 26), found.filter, found.filter > 0)
    top = 26 + CELL * n + 34
    sketch.text(1, top - 10, "feature map", bold=True)
    _numbers(sketch, (1, top), found.map, found.map == found.map.max())
    for at, (row, column) in enumerate(found.best):
        colour = (1, 2, 5, 3)[at % 4]
        inset = 1.5 * (at % 2)  # where windows touch
        corner = 1 + CELL * column + inset, 26 + CELL * row + inset
        sketch.box(corner, (CELL * k - 2 * inset, CELL * k - 2 * inset), colour, width=3)
        sketch.box((1 + CELL * column, top + CELL * row), (CELL, CELL), colour, width=3)
    return sketch.svg()


def _numbers(sketch: Sketch, corner: tuple[float, float], values: np.ndarray, shaded: np.ndarray) -> None:
    left, top = corner
    for (row, column), value in np.ndenumerate(values):
        x, y = left + CELL * column, top + CELL * row
        sketch.box((x, y), (CELL, CELL), 0 if shaded[row, column] else GREY, 0.25 if shaded[row, column] else 0, 0.7)
        sketch.text(x + CELL / 2, y + 20, number(float(value)), "middle")


def _curve(found: Laid) -> str:
    """The picture, pale; over it each window's sum at the window's middle, in colour; the best windows framed."""
    side, k = 11, len(found.filter)
    size = side * len(found.picture)
    left = (PHONE - size) / 2
    sketch = Sketch(PHONE, size + 2)
    sketch.picture(left, 1, found.picture * 0.35, side)
    over = np.zeros_like(found.picture)
    rows, columns = found.map.shape
    over[k // 2 : k // 2 + rows, k // 2 : k // 2 + columns] = np.maximum(found.map, 0) / found.map.max()
    sketch.picture(left, 1, over**2, side, 1)
    for place in found.best:
        _frame(sketch, (left, 1), place, k, side)
        row, column = place
        x, y = left + side * column + 4, 1 + side * row + 14
        sketch.text(x, y, number(float(found.map[place])), bold=True)
    return sketch.svg()


def _frame(sketch: Sketch, corner: tuple[float, float], place: Place, k: int, side: float) -> None:
    sketch.box((corner[0] + side * place[1], corner[1] + side * place[0]), (side * k, side * k), 2, width=3)


def _windows(found: Laid) -> str:
    """The filter, the best window and one with no less ink, each with its sum."""
    side = 12
    size = side * len(found.filter)
    sketch = Sketch(PHONE, 26 + size + 26)
    largest = float(np.abs(found.filter).max())
    lefts = [1, (PHONE - size) / 2, PHONE - size - 1]
    sketch.text(lefts[0], 16, "filter", bold=True, size=12)
    sketch.text(PHONE / 2, 16, "best", "middle", 12, bold=True)
    sketch.text(PHONE - 1, 16, "another", "end", 12, bold=True)
    sketch.picture(lefts[0], 26, found.filter / largest, side, 0)
    sketch.picture(lefts[0], 26, -found.filter / largest, side, 1)
    for left, place in ((lefts[1], found.best[0]), (lefts[2], found.other)):
        sketch.picture(left, 26, found.window(place), side, INK)
        sketch.text(left, 26 + size + 18, number(float(found.map[place])), bold=True)
    return sketch.svg()
