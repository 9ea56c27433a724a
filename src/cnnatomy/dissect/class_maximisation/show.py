"""Inputs made for classes, and what priors change. What is said: `locale/<language>/class_maximisation.yaml`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from cnnatomy.data.prepared import Samples
from cnnatomy.dissect.class_maximisation.measure import Maximisation, Opinions, numbers, verdict
from cnnatomy.dissect.class_maximisation.settings import Settings
from cnnatomy.dissect.feature_visualisation.showing import drawn
from cnnatomy.drawing.saying import in_charts
from cnnatomy.exhibit import Grid, Item, Say, Showing, Table, Text, say
from cnnatomy.exhibit.blocks import State
from cnnatomy.exhibit.rounding import significant
from cnnatomy.exhibit.worded import headed

COLUMNS = 10  # classes a row, at most
SOURCES = ["@simonyan2014", "@yosinski2015", "@nguyen2015"]


def show(found: Maximisation, samples: Samples, settings: Settings) -> Showing:
    """A grid of the classes by prior, then of the real samples of the largest logit; a table of the priors."""
    return Showing(numbers(found), [_grid(found), _table(found)], _caption(found, samples), SOURCES)


def prior(name: str) -> Say:
    """What a way to make inputs is called."""
    return say(f"class_maximisation.prior.{name}")


def _grid(found: Maximisation) -> Grid:
    items = [_item(found, name, of, row) for name, of in found.made.items() for row in range(len(found.classes))]
    if found.real.inputs is not None:
        items += [
            Item(
                id=f"real/{class_}",
                pixels=drawn(found.real.inputs[row], found.facts, found.box),
                label=class_,
                values={"logit": significant(float(found.real.best[row]))},
                group=say("class_maximisation.real"),
            )
            for row, class_ in enumerate(found.names)
        ]
    return Grid(
        "classes",
        items,
        columns=min(COLUMNS, len(found.classes)) if items[0].pixels.shape[1] <= 64 else None,
        title=say("class_maximisation.classes.title"),
        switch=True,
        caption=[
            say("class_maximisation.classes.signs", others=found.others) if found.others else None,
            say("class_maximisation.classes.caption"),
            say("class_maximisation.classes.formula"),
        ],
    )


def _item(found: Maximisation, name: str, of: Opinions, row: int) -> Item:
    class_ = found.names[row]
    values = {
        "own probability": of.probability[row],
        "logit": of.logit[row],
        "of the best real logit": of.activation[row],
        "agree": of.agree[row],
        "others’ probability": of.others[row],
        "ink of a typical sample": of.ink[row],
        "variation of a typical sample": of.variation[row],
    }
    state: State = "" if not found.others else "right" if of.agree[row] > 0.5 else "wrong"
    return Item(
        id=f"{name}/{class_}",
        pixels=drawn(of.images[row], found.facts, found.box),
        label=say("class_maximisation.label.alone", of_class=class_, own=of.probability[row])
        if not found.others
        else say("class_maximisation.label.asked", of_class=class_, own=of.probability[row], others=of.others[row]),
        state=state,
        values={key: significant(float(value)) for key, value in values.items() if np.isfinite(value)},
        group=prior(name),
    )


def _table(found: Maximisation) -> Table:
    columns: dict[str, Callable[[Opinions], float]] = {
        "own probability": lambda of: of.probability.mean(),
        "others that agree": lambda of: of.agree.mean(),
        "others’ probability": lambda of: of.others.mean(),
        "least logit / best real": lambda of: of.activation.min(),
        "most ink / typical": lambda of: of.ink.max(),
        "most variation / typical": lambda of: of.variation.max(),
    }
    table: dict[str, list[Any]] = {"prior": [in_charts(prior(name)) for name in found.made]}
    for column, value in columns.items():
        each = [float(value(of)) for of in found.made.values()]
        if np.isfinite(each).all():
            table[column] = [significant(one) for one in each]
    return Table("priors", pd.DataFrame(table), *headed("class_maximisation.priors"))


def _caption(found: Maximisation, samples: Samples) -> Text:
    made, size = found.made, " × ".join(map(str, found.facts.shape[1:]))
    least, sure = found.least_activation, float(made["none"].probability.mean())
    if not found.others:
        told = [say("class_maximisation.no_others")]
    else:
        agree = {name: float(made[name].agree.mean()) for name in ("none", "both", "moved")}
        decided = verdict(made["none"].agree, made["both"].agree)
        told = [
            say("class_maximisation.agree", others=found.others, **agree),
            say(f"class_maximisation.verdict.{decided}", n=len(found.classes)),
        ]
    return [
        say("class_maximisation.limits_of_sounds", sure=sure)
        if found.facts.kind == "sounds"
        else say("class_maximisation.limits", sure=sure),
        say(f"class_maximisation.held.{'of_all' if found.real.inputs is None else 'of_class'}"),
        say("feature_visualisation.ink") if found.facts.kind == "signals" else None,
        None if least is None else say("class_maximisation.reached", least=least),
        *told,
        say("class_maximisation.fewer", n=len(found.classes)) if found.fewer else None,
        say("class_maximisation.smaller", size=size) if found.smaller else None,
    ]
