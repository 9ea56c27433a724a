"""The filters that were learned, and on the way. What is said of them: `locale/<language>/learn_sobel.yaml`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cnnatomy.drawing.plotting import draw
from cnnatomy.drawing.showing import grey, signed
from cnnatomy.exhibit import Figure, Grid, Item, Showing, Table, say
from cnnatomy.exhibit.rounding import significant
from cnnatomy.lessons.classic_filters.measure import SOBEL
from cnnatomy.lessons.learn_sobel.measure import NEAR, Learning, numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

SOURCES = ["@sobel1968"]


def show(found: Learning) -> Showing:
    """The error of each start, the nine weights found, and what the filter makes of the picture while it learns."""
    weights = [Item("sobel", signed(SOBEL), say("learn_sobel.sobel"))]
    weights += [
        Item(f"learned/{seed}", signed(course.weights[-1]), say("learn_sobel.seed", seed=seed))
        for seed, course in enumerate(found.courses)
    ]
    return Showing(
        numbers(found),
        [
            _curve(found),
            Grid("weights", weights, title=say("learn_sobel.weights")),
            Table("learned", _table(found), say("learn_sobel.learned")),
            Grid("snapshots", _snapshots(found), title=say("learn_sobel.snapshots")),
        ],
        say("learn_sobel.caption", found=found.found, n=len(found.courses), near=NEAR),
        SOURCES,
    )


def _snapshots(found: Learning) -> list[Item]:
    """The target, and all on its scale of grey."""
    low, high = float(found.target.min()), float(found.target.max())
    errors = found.courses[0].errors
    return [Item("target", grey(found.target, high, low), say("learn_sobel.target"))] + [
        Item(
            f"after/{iteration}",
            grey(made, high, low),
            say("learn_sobel.after", n=iteration),
            values={"mse": significant(float(errors[iteration]))},
        )
        for iteration, made in zip(found.snapshots, found.made, strict=True)
    ]


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

    first = found.courses[0].errors
    return Figure(
        "errors",
        draw(paint, height=260),
        alt=say("learn_sobel.errors.alt", start=first[0], end=first[-1]),
        data=data.iloc[::10],
        title=say("learn_sobel.errors.title"),
    )


def _table(found: Learning) -> pd.DataFrame:
    rows = {"Sobel's": SOBEL} | {f"seed {seed}": course.weights[-1] for seed, course in enumerate(found.courses)}
    columns = [f"{row}, {side}" for row in ("top", "middle", "bottom") for side in ("left", "centre", "right")]
    table = pd.DataFrame([weights.ravel() for weights in rows.values()], columns=columns)
    table.insert(0, "filter", list(rows))
    return table.round(4)
