"""Dreams beside the samples they began as. What is said of them: `locale/<language>/dream.yaml`."""

from __future__ import annotations

import pandas as pd

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.changed.showing import Drawing, read_as
from cnnatomy.dissect.dream.measure import Dream, Dreams, numbers
from cnnatomy.dissect.dream.settings import Settings
from cnnatomy.drawing.showing import Sound, class_name
from cnnatomy.exhibit import Block, Grid, Item, Say, Showing, Table, say
from cnnatomy.exhibit.rounding import significant
from cnnatomy.exhibit.worded import headed

COLUMNS = 4  # pictures a row, at most
SOURCES = ["@mordvintsev2015"]


def show(found: Dreams, samples: Samples, settings: Settings, *, sound: Sound | None = None) -> Showing:
    """A row a sample: itself, then the dream of each layer; and a table of what is measured of them.

    settings: `colours` of a picture. sound: gives a clip's wav bytes by the name of its file.
    """
    blocks: list[Block] = [_grid(found, Drawing(samples, settings.colours, sound)), _table(found, samples.facts)]
    return Showing(numbers(found), blocks, _caption(found), SOURCES)


def _caption(found: Dreams) -> list[Say]:
    dreams, heard = found.each, found.heard
    best = max(heard, key=lambda dream: dream.raised)
    return [
        say("dream.caption.what"),
        say(
            "dream.caption.raised",
            more=sum(dream.raised > dream.raised_by_chance.max() for dream in heard),
            heard=len(heard),
            layer=best.layer,
            raised=best.raised,
            by_chance=best.raised_by_chance.mean(),
        ),
        say("dream.caption.read", otherwise=sum(dream.another_class for dream in dreams), n=len(dreams)),
    ]


def _grid(found: Dreams, drawing: Drawing) -> Grid:
    facts, items = drawing.samples.facts, []
    for sample in found.samples:
        label = read_as(facts, say("dream.sample"), sample.read)
        items.append(drawing.sample(sample.place, sample.start, label, sample.id))
        items += [_item(dream, sample.id, drawing) for dream in sample.dreams]
    title, caption = say("dream.pictures.title"), [say("dream.pictures.caption"), drawing.said()]
    return Grid("dreams", items, columns=min(COLUMNS, 1 + len(found.layers)), title=title, caption=caption)


def _item(dream: Dream, sample: str, drawing: Drawing) -> Item:
    values = {"moved": dream.moved}
    layer = say("dream.silent", layer=dream.layer)
    if dream.heard:
        values |= {"raised": dream.raised, "raised by chance": float(dream.raised_by_chance.mean())}
        layer = say("dream.raised", layer=dream.layer, raised=dream.raised)
    return Item(
        id=f"{dream.layer} of {sample}",
        pixels=drawing.pixels(dream.picture),
        label=read_as(drawing.samples.facts, layer, dream.read),
        values={key: significant(value) for key, value in values.items()},
        group=sample,
    )


def _table(found: Dreams, facts: Facts) -> Table:
    rows = [
        {
            "sample": sample.id,
            "layer": dream.layer,
            "raised": dream.raised if dream.heard else None,
            "by chance": dream.raised_by_chance.mean() if dream.heard else None,
            "moved, %": 100 * dream.moved,
            "predicted before": class_name(facts, dream.was.label),
            "sure before, %": 100 * dream.was.share,
            "predicted after": class_name(facts, dream.read.label),
            "sure after, %": 100 * dream.read.share,
            "sizes": ", ".join(f"{rows}×{columns}" for rows, columns in dream.sizes),
        }
        for sample in found.samples
        for dream in sample.dreams
    ]
    return Table("measured", pd.DataFrame(rows).round(4), *headed("dream.measured"))
