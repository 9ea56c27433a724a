"""The first images, and of images whose channels are taken as they are what each channel is."""

from __future__ import annotations

import numpy as np

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.samples import choosing
from cnnatomy.dissect.samples.settings import Settings
from cnnatomy.drawing import saying
from cnnatomy.drawing.showing import show, shown_channels
from cnnatomy.exhibit import Block, Say, Table, say
from cnnatomy.exhibit.rounding import significant

COLOURS = ("red", "green", "blue")


def blocks(split: Samples, settings: Settings) -> list[Block]:
    """The first images of a split in its order, and the channels of those that are no plain grey or colour."""
    facts = split.facts
    chosen = choosing.first(split, settings.first)
    size = " × ".join(map(str, facts.shape[1:]))
    low, high = facts.scale or (0, 0)
    caption = [
        say("samples.first.images", split=saying.split(split.split), size=size),
        say("samples.first.scale", low=low, high=high) if facts.scale else None,
    ]
    columns = settings.columns if len(chosen) > settings.columns else None
    first = show("first", split, chosen, (say("samples.first.all", n=len(chosen)), caption), columns=columns)
    return [first] if facts.channels is None else [first, _channels(facts)]


def _channels(facts: Facts) -> Table:
    """What of the files is black and white in each channel, and what it is normalised by."""
    import pandas as pd

    assert facts.normalise is not None and facts.channels is not None
    each = zip(facts.channels, np.atleast_1d(facts.normalise.mean), np.atleast_1d(facts.normalise.std), strict=True)
    drawn = shown_channels(facts)
    rows = []
    for number, (channel, mean, std) in enumerate(each):
        places = [place for place, its in enumerate(drawn) if its == number]
        rows.append(
            {
                "channel": channel.name,
                "drawn": ", ".join(COLOURS[place] if len(drawn) > 1 else "grey" for place in places),
                "black": significant(channel.low),
                "white": significant(channel.high),
                "mean": significant(float(mean)),
                "standard deviation": significant(float(std)),
            }
        )
    return Table(
        "channels",
        pd.DataFrame(rows),
        title=say("samples.channels.title"),
        caption=[said_of_colours(facts), say("samples.channels.levels")],
    )


def said_of_colours(facts: Facts) -> Say:
    """What colours the pictures of such images have, wherever they hang."""
    assert facts.channels is not None
    drawn = shown_channels(facts)
    n = facts.shape[0]
    if len(drawn) == 1:
        return say("samples.drawn.only" if n == 1 else "samples.drawn.grey", name=facts.channels[drawn[0]].name, n=n)
    different = list(dict.fromkeys(drawn))
    # Which of red, green and blue show the same channel: "aba" where red and blue are one, and green another.
    pattern = "".join("abc"[different.index(channel)] for channel in drawn)
    names = {letter: facts.channels[channel].name for letter, channel in zip("abc", different, strict=False)}
    unseen = n - len(different)
    more = say("samples.drawn.unseen", n=unseen) if unseen else ""
    return say(f"samples.drawn.{pattern}", **names, unseen=more)
