"""A calculator, a filter in colour, and tables of sizes. What is said: `locale/<language>/output_size.yaml`."""

from __future__ import annotations

import pandas as pd

from cnnatomy.exhibit import Calculator, Figure, Input, Output, Prose, Say, Showing, Table, say
from cnnatomy.exhibit.formulas import Formula
from cnnatomy.lessons.number_tables import NumberTables, factor, number
from cnnatomy.lessons.output_size.measure import LECTURE, PLACES, Cube, Sizes, numbers, units

#: What a reader may type, pictures and kernels being square: at first, least, most. First the lecture's ten filters.
TYPED = {
    "n": (5, 1, 10_000),
    "k": (3, 1, 1000),
    "s": (2, 1, 1000),
    "p": (1, 0, 1000),
    "d": (1, 1, 1000),
    "channels": (3, 1, 10_000),
    "filters": (10, 1, 10_000),
}
SOURCES = ["@dumoulin2016"]


def show(found: Sizes) -> Showing:
    """The formula to try, the lecture's cube of colour by hand, the lecture's cases, and all cases beside torch."""
    return Showing(
        numbers(found),
        [
            _calculator(),
            _cube(found.cube),
            Table("lecture", _lecture(), say("output_size.lecture")),
            Table("cases", pd.DataFrame(found.cases), say("output_size.cases.title"), say("output_size.cases.caption")),
            Prose(say("output_size.same")),
        ],
        say("output_size.caption"),
        SOURCES,
    )


def _calculator() -> Calculator:
    def labelled(name: str) -> Say:
        return say(f"output_size.calculator.{name}")

    parameters: Formula = ["*", "filters", ["+", ["*", "k", "k", "channels"], 1]]
    return Calculator(
        "calculator",
        [Input(name, labelled(name), *typed) for name, typed in TYPED.items()],
        [
            Output("map", labelled("map"), [PLACES], zero=labelled("zero")),
            Output("shape", labelled("shape"), ["filters", "map", "map"]),
            Output("parameters", labelled("parameters"), [parameters]),
        ],
        title=labelled("title"),
        caption=labelled("caption"),
    )


def _lecture() -> pd.DataFrame:
    columns = ["what", "input", "kernel", "stride", "padding", "filters"]
    lecture = pd.DataFrame([(what, *case) for what, case in LECTURE.items()], columns=columns)
    sides = [(filters, units(*case)) for *case, filters in LECTURE.values()]
    return lecture.assign(map=[f"{filters} × {side} × {side}" for filters, side in sides])


def _cube(cube: Cube) -> Figure:
    """One window of a picture in three channels, worked out, and the map of all."""
    window = {(row, column) for row in range(3) for column in range(3)}
    sheet = NumberTables()
    for name, channel, weights, one in zip(("red", "green", "blue"), cube.padded, cube.kernel, cube.maps, strict=True):
        sheet.table(channel, f"{name}, padded by 1", marked=window).sign("×").table(weights, "filter")
        sheet.sign("→").table(one, "sums, stride 2", marked={(0, 0)}).below()
    whole = cube.maps.sum(axis=0)
    sheet.table(whole, "all three added: the filter's map, 3 × 3", marked={(0, 0)})
    worked = f"{' + '.join(map(factor, cube.maps[:, 0, 0].tolist()))} = {number(whole[0, 0])}"
    return Figure(
        "cube",
        sheet.svg(),
        alt=say("output_size.cube.alt", sum=worked),
        title=say("output_size.cube.title"),
        caption=say("output_size.cube.caption", sum=worked),
    )
