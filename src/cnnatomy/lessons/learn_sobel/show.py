"""The filters that were learned, and on the way. What is said of them: `locale/<language>/learn_sobel.yaml`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cnnatomy.drawing.plotting import Drawing, draw
from cnnatomy.drawing.showing import grey
from cnnatomy.exhibit import Figure, Grid, Item, Showing, say
from cnnatomy.exhibit.rounding import significant
from cnnatomy.exhibit.worded import figure
from cnnatomy.lessons.classic_filters.measure import SOBEL
from cnnatomy.lessons.learn_sobel.measure import NEAR, Learning, numbers
from cnnatomy.lessons.number_tables import NumberTables

SHADES = 64  # of a picture that is seen nine times: of 256 it takes half as much again, and looks the same
ROUNDING = 1e-10  # of the first error; what is left below that is single precision
SOURCES = ["@sobel1968"]


def show(found: Learning) -> Showing:
    """The error of each start, the nine weights found, and what the filter makes of the picture while it learns."""
    outcome = "rounding" if found.left < ROUNDING else "some"
    left = say(f"learn_sobel.left.{outcome}", ratio=found.left, power=_power(found.left))
    caption = say("learn_sobel.caption", found=found.found, n=len(found.courses), near=NEAR)
    return Showing(
        numbers(found),
        [
            _weights(found),
            Grid("snapshots", _snapshots(found), title=say("learn_sobel.snapshots")),
            _curve(found),
        ],
        [caption, left, say("learn_sobel.turned")],
        SOURCES,
    )


def _power(ratio: float) -> str:
    """The nearest power of ten as one writes it: 10⁻¹³; of nothing at all, 0."""
    if ratio <= 0:
        return "0"
    return "10" + str(round(np.log10(ratio))).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _weights(found: Learning) -> Figure:
    """Each start's nine weights before and after, three by three, and Sobel's."""
    sheet = NumberTables()
    for seed, course in enumerate(found.courses):
        sheet.table(course.weights[0], f"seed {seed}, start").sign("→")
        sheet.table(course.weights[-1].round(2), f"seed {seed}, learned", shaded=True).sign("≈")
        sheet.table(SOBEL, "Sobel's", shaded=True).below()
    outcome = {"near": NEAR, "found": found.found, "n": len(found.courses)}
    return figure("learned", "learn_sobel.learned", sheet.svg(), _table(found), "", **outcome)


def _snapshots(found: Learning) -> list[Item]:
    """From the random start to the target, all on the target's scale of grey."""
    low, high = float(found.target.min()), float(found.target.max())
    errors = found.courses[0].errors
    made = [
        Item(
            f"after/{iteration}",
            grey(picture, high, low, SHADES),
            say("learn_sobel.after", n=iteration) if iteration else say("learn_sobel.start"),
            values={"mse": significant(float(errors[iteration]))},
        )
        for iteration, picture in zip(found.snapshots, found.made, strict=True)
    ]
    return [*made, Item("target", grey(found.target, high, low, SHADES), say("learn_sobel.target"))]


def _curve(found: Learning) -> Figure:
    errors = {f"seed {seed}": course.errors for seed, course in enumerate(found.courses)}
    data = pd.DataFrame(errors)
    data.insert(0, "iteration", range(len(data)))

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        for label, each in errors.items():
            axes.plot(np.maximum(each, 1e-16), label=label)
        axes.set(yscale="log", xlabel="iteration", ylabel="mean squared error")
        axes.legend()

    svg, first = draw(paint, height=260), found.courses[0].errors
    return figure("errors", "learn_sobel.errors", svg, data.iloc[::10], "", start=first[0], end=first[-1])


def _table(found: Learning) -> pd.DataFrame:
    rows = {"Sobel's": SOBEL} | {f"seed {seed}": course.weights[-1] for seed, course in enumerate(found.courses)}
    columns = [f"{row}, {side}" for row in ("top", "middle", "bottom") for side in ("left", "centre", "right")]
    table = pd.DataFrame([weights.ravel() for weights in rows.values()], columns=columns)
    table.insert(0, "filter", list(rows))
    return table.round(4)
