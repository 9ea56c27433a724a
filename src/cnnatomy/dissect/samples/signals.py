"""The first signals of each class, their means, and each channel's range."""

from __future__ import annotations

import numpy as np

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.samples import choosing
from cnnatomy.dissect.samples.settings import Settings
from cnnatomy.drawing import saying
from cnnatomy.drawing.plotting import SERIES, Drawing, draw
from cnnatomy.drawing.showing import picture, show
from cnnatomy.exhibit import Block, Figure, Grid, Item, Table, say
from cnnatomy.exhibit.rounding import significant

CHARTED = 4  # channels up to which their means are charted, a chart each
CHANGED = ("cut", "lengthened", "missing_values")  # counts in the facts of what did not fit and was made to


def blocks(split: Samples, settings: Settings) -> list[Block]:
    """Signals of a split as curves, and what each channel is normalised by and reaches."""
    facts = split.facts
    chosen, title = choosing.first_of_each(split, settings.signals)
    caption = [say("samples.first.signals", split=saying.split(split.split)), saying.signal_axes(facts)]
    return [show("first", split, chosen, (title, caption)), _channels(facts)]


def means(found: np.ndarray, facts: Facts) -> Grid | Figure:
    """The mean signal of each class, (classes, channels, steps), as curves of all classes in one chart a channel."""
    title, caption = say("samples.means.title"), say("samples.means.signals")
    channels = facts.channels or []
    if len(channels) > CHARTED or len(facts.classes) > len(SERIES):
        items = [
            Item(f"mean/{name}", picture(facts, mean), label=name)
            for name, mean in zip(facts.classes, found, strict=True)
        ]
        return Grid("means", items, title=title, caption=[caption, saying.signal_axes(facts)])
    import pandas as pd

    axis = facts.axes[0]

    def paint(drawing: Drawing) -> None:
        panels = drawing.subplots(1, len(channels), squeeze=False, sharey=True)[0]
        for axes, channel, values in zip(panels, channels, found.swapaxes(0, 1), strict=True):
            for name, row, colour in zip(facts.classes, values, SERIES, strict=False):
                axes.plot(axis.values, row, color=colour, label=name)
            axes.set(title=channel.name, xlabel=f"{axis.name}, {axis.unit}")
        panels[0].set_ylabel(channels[0].unit or "value")
        panels[0].legend()

    columns = {
        f"{name}, {channel.name}": found[row, column]
        for row, name in enumerate(facts.classes)
        for column, channel in enumerate(channels)
    }
    table = pd.DataFrame(columns).round(5)
    table.insert(0, f"{axis.name}, {axis.unit}", axis.values)
    spans = [
        say("samples.means.span", name=name, low=significant(row.min(), 3), high=significant(row.max(), 3))
        for name, row in zip(facts.classes, found, strict=True)
    ]
    drawn, alt = draw(paint, 200 + 280 * len(channels), 260), say("samples.means.alt", spans=spans)
    return Figure("means", drawn, alt, data=table, title=title, caption=caption)


def _channels(facts: Facts) -> Table:
    import pandas as pd

    assert facts.normalise is not None and facts.channels is not None
    each = zip(facts.channels, np.atleast_1d(facts.normalise.mean), np.atleast_1d(facts.normalise.std), strict=True)
    rows = [
        {
            "channel": channel.name,
            "unit": channel.unit,
            "mean": significant(float(mean)),
            "standard deviation": significant(float(std)),
            "lowest": significant(channel.low),
            "highest": significant(channel.high),
        }
        for channel, mean, std in each
    ]
    steps, axis = facts.shape[1], facts.axes[0]
    return Table(
        "channels",
        pd.DataFrame(rows),
        title=say("samples.channels.title"),
        caption=[
            say("samples.channels.timed", steps=steps, seconds=axis.values[1] - axis.values[0])
            if axis.unit == "s"
            else say("samples.channels.untimed", steps=steps),
            say("samples.channels.normalised"),
            *(
                say(f"samples.changed.{what}", n=count)
                for what, count in facts.counts.items()
                if count and what in CHANGED
            ),
        ],
    )
