"""Which samples are shown, and what each is called."""

from __future__ import annotations

import numpy as np

from cnnatomy.data.prepared import Samples
from cnnatomy.drawing.showing import Shown, class_name
from cnnatomy.exhibit import Text, say


def called(split: Samples, place: int) -> str:
    """Its class, or its id where it has none."""
    label = int(split.labels[place])
    return class_name(split.facts, label) if label >= 0 else str(split.table["id"][place])


def first(split: Samples, count: int) -> list[Shown]:
    """The first ones in the split's order."""
    return [Shown(place, label=called(split, place)) for place in range(min(count, len(split)))]


def first_of_each(split: Samples, count: int) -> tuple[list[Shown], Text]:
    """Of every class as many as make about `count` together, and the title; without labels the first ones."""
    classes = split.facts.classes
    each = max(1, -(-count // max(1, len(classes))))
    chosen = [
        Shown(int(place), label=name, group=name)
        for label, name in enumerate(classes)
        for place in np.flatnonzero(split.labels == label)[:each]
    ]
    if chosen:
        return chosen, say(f"samples.first.each.{split.facts.kind}", n=each)
    chosen = first(split, count)
    return chosen, say("samples.first.all", n=len(chosen))
