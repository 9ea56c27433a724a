"""What counts in a sample as maps or marked words. What is said of it: `locale/<language>/attribution.yaml`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.attribution.measure import Attributions, numbers
from cnnatomy.dissect.attribution.settings import Settings
from cnnatomy.dissect.saliency.maps import extent
from cnnatomy.dissect.saliency.showing import (
    based,
    coarser,
    marked,
    on_signal,
    precision,
    sample_item,
    signed_picture,
    tested,
    titled,
    weighed,
)
from cnnatomy.drawing import saying
from cnnatomy.drawing.plotting import MUTED, SERIES, Drawing, draw
from cnnatomy.drawing.showing import spaced
from cnnatomy.exhibit import Block, Figure, Grid, Item, Matrix, Sentence, Showing, Texts, say
from cnnatomy.exhibit.rounding import significant
from cnnatomy.exhibit.worded import figure, headed
from cnnatomy.inspection.choosing import evenly

SOURCES = ["@simonyan2014", "@sundararajan2017", "@zeiler2014", "@springenberg2015", "@adebayo2018"]
DRAWN = 4  # curves over frequency in one chart


def show(found: Attributions, samples: Samples, settings: Settings) -> Showing:
    """Each sample beside its maps, or each sentence with its words marked; of sounds the frequencies that count."""
    words = samples.facts.kind == "texts"
    blocks: list[Block] = [_sentences(found, samples) if words else _pictures(found, samples)]
    if found.by_frequency is not None:
        blocks.append(_by_frequency(found, found.by_frequency, samples.facts))
    if len(found.maps) > 1:
        blocks.append(_alike(found))
    caption = [
        say("attribution.caption", baseline=based(found.baseline)),
        say("attribution.of_words") if words else None,
        *precision(found.means),
        None if found.left_out is None else say("attribution.left_out", because=found.left_out),
        *tested(found.verdicts),
    ]
    return Showing(numbers(found), blocks, caption, SOURCES)


def _pictures(found: Attributions, samples: Samples) -> Grid:
    facts = samples.facts
    items: list[Item] = []
    side = 1
    for place, answer in enumerate(found.answers):
        group = answer.said(samples)
        items.append(sample_item(samples, answer, group))
        for method, maps in found.maps.items():
            values = maps[place]
            drawn, side = (values, 1) if facts.kind == "signals" else coarser(values)
            items.append(
                Item(
                    id=f"{method} of {found.ids[place]}",
                    pixels=on_signal(samples, answer, drawn)
                    if facts.kind == "signals"
                    else signed_picture(facts, drawn),
                    label=marked(titled(method), found.verdicts[method]),
                    values={key: significant(value) for key, value in _values(facts, values, drawn).items()},
                    group=group,
                )
            )
    return Grid(
        "maps",
        items,
        columns=1 + len(found.maps),
        title=say("attribution.maps.title"),
        caption=[
            say(f"attribution.maps.sign.{facts.kind}"),
            say("attribution.maps.cell", side=side) if side > 1 else None,
            say("attribution.maps.scale"),
        ],
    )


def _values(facts: Facts, values: np.ndarray, drawn: np.ndarray) -> dict[str, float]:
    shown = {"largest": float(drawn.max()), "smallest": float(drawn.min()), "sum": float(values.sum())}
    if facts.kind == "signals":
        shown[f"peak, {facts.axes[0].unit}"] = facts.axes[0].values[int(np.abs(values).argmax())]
    if facts.kind == "sounds" and np.abs(values).sum() > 0 and facts.axes:
        shown["peak, Hz"] = extent(facts.axes[0].values, np.abs(values).sum(axis=1))[0]
    return shown


def _sentences(found: Attributions, samples: Samples) -> Texts:
    sentences = [
        Sentence(
            id=f"{method} of {found.ids[place]}",
            tokens=weighed(samples, answer, maps[place]),
            label=marked(titled(method), found.verdicts[method]),
            state=answer.state,
            values={"sum": significant(float(maps[place].sum()))},
            group=answer.said(samples),
            spaces=spaced(samples.facts),
        )
        for place, answer in enumerate(found.answers)
        for method, maps in found.maps.items()
    ]
    return Texts("maps", sentences, *headed("attribution.words"))


def _by_frequency(found: Attributions, sums: np.ndarray, facts: Facts) -> Figure:
    """Contributions summed over time, along the frequency axis in Hz."""
    bands = facts.axes[0].values
    names = [f"{name}, {facts.classes[answer.read]}" for name, answer in zip(found.ids, found.answers, strict=True)]

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        for row, name in list(enumerate(names))[:DRAWN]:
            axes.plot(np.arange(len(bands)), sums[row], color=SERIES[row], label=name)
        axes.axhline(0, color=MUTED, linewidth=1)
        ticks = evenly(len(bands), 8)
        axes.set_xticks(ticks, [f"{bands[tick]:.0f}" for tick in ticks])
        axes.set(xlabel="frequency, Hz", ylabel="contribution")
        axes.legend()

    table = pd.DataFrame(sums.T.round(5), columns=names)
    table.insert(0, "frequency, Hz", bands)
    peaks = "; ".join(
        f"{name}: {extent(bands, np.abs(row))[0]:.0f} Hz" for name, row in list(zip(names, sums, strict=True))[:DRAWN]
    )
    return figure("frequencies", "attribution.frequencies", draw(paint, 640, 300), table, peaks=peaks)


def _alike(found: Attributions) -> Matrix:
    names = list(found.maps)
    values = np.eye(len(names))
    for (one, other), correlations in found.agreement.items():
        row, column = names.index(one), names.index(other)
        values[row, column] = values[column, row] = round(float(correlations.mean()), 3)
    titles = [saying.in_charts(titled(name)) for name in names]
    return Matrix(
        "agreement",
        titles,
        titles,
        values,
        title=say("attribution.agreement.title"),
        caption=say("attribution.agreement.caption", n=found.compared),
    )
