"""Weights of three layers, side by side. What is said of them: `locale/<language>/why_convolution.yaml`."""

from __future__ import annotations

import pandas as pd

from cnnatomy.drawing.plotting import MUTED, SERIES, Drawing, draw
from cnnatomy.exhibit import Prose, Showing, Table, say
from cnnatomy.exhibit.worded import figure
from cnnatomy.lessons.why_convolution.measure import Weights, numbers

LAYERS = (
    "dense: every unit sees every pixel",
    "local: a unit sees a patch only",
    "convolution: and all places share their weights",
)


def show(found: Weights) -> Showing:
    """The weights as bars and as a table, and what pooling saves behind them."""
    weights = [found.dense, found.local, found.shared]
    table = pd.DataFrame({"kind of layer": LAYERS, "weights": weights, "by torch": found.torch})

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        axes.barh(range(3), weights, color=[MUTED, MUTED, SERIES[0]])
        axes.set(xscale="log", xlabel="weights", yticks=range(3), yticklabels=["dense", "local", "convolution"])
        axes.invert_yaxis()
        axes.grid(False, axis="y")

    kinds = {"dense": found.dense, "local": found.local, "shared": found.shared}
    bars = figure("weights", "why_convolution.weights", draw(paint, height=200), table, "", **kinds)
    pooling = say("why_convolution.pooling", units=found.units, maps=found.on_maps, pooled=found.on_pooled)
    channels, rows, columns = found.shape
    picture = {"channels": channels, "rows": rows, "columns": columns}
    layers = {"units": found.units, "dense": found.dense, "filters": found.filters, "shared": found.shared}
    return Showing(
        numbers(found),
        [bars, Table("counts", table, say("why_convolution.counts")), Prose(pooling)],
        say("why_convolution.caption", **picture, **layers),
    )
