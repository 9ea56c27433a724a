"""Inputs made for units, and what a shift leaves of them. What is said: `locale/<language>/dense_maximisation.yaml`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.dense_maximisation.measure import (
    SAID,
    SHIFTS,
    Look,
    Maximisation,
    kept_by,
    numbers,
    than_filters,
)
from cnnatomy.dissect.dense_maximisation.settings import Settings
from cnnatomy.dissect.feature_visualisation.maximised import states
from cnnatomy.dissect.feature_visualisation.showing import SOURCES, hung, item, reading
from cnnatomy.drawing.plotting import SERIES, Drawing, draw
from cnnatomy.exhibit import Figure, Grid, Showing, Text, say
from cnnatomy.exhibit.worded import figure


def show(found: Maximisation, samples: Samples, settings: Settings) -> Showing:
    """Some units large, some filters beside them, what is left when inputs are shifted; then all others."""
    facts = samples.facts
    grids = [_grids(found, look, facts) for look in found.looks]
    firsts, others = [one[0] for one in grids], [grid for one in grids for grid in one[1:]]
    return Showing(numbers(found), [*firsts, _shift(found, facts), *others], _caption(found, facts), SOURCES)


def _caption(found: Maximisation, facts: Facts) -> Text:
    units, textures = kept_by(found.dense), kept_by(found.filters)
    kept, place = None, than_filters(units, textures)
    if len(units) and len(textures):
        kept = say(
            f"dense_maximisation.kept.{'steps' if facts.kind == 'signals' else 'pixels'}",
            shift=SAID,
            units=float(units.mean()),
            layer=found.filters[0].name,
            textures=float(textures.mean()),
        )
    return [
        say("dense_maximisation.arrangement"),
        kept,
        None if place is None else say(f"dense_maximisation.place.{place}"),
        say("dense_maximisation.states"),
    ]


def _grids(found: Maximisation, look: Look, facts: Facts) -> list[Grid]:
    of, label = look.found, states([look.found])
    items = [item(of, row, label[row], facts, found.box) for row in range(len(label))]
    formula = say("filter_maximisation.formula" if of.summed else "dense_maximisation.formula")
    title = say(f"dense_maximisation.{'filters' if of.summed else 'units'}", layer=look.name, n=len(label))
    return hung(f"units-{look.name}", of, items, facts, (title, [formula, *reading([of], facts)]))


def _shift(found: Maximisation, facts: Facts) -> Figure:
    """How much is kept against how far the input is shifted, a line a layer."""
    shifts, signals = np.array([0, *SHIFTS]), facts.kind == "signals"
    lines = []
    for look in found.looks:
        if len(look.kept):
            whole = np.concatenate([np.ones((len(look.kept), 1)), look.kept], axis=1)
            low, high = np.quantile(whole, (0.1, 0.9), axis=0)
            line = {"layer": look.name, "shift": shifts, "mean": whole.mean(0), "tenth": low, "ninetieth": high}
            lines.append((pd.DataFrame(line), "filters" if look.found.summed else "dense units"))

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        for colour, (line, units) in zip(SERIES, lines, strict=False):
            axes.fill_between(shifts, line["tenth"], line["ninetieth"], color=colour, alpha=0.2, linewidth=0)
            axes.plot(shifts, line["mean"], color=colour, marker="o", label=f"{line['layer'][0]} ({units})")
        axes.set(
            xlabel="shift, steps" if signals else "shift, px",
            ylabel="share of the activation kept",
            ylim=(0, None),
            xticks=shifts,
        )
        axes.legend()

    table = pd.concat([line for line, _ in lines] or [pd.DataFrame()]).round(4)
    caption = say(f"dense_maximisation.shift.caption.{'signals' if signals else 'pictures'}")
    return figure("shift", "dense_maximisation.shift", draw(paint, 560, 280), table, caption)
