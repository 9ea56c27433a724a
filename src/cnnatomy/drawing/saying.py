"""What captions say of samples and of windows on them: sentences of `locale/<language>/data.yaml`."""

from __future__ import annotations

from collections.abc import Sequence

from cnnatomy.data.prepared import Facts
from cnnatomy.drawing import curves
from cnnatomy.exhibit import Say, Text, say
from cnnatomy.exhibit.languages import FIRST, language
from cnnatomy.exhibit.words import described

COLOURS = ("blue", "red", "green", "yellow", "light_blue", "purple")  # of `plotting.SERIES`, in its order


def in_charts(text: Text) -> str:
    """The English of a text, for charts and tables, whose words the report looks up."""
    return language(FIRST).words(described(text))


def window(facts: Facts, size: Sequence[int]) -> Say:
    """The size of a window on the input: "3 × 3 px", "8 bands × 40 frames (0.64 s)", "3 words", "9 steps (0.072 s)"."""
    if facts.kind == "texts":
        return say("data.window.character" if of_characters(facts) else "data.window.word", n=size[0])
    if facts.kind == "images":
        return say("data.window.pixels", size=" × ".join(map(str, size)))
    # The last axis of a sound is time; a network that moves along one axis only may have a window on that one alone.
    time = next((axis for axis in facts.axes if axis.name == "time"), None)
    timed = time is not None and len(time.values) > 1 and (facts.kind == "sounds" or time.unit == "s")
    seconds = size[-1] * (time.values[1] - time.values[0]) if timed and time is not None else 0.0
    long = say("data.window.seconds", seconds=seconds) if timed else ""
    moments = say("data.window.steps" if facts.kind == "signals" else "data.window.frames", n=size[-1], long=long)
    if facts.kind == "signals" or len(size) == 1:
        return moments
    return say("data.window.bands", n=size[0], frames=moments)


def seen(facts: Facts, field: Sequence[int]) -> Say:
    """What a unit of this receptive field sees of the input: no more than there is, "all 15 steps"."""
    lengths = facts.shape if facts.kind == "texts" else facts.shape[1:][-len(field) :]
    part = window(facts, [min(one, length) for one, length in zip(field, lengths, strict=True)])
    beyond = all(one > length for one, length in zip(field, lengths, strict=True))
    return say("data.window.all", window=part) if beyond else part


def split(name: str) -> Say:
    """The name of a split in a sentence: “train”."""
    return say(f"data.split.{name}")


def of_characters(facts: Facts) -> Say | None:
    """What to say where captions speak of words and tokens are characters; nothing where they are words."""
    return say("data.of_characters") if facts.axes[0].name == "character" else None


def alike(facts: Facts) -> Say:
    """What the groups of `speakers.alike` are: the samples whose answers change together."""
    return say("data.alike.sounds" if facts.kind == "sounds" else "data.alike.others")


def channels(facts: Facts) -> Say:
    """A signal's channels with the colours of their curves."""
    named = facts.channels or []
    if len(named) > len(COLOURS):
        return say("data.channels.many", n=len(named), first=named[0].name, last=named[-1].name)
    each = [say(f"data.channels.{colour}", name=one.name) for one, colour in zip(named, COLOURS, strict=False)]
    return say("data.channels.each", each=each)


def signal_axes(facts: Facts) -> Say:
    """How to read the pictures of a dataset's signals: colours, range and time."""
    end = curves.short(curves.moment(facts, facts.shape[1] - 1))
    unit = say(f"data.units.{facts.axes[0].unit}") if facts.axes[0].unit in ("s", "steps") else facts.axes[0].unit
    if curves.has_lanes(facts):
        return say("data.signal.axes_of_each", end=end, unit=unit, curves=channels(facts))
    return say("data.signal.axes", end=end, unit=unit, range=_range(facts), curves=channels(facts))


def small_signals(facts: Facts) -> Say:
    """How to read small pictures of a dataset's signals, or of parts of them, which have no numbers at their axes."""
    if curves.has_lanes(facts):
        return say("data.signal.small_of_each", curves=channels(facts))
    return say("data.signal.small", range=_range(facts), curves=channels(facts))


def _range(facts: Facts) -> Say:
    """The range of the training samples, with its unit and true minus signs."""
    low, high = (curves.short(end).replace("-", "−") for end in curves.reach(facts))
    unit = f" {curves.unit_of(facts)}" if curves.unit_of(facts) else ""
    return say("data.signal.range", low=low, high=high, unit=unit)
