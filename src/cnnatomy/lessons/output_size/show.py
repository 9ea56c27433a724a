"""A calculator, a filter in colour, and tables of sizes. What is said: `locale/<language>/output_size.yaml`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cnnatomy.exhibit import Calculator, Convolver, Figure, Input, Kernel, Output, Prose, Say, Showing, Table, say
from cnnatomy.exhibit.formulas import Formula
from cnnatomy.exhibit.worded import figure, headed
from cnnatomy.lessons.number_tables import NumberTables, factor, number
from cnnatomy.lessons.output_size.measure import LECTURE, PLACES, Cube, Sizes, numbers, units

COLOURS = ("red", "green", "blue")
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
            _windows(found.cube),
            Table("lecture", _lecture(), say("output_size.lecture")),
            Table("cases", pd.DataFrame(found.cases), *headed("output_size.cases"), folded=True),
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
            Output("shape", labelled("shape"), ["filters", "map", "map"], zero=labelled("none")),
            Output("parameters", labelled("parameters"), [parameters]),
        ],
        title=labelled("title"),
        caption=labelled("caption"),
        drawn={"input": "n", "kernel": "k", "stride": "s", "padding": "p", "dilation": "d"},
    )


def _lecture() -> pd.DataFrame:
    columns = ["what", "input", "kernel", "stride", "padding", "filters"]
    lecture = pd.DataFrame([(what, *case) for what, case in LECTURE.items()], columns=columns)
    sides = [(filters, units(*case)) for *case, filters in LECTURE.values()]
    return lecture.assign(map=[f"{filters} × {side} × {side}" for filters, side in sides])


def _cube(cube: Cube) -> Figure:
    """The first window of a picture in three channels, worked out."""
    sheet, side = NumberTables(), cube.kernel.shape[-1]
    padded = np.pad(cube.image, ((0, 0), *[(cube.padding, cube.padding)] * 2))
    for name, channel, weights, one in zip(COLOURS, padded, cube.kernel, cube.maps, strict=True):
        sheet.table(channel[:side, :side], name, shaded=True).sign("×").table(weights, "filter")
        sheet.sign("→").table(one[:1, :1], "sum").below()
    total = cube.maps.sum(axis=0)
    worked = f"{' + '.join(map(factor, cube.maps[:, 0, 0].tolist()))} = {number(total[0, 0])}"
    return figure("cube", "output_size.cube", sheet.svg(), sum=worked)


def _windows(cube: Cube) -> Convolver:
    """The same picture under the same filter, to be stepped through and changed."""
    return Convolver(
        "windows",
        cube.image,
        [Kernel(say("output_size.cube.filter"), cube.kernel, cube.maps.sum(axis=0))],
        tuple(say(f"output_size.cube.{colour}") for colour in COLOURS),
        cube.stride,
        cube.padding,
        int(cube.image.max()),
        title=say("output_size.cube.windows"),
    )
