"""Boards and AlphaGo's layers drawn. What is said of them: `locale/<language>/board.yaml`."""

from __future__ import annotations

import numpy as np

from cnnatomy.drawing.sketch import GREY, INK, PHONE, Sketch
from cnnatomy.exhibit import Figure, Say, Showing, say
from cnnatomy.exhibit.worded import figure
from cnnatomy.lessons.board.measure import MOVER, OTHER, Boards, Place, numbers

SOURCES = ["@silver2016"]
LETTERS = "abcdefghjklmnopqrst"  # Go players leave out the i
POINT = 15  # pixels from a point to the next


def show(found: Boards) -> Showing:
    """Two positions and what pooling leaves of both; AlphaGo's maps beside maps that are pooled."""
    position, twin = found.position, found.twin
    best = position.answer
    told: dict[str, object] = {"points": position.board.size, "places": found.pooled[0].size, "n": len(found.twins)}
    told["misled"] = found.misled
    said: list[Say] = [say("board.boards.pooled", **told)]
    if best is not None:
        said.insert(0, say("board.boards.best", move=named(found, best), stones=position.captures[best]))
    if best is not None and twin is not None and twin.position.answer is not None:
        change = {"start": named(found, twin.start), "end": named(found, twin.end)}
        other = named(found, twin.position.answer)
        said.insert(0, say("board.boards.two", move=named(found, best), other=other, **change))
    boards = Figure(
        "boards",
        _boards(found),
        alt=say("board.boards.alt.two" if twin else "board.boards.alt.one"),
        title=say("board.boards.title"),
        caption=[*said, say("board.boards.study")],
    )
    planes, side, _ = found.chain[0]
    layers = {"planes": planes, "side": side, "layers": len(found.chain) - 1, "filters": found.chain[1][0]}
    layers |= {"parameters": found.parameters, "points": side**2, "last": found.pooling[-1]}
    kept = all(shape[1:] == (side, side) for shape in found.chain)
    lasting = say("board.network.kept" if kept else "board.network.shrinks", **layers)
    caption = [lasting, say("board.network.caption", **layers)]
    network = figure("network", "board.network", _network(found), None, caption, **layers)
    return Showing(numbers(found), [boards, network], say("board.caption"), SOURCES)


def named(found: Boards, place: Place) -> str:
    """A point as players call it: h2."""
    return f"{LETTERS[place[1]]}{len(found.position.board) - place[0]}"


def _boards(found: Boards) -> str:
    """The position and its twin side by side, and below what pooling leaves of both."""
    n = len(found.position.board)
    size = POINT * n
    top, below = 26, 26 + size + 34
    sketch = Sketch(PHONE, below + 26 + size + 2)
    lefts = [1, PHONE - size - 1] if found.twin else [(PHONE - size) / 2]
    _board(sketch, (lefts[0], top), found.position.board, found.position.answer)
    sketch.text(lefts[0], 16, "a position", bold=True)
    if found.twin:
        _board(sketch, (lefts[1], top), found.twin.position.board, found.twin.position.answer)
        sketch.text(lefts[1], 16, "one stone moved", bold=True)
        row, column = found.twin.end
        sketch.box((lefts[1] + POINT * column, top + POINT * row), (POINT, POINT), 0, 0, 2.5)
        row, column = found.twin.start
        sketch.box((lefts[0] + POINT * column, top + POINT * row), (POINT, POINT), 0, 0, 2.5)
    middle = (PHONE - size) / 2
    for left in lefts:
        sketch.arrow((left + size / 2, top + size + 6), (PHONE / 2 + (left - middle) / 6, below + 4))
    sketch.text(PHONE / 2, below + 18, "both, pooled", "middle", bold=True)
    _pooled(sketch, (middle, below + 26), found.pooled, size)
    return sketch.svg()


def _board(sketch: Sketch, corner: tuple[float, float], board: np.ndarray, best: Place | None) -> None:
    left, top = corner
    n, half = len(board), POINT / 2
    reach = POINT * (n - 1)
    grid = [((left + half, top + half + POINT * at), (left + half + reach, top + half + POINT * at)) for at in range(n)]
    grid += [
        ((left + half + POINT * at, top + half), (left + half + POINT * at, top + half + reach)) for at in range(n)
    ]
    sketch.lines(grid, GREY, 0.8)
    for (row, column), stone in np.ndenumerate(board):
        if stone in (MOVER, OTHER):
            _stone(sketch, (left + half + POINT * column, top + half + POINT * row), 6.5, stone == MOVER)
    if best is not None:
        sketch.dot(left + half + POINT * best[1], top + half + POINT * best[0], 5, 1, 0.9)


def _stone(sketch: Sketch, middle: tuple[float, float], radius: float, mover: bool) -> None:
    """The mover's stones are full; of the other's only the rim is drawn, on a ground that hides the lines."""
    sketch.dot(*middle, radius, INK, 1 if mover else 0.12)


def _pooled(sketch: Sketch, corner: tuple[float, float], planes: np.ndarray, size: float) -> None:
    """Each place with what is somewhere in its block: a filled stone, an empty one, or a cross for a free point."""
    cell = size / planes.shape[1]
    for row, column in np.ndindex(*planes.shape[1:]):
        x, y = corner[0] + cell * column, corner[1] + cell * row
        sketch.box((x, y), (cell, cell), GREY, 0, 0.8)
        mover, other, empty = planes[:, row, column]
        if mover:
            _stone(sketch, (x + cell * 0.28, y + cell * 0.3), 5, True)
        if other:
            _stone(sketch, (x + cell * 0.72, y + cell * 0.3), 5, False)
        if empty:
            sketch.text(x + cell / 2, y + cell - 4, "+", "middle", 12)


def _network(found: Boards) -> str:
    """Maps as squares, as large as they have points a side: AlphaGo's, and with pooling."""
    side = found.chain[0][1]
    plain = [shape[1] for shape in found.chain]
    unit, tall = 2.6, 106
    sketch = Sketch(PHONE, 2 * tall + 4)
    for row, (title, sides) in enumerate((("AlphaGo: no pooling", plain), ("with pooling", found.pooling))):
        top = row * tall
        sketch.text(1, top + 16, title, bold=True)
        step = (PHONE - 2 - unit * side) / (len(sides) - 1)
        for at, points in enumerate(sides):
            size = unit * points
            corner = 1 + step * at, top + 26 + (unit * side - size) / 2
            sketch.box(corner, (size, size), 4 if at else 0, 0.3, 1)
        sketch.text(1, top + 26 + unit * side + 16, f"{found.chain[0][0]} × {side} × {side}", size=12)
        last = sides[-1]
        sketch.text(PHONE - 1, top + 26 + unit * side + 16, f"1 × {last} × {last}", "end", 12)
    return sketch.svg()
