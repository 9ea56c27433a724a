"""What `samples` shows and measures of signals: some of each class, their means, and each channel's range."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.drawing import curves
from cnnatomy.drawing.plotting import SERIES, draw
from cnnatomy.drawing.showing import Shown, class_name, picture, show
from cnnatomy.exhibit import Block, Figure, Grid, Item, Number, Table
from cnnatomy.exhibit.rounding import significant

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

CHARTED = 4  # channels up to which their means are charted, a chart each


def first_of_each(split: Samples, count: int) -> Block:
    """Of every class as many as make about `count` together."""
    facts = split.facts
    each = max(1, -(-count // len(facts.classes)))
    chosen = [
        Shown(int(place), label=class_name(facts, label), group=class_name(facts, label))
        for label in range(len(facts.classes))
        for place in np.flatnonzero(split.labels == label)[:each]
    ] or [Shown(place, label=str(split.table["id"][place])) for place in range(min(count, len(split)))]
    said = curves.axes_said(facts)
    return show(
        "first",
        split,
        chosen,
        title={"en": f"The first {each} of each class", "zh": f"每类的前 {each} 个"},
        caption={
            "en": f"From the split “{split.split}”, in its order. {said['en']}",
            "zh": f"取自“{split.split}”，按原顺序。{said['zh']}",
        },
    )


def means(found: np.ndarray, facts: Facts) -> Block:
    """The mean signal of each class, (classes, channels, steps), as curves of all classes in one chart a channel."""
    caption = {
        "en": "Over the training split, moment by moment. Where all signals of a class agree the mean has their shape; "
        "where they come early or late it is flat.",
        "zh": "对训练集逐时刻求平均。同类信号一致处，平均保持其形状；早晚不一处，平均变平。",
    }
    title = {"en": "The mean of each class", "zh": "每类的平均"}
    channels = facts.channels or []
    if len(channels) > CHARTED or len(facts.classes) > len(SERIES):
        items = [
            Item(f"mean/{name}", picture(facts, mean), label=name)
            for name, mean in zip(facts.classes, found, strict=True)
        ]
        said = curves.axes_said(facts)
        caption = {"en": f"{caption['en']} {said['en']}", "zh": caption["zh"] + said["zh"]}
        return Grid("means", items, title=title, caption=caption)
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
    reached = "; ".join(
        f"{name} {significant(float(row.min()), 3):g} to {significant(float(row.max()), 3):g}"
        for name, row in zip(facts.classes, found, strict=True)
    )
    return Figure(
        "means",
        draw(paint, 200 + 280 * len(channels), 260),
        alt={
            "en": f"Curves of the mean signal of each class along time, a chart for each channel. They span {reached}."
        },
        data=table,
        title=title,
        caption=caption,
    )


def channels(facts: Facts) -> Table:
    """What each channel is normalised by, and what it reaches."""
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
    every = f", one every {axis.values[1] - axis.values[0]:.3g} s" if axis.unit == "s" else ""
    every_zh = f"，每 {axis.values[1] - axis.values[0]:.3g} 秒一个" if axis.unit == "s" else ""
    changed = {key: count for key, count in facts.counts.items() if count}
    said = "".join(f" {CHANGED[key][0].format(count)}" for key, count in changed.items() if key in CHANGED)
    said_zh = "".join(CHANGED[key][1].format(count) for key, count in changed.items() if key in CHANGED)
    return Table(
        "channels",
        pd.DataFrame(rows),
        title={"en": "The channels", "zh": "通道"},
        caption={
            "en": f"A window has {steps} values of each channel{every}. Before the network sees them, the channel's "
            f"mean in the training split is taken away and what is left divided by its standard deviation.{said}",
            "zh": f"每个窗口每通道 {steps} 个值{every_zh}。网络看到之前，减去该通道在训练集上的均值，再除以标准差。"
            f"{said_zh}",
        },
    )


#: What became of recordings that did not fit, by the key of the count in the facts.
CHANGED: Mapping[str, tuple[str, str]] = {
    "cut": ("Of {:,} longer recordings the middle was kept.", "{:,} 段较长的记录只保留中间。"),
    "lengthened": ("In {:,} shorter recordings the last value is held to the end.", "{:,} 段较短的记录以末值补齐。"),
    "missing_values": (
        "In place of {:,} missing values there is a straight line between their neighbours.",
        "{:,} 个缺失值由相邻值线性插值。",
    ),
}


def numbers(facts: Facts, splits: Mapping[str, Samples]) -> Iterator[Number]:
    """Channels, steps, and how many recordings or values were changed; groups of each split where there are such."""
    yield Number("channels", facts.shape[0])
    yield Number("steps", facts.shape[1])
    for key, count in facts.counts.items():
        if count:
            yield Number(key, count)
    for name, split in splits.items():
        if "group" in split.table:
            yield Number("groups", int(split.table["group"].nunique()), subject=f"split={name}")
