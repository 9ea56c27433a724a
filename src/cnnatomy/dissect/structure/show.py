"""The network as a drawing and as a table. What is said of it: `locale/<language>/structure.yaml`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.structure.boxes import Box, gathered
from cnnatomy.dissect.structure.drawing import drawing, sees
from cnnatomy.dissect.structure.measure import Structure, numbers
from cnnatomy.dissect.structure.settings import Settings
from cnnatomy.dissect.structure.steps import Step, times
from cnnatomy.drawing import saying
from cnnatomy.exhibit import Code, Figure, Say, Showing, Table, Text, say

EXAMPLE = 5  # the class whose target is written out
ONE_HOT = 12  # classes up to which that is done place by place
SOURCES = ["@araujo2019", "@he2016"]


def show(found: Structure, samples: Samples, settings: Settings) -> Showing:
    """The network in boxes, and all its layers in a table. settings: `boxes`, how many the drawing has at most."""
    facts, steps = samples.facts, found.steps
    boxes = gathered(steps, settings.boxes)
    lost = len(found.convolutions) - len(found.fields)
    caption = [
        say("structure.caption"),
        _confirmed(found.confirmed),
        say("structure.unnamed", n=found.unnamed) if found.unnamed else None,
        *_reading(found),
        say("structure.lost", n=lost) if lost else None,
    ]
    network = Figure(
        "network",
        drawing(boxes, facts),
        alt=_alt(boxes, facts),
        title=say("structure.network.title"),
        caption=[
            say("structure.network.caption"),
            None if all(box.told for box in boxes) else say("structure.network.boxes", n=len(steps), boxes=len(boxes)),
        ],
    )
    listing = found.listing
    code = Code(
        "code",
        listing.code,
        title=say("structure.code.title"),
        caption=[
            _input(facts),
            _target(facts),
            say("structure.code.runs", parameters=found.parameters, away=listing.difference)
            if listing.runs
            else say("structure.code.printed"),
        ],
    )
    title, about = say("structure.layers.title", n=len(steps)), say("structure.layers.caption")
    return Showing(
        numbers(found),
        [network, code, Table("layers", _table(steps, facts), title=title, caption=about)],
        caption,
        SOURCES,
    )


def _confirmed(held: Sequence[bool]) -> Say | None:
    """Whether the fields hold by experiment; nothing of a network in which none can be followed."""
    if not held:
        return None
    return say(f"structure.{'confirmed' if all(held) else 'unconfirmed'}", n=len(held), held=sum(held))


def _reading(found: Structure) -> list[Say | None]:
    """What is done to the network's output to get logits, a sentence each."""
    reading = found.reading
    return [
        None if reading.part is None else say("structure.reading.part", part=reading.part),
        say(f"structure.reading.{reading.ending}") if reading.ending else None,
        say("structure.reading.one") if reading.one else None,
    ]


def _input(facts: Facts) -> Say:
    """What a network is given of one sample."""
    shape = times(facts.shape)
    if facts.kind == "texts":
        return say("structure.code.input.texts", n=facts.shape[0], vocabulary=len(facts.vocabulary or ()))
    return say(f"structure.code.input.{facts.kind}", n=math.prod(facts.shape), shape=shape)


def _target(facts: Facts) -> Say | None:
    """What the network is to answer, by example: the class as its number, and one-hot."""
    classes = len(facts.classes)
    if not classes:
        return None
    index = min(EXAMPLE, classes - 1)
    told = {"name": facts.classes[index], "index": index, "others": classes - 1}
    if classes > ONE_HOT:
        return say("structure.code.target.many", **told)
    return say("structure.code.target.one_hot", vector=" ".join(str(int(at == index)) for at in range(classes)), **told)


def _alt(boxes: Sequence[Box], facts: Facts) -> Text:
    told = [
        say(f"structure.network.{place}", name=box.name, does=box.does, size=times(box.shape))
        for number, box in enumerate(boxes, 1)
        for place in ["last_box" if number == len(boxes) else "box"]
    ]
    return [say("structure.network.alt", size=times(facts.shape)), *told]


def _table(steps: Sequence[Step], facts: Facts) -> pd.DataFrame:
    rows = []
    for step in steps:
        row = {
            "layer": step.name,
            "what it does": saying.in_charts(step.does),
            "output": times(step.shape),
            "one unit sees": saying.in_charts(sees(step, facts)),
            "parameters": step.parameters,
            "multiply-adds": step.multiply_adds,
        }
        if facts.kind == "sounds":
            row["its middle unit sees"] = _heard(step, facts)
        rows.append(row)
    return pd.DataFrame(rows)


def _heard(step: Step, facts: Facts) -> str:
    """What the middle unit of a map sees in Hz and milliseconds."""
    if step.field is None or len(step.field.size) != len(facts.axes):
        return ""
    window = step.field.of_unit([units // 2 for units in step.field.units])
    parts = []
    for axis, (first, last) in zip(facts.axes, window, strict=True):
        low, high = (axis.values[min(max(0, at), len(axis.values) - 1)] for at in (first, last - 1))
        scale, unit = (1000, "ms") if axis.unit == "s" else (1, axis.unit)
        parts.append(f"{scale * low:,.0f}–{scale * high:,.0f} {unit}")
    return ", ".join(parts)
