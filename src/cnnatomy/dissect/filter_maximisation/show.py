"""Made and real inputs, a picture a filter. What is said of them: `locale/<language>/filter_maximisation.yaml`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.feature_visualisation.maximisation import ENOUGH
from cnnatomy.dissect.feature_visualisation.maximised import Maximised
from cnnatomy.dissect.feature_visualisation.showing import SOURCES, held, hung, item, reading, together
from cnnatomy.dissect.filter_maximisation.measure import Look, Maximisation, numbers
from cnnatomy.dissect.filter_maximisation.settings import Settings
from cnnatomy.drawing import saying
from cnnatomy.exhibit import Grid, Item, Showing, Text, say
from cnnatomy.inspection.choosing import evenly

MANY = 3  # layers, above which those with few filters drawn stand in one grid
FEW = 4  # filters


def show(found: Maximisation, samples: Samples, settings: Settings) -> Showing:
    """As the lecture: first inputs for the sum of the last layer's maps, then earlier layers; then for one position.

    settings: `shown`, the values drawn for each objective, at most; filters evenly spread where there are more.
    """
    blocks: list[Grid] = []
    for summed in (True, False):
        every = [(look, look.map if summed else look.position) for look in found.looks]
        share, drawn = _shown([one for _, one in every], settings.shown), []
        for look, one in reversed(every):
            rows, states = evenly(len(one.which), max(1, int(share * len(one.which)))), look.states
            drawn.append((look, one, [item(one, row, states[row], found.facts, found.box) for row in rows]))
        if len(drawn) > MANY and all(len(items) <= FEW for _, _, items in drawn[:-1]):
            blocks.append(_by_layer(found, drawn, samples.facts))
            continue
        for look, one, items in drawn:
            said = _title(look, one, samples.facts), _reading(found, look, one, len(items))
            blocks += hung(f"{one.objective}-{look.layer.name}", one, items, found.facts, said)
    return Showing(numbers(found), blocks, _caption(found, samples), SOURCES)


def _by_layer(found: Maximisation, drawn: Sequence[tuple[Look, Maximised, list[Item]]], facts: Facts) -> Grid:
    """The few filters of each of many layers in one grid, deepest first, a group a layer."""
    items = [replace(one, group=_title(look, of, facts)) for look, of, those in drawn for one in those]
    every, plan = [of for _, of, _ in drawn], drawn[0][0].plan
    caption = [
        say("filter_maximisation.formula") if every[0].summed else None,
        *reading(every, found.facts),
        held(every),
        say("filter_maximisation.few", n=len(items), layers=len(drawn), starts=plan.starts, steps=plan.steps),
    ]
    title = say(f"filter_maximisation.by_layer.{every[0].objective}")
    return together(every[0].objective, every, items, found.facts, (title, caption))


def _shown(every: Sequence[Maximised], most: int) -> float:
    """The share of the filters that can be drawn."""
    return min(1.0, most / sum(math.prod(one.window.shape) * 4 * len(one.which) for one in every))


def _title(look: Look, one: Maximised, facts: Facts) -> Text:
    if one.summed:
        size = " × ".join(map(str, look.layer.shape[1:]))
        return say("filter_maximisation.map", layer=look.layer.name, size=size)
    field = look.layer.field
    seen = saying.seen(facts, field.size) if field is not None else say("filter_maximisation.all")
    return say("filter_maximisation.position", layer=look.layer.name, seen=seen)


def _reading(found: Maximisation, look: Look, one: Maximised, shown: int) -> Text:
    n, filters, plan = len(one.which), look.layer.shape[0], look.plan
    least = None if one.summed else look.least_share
    work = {"filters": filters, "n": n, "starts": plan.starts, "steps": plan.steps}
    return [
        say("filter_maximisation.formula") if one.summed else None,
        *reading([one], found.facts),
        held([one]),
        None if least is None else say("filter_maximisation.affine", least=least),
        say("filter_maximisation.drawn", shown=shown, n=n) if shown < n else None,
        say("filter_maximisation.looked_at", **work) if n < filters else None,
    ]


def _caption(found: Maximisation, samples: Samples) -> Text:
    size, layers = " × ".join(map(str, found.facts.shape[1:])), len(found.looks)
    real = {"compared": found.compared, "split": saying.split(samples.split), "size": size, "n": len(samples)}
    return [
        say("filter_maximisation.driven"),
        say(f"filter_maximisation.real.{'windows' if found.windows else 'samples'}", **real),
        say("filter_maximisation.states"),
        say("filter_maximisation.layers", looked_at=layers, n=found.convolutions)
        if layers < found.convolutions
        else None,
        say("filter_maximisation.unranked") if found.compared < ENOUGH else None,
    ]
