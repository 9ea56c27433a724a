"""What the channels of a layer make of a sample (M5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import PADDING, Facts, Samples
from cnnatomy.drawing import curves
from cnnatomy.drawing.plotting import draw
from cnnatomy.drawing.showing import Shown, Sound, amount, class_name, show, signed, spaced, span_of, upright, words
from cnnatomy.exhibit import Block, Exhibit, Figure, Grid, Item, Number, Sentence, Text, Texts
from cnnatomy.exhibit.blocks import State
from cnnatomy.exhibit.rounding import significant
from cnnatomy.probing.choosing import chosen_samples, evenly
from cnnatomy.probing.fields import Field
from cnnatomy.probing.layers import (
    Layer,
    LayerNotFound,
    activated,
    batch_size,
    capture,
    evaluating,
    named,
    stages,
    trace,
)
from cnnatomy.statistics.intervals import share

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

FAINT = 0.05  # a map weaker than this share of its layer's strongest is drawn as if it reached it: noise stays dark
ENOUGH = 20  # samples to compare with; with fewer nothing is said of other samples
SAME = 1e-5  # share of a peak within which two are equal
LARGEST = 64  # rows or columns of a map as it is drawn: 64 maps of 112 × 112 would be 0.6 MB
CURVES = (150, 56)  # pixels of a map of a signal
MARKED = 8  # filters of a layer whose words are marked in a sentence
SOURCES = [
    "Zeiler & Fergus 2014, Visualizing and understanding convolutional networks, ECCV",
    "Yosinski et al. 2015, Understanding neural networks through deep visualization, ICML workshop on deep learning",
]


TITLE: Text = {"en": "What the layers make of one sample", "zh": "各层的特征图"}


def feature_maps(
    network: nn.Module, samples: Samples, config: Mapping[str, Any], *, sound: Sound | None = None
) -> Exhibit:
    """Draw every channel of chosen layers for chosen samples (M5).

    Maps have shape (channels, rows, columns), or (channels, places) where the layer moves along one axis. By default
    those of the first two convolutions, after their activations.

    config: `label`, `sample`, `layers`, `columns`, `compared`; see conf/dissect/feature_maps.yaml. sound: gives a
    clip's wav bytes by the name of its file. The exhibit's name and seed are left for the caller. Raises LayerNotFound
    for an unknown layer or a network without convolution, and WrongSetting for an unknown class or a place outside the
    split.
    """
    facts = samples.facts
    places = chosen_samples(samples, config["sample"], config["label"])
    traced = trace(network, to_tensor(facts, samples.inputs[places[:1]]))
    looked_at = _layers(traced, config["layers"])
    names = [source.name for source, _ in looked_at]
    usual = _usual(network, samples, [layer for _, layer in looked_at], config["compared"])

    blocks: list[Block] = [_samples(network, samples, places, sound)]
    numbers: list[Number] = []
    shown: list[Measured] = []
    for (source, layer), peaks in zip(looked_at, usual, strict=True):
        numbers += _of_layer(source.name, layer, peaks, facts)
        items: list[Item] = []
        for place in places:
            held = capture(network, to_tensor(facts, samples.inputs[place : place + 1]), [layer.name])[layer.name][0]
            units = _units(held.shape, layer.field, samples, [place])[0]
            maps = held.double().cpu().numpy()[..., units]
            name = str(samples.table["id"][place])
            measured = _measure(maps, peaks)
            shown.append(measured)
            suffix = f" of {name}" if len(places) > 1 else ""
            items += _items(maps, measured, facts, source, layer.field, suffix, group=name if len(places) > 1 else "")
            numbers += _of_maps(measured, f"layer={source.name};sample={name}")
            if place == places[0] and (figure := _strips(maps, units, layer.field, samples, place, source.name)):
                blocks.append(figure)
            if facts.kind == "texts" and place == places[0] and layer.field is not None:
                blocks.append(_marked(maps, units, measured, layer.field, samples, place, source.name))
        blocks.append(_grid(items, source.name, layer, peaks, facts, config["columns"]))
    return Exhibit(
        kind="run",
        name="",
        method="feature_maps",
        seed=0,
        title=TITLE,
        caption=_caption(names, [layer for _, layer in looked_at], facts),
        numbers=[*_summary([layer for _, layer in looked_at], shown, usual, facts), *numbers],
        blocks=blocks,
        sources=SOURCES,
    )


def _layers(traced: Sequence[Layer], names: Sequence[str] | None) -> list[tuple[Layer, Layer]]:
    """Pairs: the layer by whose name the maps go, and the one whose output they are."""
    if names is not None:
        pairs = [(layer, layer) for layer in (named(traced, name) for name in names)]
    else:
        pairs = [(layer, activated(traced, layer)) for stage in stages(traced)[:2] for layer in stage]
    for source, layer in pairs:
        if len(layer.shape) not in (2, 3):
            raise LayerNotFound(
                f"the layer {source.name!r} has no maps: its output for a sample is {layer.shape}, not (channels, "
                "rows, columns) or "
                "(channels, places)"
            )
    return pairs


def _units(
    shape: Sequence[int], field: Field | None, samples: Samples, places: Sequence[int] | np.ndarray
) -> np.ndarray:
    """Which places along the last axis of a layer's maps see anything of each sample, bool (samples, places).

    All do, but those on a sentence that see nothing but the padding around it.
    """
    seen = np.ones((len(places), shape[-1]), dtype=bool)
    if samples.facts.kind != "texts" or field is None or len(shape) != 2:
        return seen
    filled = samples.inputs[places] != PADDING
    lengths = filled.shape[1] - np.argmax(filled[:, ::-1], axis=1)
    first = field.start[0] + field.stride[0] * np.arange(shape[-1])
    return (first < lengths[:, None]) & (first + field.size[0] > 0)


def _usual(network: nn.Module, samples: Samples, layers: Sequence[Layer], compared: int) -> list[np.ndarray]:
    """For each layer the peak of every map on samples of the split, (samples, channels)."""
    places = evenly(len(samples), compared)
    peaks: list[list[np.ndarray]] = [[] for _ in layers]
    size = batch_size(samples.facts.shape)
    for start in range(0, len(places), size):
        batch = places[start : start + size]
        held = capture(network, to_tensor(samples.facts, samples.inputs[batch]), [layer.name for layer in layers])
        for found, layer in zip(peaks, layers, strict=True):
            maps = held[layer.name]
            seen = torch.from_numpy(_units(maps.shape[1:], layer.field, samples, batch))
            maps = maps.masked_fill(~seen.reshape(len(batch), *[1] * (maps.dim() - 2), -1), -torch.inf)
            found.append(maps.flatten(2).amax(2).double().cpu().numpy())
    return [np.concatenate(found) for found in peaks]


@dataclass(frozen=True)
class Measured:
    """What is said of the maps of one sample, (channels,) each.

    zeros: share of places at or below zero. fires: how many of the compared samples raise the map above zero anywhere.
    rank: share of the compared samples whose peak is lower, those of the same peak counting half.
    """

    mean: np.ndarray
    peak: np.ndarray
    zeros: np.ndarray
    fires: np.ndarray
    rank: np.ndarray
    compared: int

    def state(self, channel: int) -> State:
        """Live on this sample, dead on all, or neither: silent here and live elsewhere."""
        if self.peak[channel] > 0:
            return "live"
        return "dead" if self.fires[channel] == 0 and self.compared >= ENOUGH else ""


def _measure(maps: np.ndarray, peaks: np.ndarray) -> Measured:
    flat = maps.reshape(len(maps), -1)
    peak = flat.max(axis=1)
    # Sentences that share a filter's best word have one peak, which a batch of another size gives in other last bits.
    same = np.isclose(peaks, peak, rtol=SAME, atol=0)
    return Measured(
        mean=flat.mean(axis=1),
        peak=peak,
        zeros=(flat <= 0).mean(axis=1),
        fires=(peaks > 0).sum(axis=0),
        rank=((peaks < peak) & ~same).mean(axis=0) + same.mean(axis=0) / 2,
        compared=len(peaks),
    )


def _summary(
    layers: Sequence[Layer], shown: Sequence[Measured], usual: Sequence[np.ndarray], facts: Facts
) -> list[Number]:
    """What is said of all the layers looked at together.

    Maps; the share of them that is zero on all the compared samples, and on the shown ones; the share of places at or
    below zero; and the share of a sample that a unit of the last layer sees.
    """
    maps = sum(peaks.shape[1] for peaks in usual)
    numbers = [Number("maps", maps)]
    if len(usual[0]) >= ENOUGH:
        dead = sum(int((peaks <= 0).all(axis=0).sum()) for peaks in usual)
        numbers.append(Number("dead", dead / maps, unit="fraction", n=maps))
    peaks = np.concatenate([measured.peak for measured in shown])
    zeros = np.concatenate([measured.zeros for measured in shown])
    numbers += [
        Number("silent", float((peaks <= 0).mean()), unit="fraction", n=len(peaks)),
        Number("map_zeros", significant(float(zeros.mean())), unit="fraction", n=len(zeros)),
    ]
    field = layers[-1].field
    if field is not None:
        lengths = [len(axis.values) for axis in facts.axes]
        seen = [min(size, length) / length for size, length in zip(field.size, lengths, strict=False)]
        numbers.append(Number("sees", significant(float(np.prod(seen))), unit="fraction"))
    return numbers


def _of_layer(name: str, layer: Layer, peaks: np.ndarray, facts: Facts) -> list[Number]:
    subject = f"layer={name}"
    numbers = [Number("maps", layer.shape[0], subject=subject)]
    if len(peaks) >= ENOUGH:
        numbers.append(Number("dead", int((peaks <= 0).all(axis=0).sum()), n=len(peaks), subject=subject))
    if layer.field is not None:
        for axis, size, units in zip(facts.axes, layer.field.size, layer.field.units, strict=False):
            where = f"{subject};axis={axis.name}"
            numbers += [Number("receptive_field", size, subject=where), Number("map_size", units, subject=where)]
    return numbers


def _of_maps(measured: Measured, subject: str) -> list[Number]:
    layer, _, sample = subject.partition(";")
    numbers = [
        Number("silent", int((measured.peak <= 0).sum()), n=len(measured.peak), subject=subject),
    ]
    for channel in range(len(measured.peak)):
        where = f"{layer};filter={channel};{sample}"
        numbers += [
            Number("map_mean", significant(float(measured.mean[channel])), subject=where),
            Number("map_max", significant(float(measured.peak[channel])), subject=where),
            Number("map_zeros", float(measured.zeros[channel]), unit="fraction", subject=where),
        ]
        if measured.compared >= ENOUGH:
            numbers += [
                Number("map_rank", float(measured.rank[channel]), unit="fraction", n=measured.compared, subject=where),
                share("fires", int(measured.fires[channel]), measured.compared, subject=where),
            ]
    return numbers


def thinned(values: np.ndarray) -> np.ndarray:
    """A map of at most `LARGEST` rows and columns: of each block of its places the value farthest from zero."""
    step = -(-max(values.shape) // LARGEST)
    if step == 1:
        return values
    rows, columns = (np.arange(0, side, step) for side in values.shape)
    high = np.maximum.reduceat(np.maximum.reduceat(values, rows, axis=0), columns, axis=1)
    low = np.minimum.reduceat(np.minimum.reduceat(values, rows, axis=0), columns, axis=1)
    return np.where(high >= -low, high, low)


def pixels_of(maps: np.ndarray, facts: Facts, field: Field | None = None) -> list[np.ndarray]:
    """The maps of a layer as pixels, each on a scale of its own that begins at zero; of a signal as curves over time.

    Black is zero and nothing is below it; where the layer has numbers below zero (no ReLU behind it), zero is near
    white, red above and blue below. Maps fainter than `FAINT` of the strongest are drawn on the scale of that.
    """
    strongest = float(np.abs(maps).max())
    both = bool((maps < 0).any())
    pictures = []
    for values in maps:
        if facts.kind == "signals" and max(values.shape) == values.size:
            values = values.reshape(-1)
            scale = max(float(np.abs(values).max()), FAINT * strongest)
            pictures.append(
                curves.plot(
                    values[None],
                    (-scale if both else 0.0, scale),
                    _times(facts, field, len(values)),
                    ("", facts.axes[0].unit),
                    size=CURVES,
                )
            )
            continue
        # A map along one axis: words run to the right, frequencies upward.
        flat = upright(
            facts, values if values.ndim == 2 else values[:, None] if facts.kind == "sounds" else values[None]
        )
        if 1 in flat.shape:  # a strip one pixel wide could not be seen
            flat = flat.repeat(4, axis=flat.shape.index(1))
        if values.ndim == 2 and facts.kind == "images":
            flat = thinned(flat)
        scale = max(float(np.abs(values).max()), FAINT * strongest)
        pictures.append(signed(flat, scale) if both else amount(flat, scale))
    return pictures


def _times(facts: Facts, field: Field | None, units: int) -> tuple[float, float] | None:
    """The middle of what the first and the last unit of a map see of a signal."""
    if field is None or field.units != (units,):
        return None
    firsts = (field.start[0], field.start[0] + field.stride[0] * (units - 1))
    middle = [curves.moment(facts, first + (field.size[0] - 1) / 2) for first in firsts]
    return middle[0], middle[1]


def _items(
    maps: np.ndarray, measured: Measured, facts: Facts, source: Layer, field: Field | None, suffix: str, group: str
) -> list[Item]:
    items, name = [], source.name
    for channel, pixels in enumerate(pixels_of(maps, facts, field)):
        state = measured.state(channel)
        values = {"mean": measured.mean[channel], "largest": measured.peak[channel], "zeros": measured.zeros[channel]}
        if measured.compared >= ENOUGH:
            values |= {"fires for": measured.fires[channel] / measured.compared, "rank": measured.rank[channel]}
        items.append(
            Item(
                id=f"{name}/{channel}{suffix}",
                pixels=pixels,
                label=str(channel) if state else f"{channel}, zero here",
                state=state,
                values={key: significant(float(value)) for key, value in values.items()},
                group=group,
            )
        )
    return items


def _grid(items: list[Item], name: str, layer: Layer, peaks: np.ndarray, facts: Facts, columns: int | None) -> Grid:
    size = " × ".join(map(str, layer.shape[1:]))
    title = {"en": f"{name}: {layer.shape[0]} maps of {size}", "zh": f"{name}：{layer.shape[0]} 张 {size} 的特征图"}
    if layer.field is not None:
        seen = span_of(facts, layer.field.size)
        title = {"en": f"{title['en']}, each unit sees {seen['en']}", "zh": f"{title['zh']}，每个单元看到 {seen['zh']}"}
    silent = sum(item.state == "" for item in items)
    after = "" if layer.name == name else f" after {layer.name}"
    if len(peaks) < ENOUGH:
        caption = {
            "en": (
                f"The output of {name}{after}. Maps at zero here: {silent}; too few samples to say whether they are "
                "dead."
            ),
            "zh": f"{name} 的输出。此处全零的图：{silent} 张；样本太少，不能断定它们已死。",
        }
    else:
        dead = int((peaks <= 0).all(axis=0).sum())
        caption = {
            "en": (
                f"The output of {name}{after}. Dead maps, at zero on all of {len(peaks):,} test samples: {dead}; at "
                "zero here only: "
                f"{silent}. “Fires for” is the share of those samples that raise the map above zero anywhere, “rank” "
                "the share on "
                "which it reaches a lower peak: near 1, this sample has what the filter looks for; near 0.5 it is "
                "like any other."
            ),
            "zh": (
                f"{name} 的输出。在 {len(peaks):,} 个测试样本上始终为零（已死）：{dead} 张；仅在此样本上为零："
                f"{silent} 张。“fires for”是使该图"
                "大于零的样本比例；“rank”是峰值低于此样本的比例：接近 1 说明此样本正有它所寻找的东西，接近 0.5 "
                "则与其他样本无异。"
            ),
        }
    if facts.kind == "images" and (step := -(-max(layer.shape[1:]) // LARGEST)) > 1:
        caption["en"] += f" Drawn smaller: a pixel is the value farthest from zero of {step} × {step} places."
        caption["zh"] += f"图已缩小：每个像素取 {step} × {step} 个位置中离零最远的值。"
    return Grid(
        f"maps-{name}", items, columns=None if items[0].pixels.shape[1] > 64 else columns, title=title, caption=caption
    )


def _samples(network: nn.Module, samples: Samples, places: Sequence[int], sound: Sound | None) -> Block:
    """The chosen samples themselves, with what the network calls them."""
    with evaluating(network), torch.no_grad():
        logits = network(to_tensor(samples.facts, samples.inputs[places])).double()
    confidence, prediction = (found.tolist() for found in logits.softmax(1).max(1))
    chosen = []
    for place, sure, read in zip(places, confidence, prediction, strict=True):
        label = int(samples.labels[place])
        read_as = f"read as {class_name(samples.facts, read)} ({100 * sure:.0f} %)"
        state: State = "" if label < 0 else "right" if label == read else "wrong"
        chosen.append(
            Shown(place, label=read_as if label < 0 else f"{class_name(samples.facts, label)}, {read_as}", state=state)
        )
    return show("sample", samples, chosen, sound, title={"en": "The sample", "zh": "样本"})


def _strips(
    maps: np.ndarray, units: np.ndarray, field: Field | None, samples: Samples, place: int, name: str
) -> Figure | None:
    """All maps of a layer side by side, where each is but a strip along one axis; None where it isn't."""
    import pandas as pd

    facts = samples.facts
    if facts.kind == "images" or field is None or not facts.axes:
        return None
    if maps.ndim == 3:
        if 1 not in maps.shape[1:]:
            return None
        along = 0 if maps.shape[2] == 1 or facts.kind == "signals" else 1
    else:
        along = field.units.index(maps.shape[1]) if maps.shape[1] in field.units else 0
    flat = maps.reshape(len(maps), -1)
    # Of a sentence only some of the units are there, which `units` names; of a sound all are.
    at = np.flatnonzero(units) if maps.ndim == 2 else np.arange(flat.shape[1])
    first = field.start[along] + field.stride[along] * at
    centres = first + (field.size[along] - 1) / 2
    axis = facts.axes[along]
    values = np.interp(centres, np.arange(len(axis.values)), axis.values)
    upward = axis.name == "frequency"
    paint_of = signed if (flat < 0).any() else amount
    spelt = words(samples, place) if facts.kind == "texts" else []
    firsts = [spelt[word] if 0 <= word < len(spelt) else "·" for word in first] if spelt else []

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        axes.grid(False)
        if upward:
            axes.imshow(paint_of(flat.T), origin="lower", aspect="auto", interpolation="none")
            ticks = evenly(len(values), 7)
            axes.set_yticks(ticks, [f"{values[tick]:.0f}" for tick in ticks])
            axes.set(xlabel="filter", ylabel=f"{axis.name}, {axis.unit}")
        else:
            axes.imshow(paint_of(flat), aspect="auto", interpolation="none")
            axes.set(ylabel="filter")
            if firsts:
                axes.set_xticks(np.arange(len(firsts)), firsts, rotation=60, ha="right", rotation_mode="anchor")
            else:
                ticks = evenly(len(values), 7)
                axes.set_xticks(ticks, [f"{values[tick]:.2g}" for tick in ticks])
                axes.set_xlabel(f"{axis.name}, {axis.unit}")

    table = pd.DataFrame(flat.T, columns=[f"filter {channel}" for channel in range(len(flat))])
    table.insert(0, "first word" if firsts else f"{axis.name}, {axis.unit}", firsts or values)
    one = {"frequency": "band of frequencies", "time": "moment", "word": "window of words"}.get(axis.name, axis.name)
    caption = {
        "en": f"A column is a filter, a row a {one}, at the centre of what its units see. "
        if upward
        else f"A row is a filter, a column a {one}. ",
        "zh": "每列是一个卷积核，每行是一段频率（感受野中心）。" if upward else "每行是一个卷积核，每列是一个位置。",
    }
    if firsts:
        caption = {
            "en": caption["en"] + "The word below is the first of the window; a dot: it begins before the sentence. ",
            "zh": caption["zh"] + "下方的词是窗口的第一个词。",
        }
    if upward and field.units[-1] == 1:
        caption = {
            "en": caption["en"]
            + "The filters span all of the window's time: the maps say where in pitch something is, not when. ",
            "zh": caption["zh"] + "卷积核覆盖了窗口的全部时间，所以这些图只说明音高，不说明时刻。",
        }
    dark = ("Black is zero, pale the largest value of the layer.", "黑为零，浅黄为该层最大值。")
    both = ("Near white is zero, red above, blue below.", "近白为零，红为正，蓝为负。")
    scale = both if (flat < 0).any() else dark
    return Figure(
        f"strips-{name}",
        draw(paint, 640, 300),
        alt={
            "en": f"Heat map: the activation of each of the {len(flat)} filters of {name} along the axis {axis.name}."
        },
        data=table.round(5),
        title={"en": f"{name}: all filters along the {axis.name} axis", "zh": f"{name}：所有卷积核沿一条轴的响应"},
        caption={"en": caption["en"] + scale[0], "zh": caption["zh"] + scale[1]},
    )


def _marked(
    maps: np.ndarray, units: np.ndarray, measured: Measured, field: Field, samples: Samples, place: int, name: str
) -> Texts:
    """The sentence once for each of the filters to which it is most unusual, with the words that they see."""
    spelt = words(samples, place)
    order = np.lexsort((-measured.peak, -measured.rank))
    sentences = []
    for channel in [channel for channel in order if measured.peak[channel] > 0][:MARKED]:
        weights = np.zeros(len(spelt))
        for unit, value in zip(np.flatnonzero(units), maps[channel], strict=True):
            ((first, beyond),) = field.of_unit([int(unit)])
            part = slice(max(0, first), max(0, beyond))
            weights[part] = np.maximum(weights[part], value)
        sentences.append(
            Sentence(
                id=f"{name}/{channel} marked",
                tokens=[(word, significant(float(weight))) for word, weight in zip(spelt, weights, strict=True)],
                label=f"filter {channel}",
                state="live",
                values={
                    "largest": significant(float(measured.peak[channel])),
                    "rank": significant(float(measured.rank[channel])),
                },
                spaces=spaced(samples.facts),
            )
        )
    return Texts(
        f"marked-{name}",
        sentences,
        title={"en": f"{name}: the words that raise its filters", "zh": f"{name}：激活卷积核的词"},
        caption={
            "en": (
                f"The {len(sentences)} filters for which this sentence is most unusual among the test sentences. A "
                "word is as dark as the "
                "strongest window that holds it; pooling over time keeps the darkest window of each filter and drops "
                "the rest."
            ),
            "zh": (
                f"与其他测试句相比，此句最能激活的 {len(sentences)} 个卷积核。词的深浅取包含它的最强窗口；"
                "沿时间的池化只保留每个卷积核最强的窗口。"
            ),
        },
    )


def _caption(names: Sequence[str], layers: Sequence[Layer], facts: Facts) -> Text:
    look = {
        "images": (
            "After the first convolution a map is the sample seen through one stroke, edge or colour; deeper ones "
            "mark parts, and are coarser "
            "where the network pools between",
            "第一次卷积后的图是透过一种笔画、边缘或颜色看到的样本；更深处标出的是部件，经过池化后也更粗",
        ),
        "sounds": (
            "A map marks where on the frequency axis the sample has the pattern of its filter",
            "每张图标出样本在频率轴上哪里有该卷积核的图案",
        ),
        "texts": (
            "A map is a curve over the words: it is high where the window holds what its filter looks for",
            "每张图是沿词序的曲线：窗口中有所寻找的词时升高",
        ),
        "signals": (
            "A map is a curve over time: it is high where the signal has what its filter looks for",
            "每张图是沿时间的曲线：信号中有所寻找的形状时升高",
        ),
    }[facts.kind]
    return {
        "en": (
            f"{look[0]}. Each map has a scale of its own that begins at zero, so compare patterns by eye and "
            "strengths by their numbers; a map that is "
            "zero is drawn as zero. One sample shows what a filter can do, not what it is for: the numbers beside "
            "each map say how it stands "
            "among other test samples."
        ),
        "zh": (
            f"{look[1]}。每张图各用自己的尺度（从零开始），所以用眼比较图案，用数字比较强弱；全零的图就画成零。"
            "一个样本只说明卷积核能做什么，旁边的数字说明它与其他测试样本相比如何。"
        ),
    }
