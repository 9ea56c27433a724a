"""Two samples in each other's style, and what that costs. What is said: `locale/<language>/style.yaml`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.changed.showing import Drawing, read_as
from cnnatomy.dissect.style.measure import Blended, Styles, numbers
from cnnatomy.dissect.style.settings import Settings
from cnnatomy.drawing.plotting import MUTED, SERIES, draw
from cnnatomy.drawing.plotting import Drawing as Chart
from cnnatomy.drawing.showing import Sound
from cnnatomy.exhibit import Block, Figure, Grid, Item, Say, Showing, say
from cnnatomy.exhibit.rounding import significant
from cnnatomy.exhibit.worded import figure

SOURCES = ["@gatys2016"]
LEAST = 1e-4  # no loss below is drawn


def show(found: Styles, samples: Samples, settings: Settings, *, sound: Sound | None = None) -> Showing:
    """The two samples, and each in the other's style; the losses on the way; style against content.

    settings: `colours` of a picture. sound: gives a clip's wav bytes by the name of its file.
    """
    drawing = Drawing(samples, settings.colours, sound)
    blocks: list[Block] = [_grid(found, drawing), _losses(found.ways), _trade(found.ways)]
    return Showing(numbers(found), blocks, _caption(found, samples.facts), SOURCES)


def _caption(found: Styles, facts: Facts) -> list[Say]:
    first, second = found.originals
    made = found.ways[0].blends[0]
    return [
        say(
            "style.caption.what",
            content=found.content,
            style=list(found.style),
            what=say(f"style.what.{facts.kind}"),
        ),
        say(
            "style.caption.losses",
            first=first.id,
            second=second.id,
            style=made.style_of_content,
            content=made.content_of_style,
        ),
    ]


def _grid(found: Styles, drawing: Drawing) -> Grid:
    facts = drawing.samples.facts
    items = [
        drawing.sample(one.place, one.picture[0], read_as(facts, one.id, one.read), say("style.samples"))
        for one in found.originals
    ]
    for way in found.ways:
        for made, as_read in zip(way.blends, way.reads, strict=True):
            values = {"style left": made.style_left, "content lost": made.content_lost, "moved": made.moved}
            items.append(
                Item(
                    id=f"{way.content.id} in the style of {way.style.id}, {made.weight:g}",
                    pixels=drawing.pixels(made.picture[0]),
                    label=read_as(facts, say("style.weight", weight=made.weight), as_read),
                    values={key: significant(value) for key, value in values.items()},
                    group=say("style.blended", content=way.content.id, style=way.style.id),
                )
            )
    title, caption = say("style.pictures.title"), [say("style.pictures.caption"), drawing.said()]
    return Grid("styles", items, title=title, caption=caption)


def _losses(ways: Sequence[Blended]) -> Figure:
    """Both losses over the evaluations."""
    tables = [
        pd.DataFrame(
            {
                "content of": way.content.id,
                "weight": made.weight,
                "evaluation": np.arange(len(made.history)),
                "content loss": made.history[:, 0],
                "style loss": made.history[:, 1],
            }
        )
        for way in ways
        for made in way.blends
    ]
    floor = max(LEAST, min(float(table["style loss"].min()) for table in tables) / 2)

    def paint(chart: Chart) -> None:
        charts = chart.subplots(1, 2, sharey=True)
        for way, axes in zip(ways, charts, strict=True):
            for at, made in enumerate(way.blends):
                colour = SERIES[at % len(SERIES)]
                axes.plot(made.history[:, 1], color=colour, label=f"{made.weight:g}")
                axes.plot(np.maximum(made.history[:, 0], floor), color=colour, linestyle=":")
            axes.axhline(way.blends[0].content_of_style, color=MUTED, linestyle="--", linewidth=1)
            axes.set(yscale="log", xlabel="evaluations", title=f"content: {way.content.id}")
            axes.set_ylim(bottom=floor)
        charts[0].set_ylabel("loss")
        charts[0].legend(title="content weight")

    return figure("losses", "style.losses", draw(paint, 680, 280), pd.concat(tables).round(6))


def _trade(ways: Sequence[Blended]) -> Figure:
    """How much style is left for how much content lost."""
    rows = [(way.content.id, made.weight, made.content_lost, made.style_left) for way in ways for made in way.blends]

    def paint(chart: Chart) -> None:
        axes = chart.subplots()
        for at, way in enumerate(ways):
            mine = sorted(way.blends, key=lambda made: made.content_lost)
            lost = [0.0, *(made.content_lost for made in mine)]
            left = [1.0, *(made.style_left for made in mine)]
            axes.plot(lost, left, marker="o", color=SERIES[at], label=f"content: {way.content.id}")
            for made in mine:
                at_point = (made.content_lost, made.style_left)
                axes.annotate(f"{made.weight:g}", at_point, (4, 4), textcoords="offset points")
        axes.set(xlabel="content lost", ylabel="style left", ylim=(0, None), xlim=(0, None))
        axes.legend()

    table = pd.DataFrame(rows, columns=["content of", "weight", "content lost", "style left"]).round(6)
    return figure("trade", "style.trade", draw(paint, 520, 280), table)
