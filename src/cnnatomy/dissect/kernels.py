"""The weights of the first convolution (M4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.drawing import curves
from cnnatomy.drawing.plotting import MUTED, SERIES, draw
from cnnatomy.drawing.showing import (
    amount,
    colour,
    grey,
    of_colours,
    plain,
    shown_channels,
    signed,
    significant,
    span_of,
    upright,
)
from cnnatomy.exhibit import Block, Exhibit, Figure, Grid, Item, Number, Text
from cnnatomy.probing.frequencies import frequencies, gains
from cnnatomy.probing.layers import Layer, stages, trace
from cnnatomy.statistics.intervals import average, share

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Drawing

IDLE = 1e-3  # a filter whose norm is below this share of its layer's largest has no weight to speak of
LINE = 128  # the grey between weights on one channel and on the next: no weight is drawn so
CURVES = (150, 64)  # pixels of the picture of a filter on signals
SETS = 400  # of random kernels to compare with; their 95 % band is then good to about a tenth of its width
SOURCES = [
    "Krizhevsky, Sutskever & Hinton 2012, ImageNet classification with deep convolutional neural networks, NeurIPS, "
    "figure 3",
]
SOURCES_OF_TEXTS = ["Kim 2014, Convolutional neural networks for sentence classification, EMNLP"]


TITLE: Text = {"en": "What the first layer looks for", "zh": "第一层卷积核"}


def kernels(network: nn.Module, samples: Samples, config: Mapping[str, Any]) -> Exhibit:
    """Draw the weights of the first convolution (M4; Krizhevsky et al. 2012, figure 3).

    Weights have shape (filters, channels, *kernel); each filter is drawn on its own scale, in weight units.
    Convolutions that read the same tensor side by side, as those of several widths on a sentence do, are all drawn.

    config: `columns` (filters a row; null lets the page choose), `symmetric` (zero is in the middle of the scale;
    otherwise the scale goes from the smallest weight to the largest, in grey). The exhibit's name and seed are left for
    the caller.
    Raises LayerNotFound if the network has no convolution.
    """
    facts = samples.facts
    first = stages(trace(network, to_tensor(facts, samples.inputs[:1])))[0]
    numbers: list[Number] = []
    blocks: list[Block] = []
    found: list[tuple[np.ndarray, Measured]] = []
    for layer in first:
        weights = _weights(layer)
        measured = _measure(weights, facts)
        found.append((weights, measured))
        numbers += _numbers(layer.name, weights, measured)
        blocks.append(_grid(layer, weights, measured, facts, config))
        if facts.kind == "signals" and isinstance(layer.module, nn.Conv1d) and weights.shape[2] > 1:
            figure, peaks = _answers(layer, weights, measured, facts)
            blocks.append(figure)
            numbers += peaks
    if facts.kind != "images" and (panels := _panels(first, facts)):
        blocks.insert(0 if facts.kind == "texts" else len(blocks), _profile(panels))
    return Exhibit(
        kind="run",
        name="",
        method="kernels",
        seed=0,
        title=TITLE,
        caption=_caption(facts, all(measured.unordered for _, measured in found)),
        numbers=[*_summary(found), *numbers],
        blocks=blocks,
        sources=SOURCES + (SOURCES_OF_TEXTS if facts.kind == "texts" else []),
    )


@dataclass(frozen=True)
class Measured:
    """What is said of the filters of a layer.

    norm: (filters,) root of the sum of squared weights. idle: (filters,) whether that is next to nothing.
    neighbours: whether a kernel has any weights side by side; without, its smoothness says nothing.
    smoothness, alike: (filters,), see the functions `smoothness` and `likeness`; 0 for idle filters.
    outside: (filters,) whether the smoothness lies outside the band that holds 95 % of untrained filters.
    untrained_smoothness, untrained_alike: 95 % band of the mean over as many untrained filters as are not idle.
    components: principal components that hold 95 % of the squared weights; untrained_components: of untrained filters.
    """

    norm: np.ndarray
    idle: np.ndarray
    neighbours: bool
    smoothness: np.ndarray
    outside: np.ndarray
    untrained_smoothness: tuple[float, float]
    alike: np.ndarray
    untrained_alike: tuple[float, float]
    components: int
    untrained_components: float

    @property
    def unordered(self) -> bool:
        """Whether neighbouring weights agree no more than those of untrained layers do, so that there is no pattern."""
        n = max(1, int((~self.idle).sum()))
        return self.neighbours and float(self.smoothness.sum() / n) <= self.untrained_smoothness[1]


def smoothness(weights: np.ndarray, axes: Sequence[int]) -> np.ndarray:
    """How far neighbouring weights agree: 1 all equal, 0 unrelated, −1 alternating; (filters,).

    weights: (filters, …). 2 Σ w·w′ / Σ (w² + w′²) over the pairs of neighbours along `axes`: a lag-1 autocorrelation
    that doesn't take the mean away, because in nine weights the mean is part of the pattern. A filter of zeros gets 0.
    """
    product = np.zeros(len(weights))
    square = np.zeros(len(weights))
    for axis in axes:
        ahead, behind = np.delete(weights, 0, axis), np.delete(weights, -1, axis)
        rest = tuple(range(1, weights.ndim))
        product += (ahead * behind).sum(axis=rest)
        square += (ahead**2 + behind**2).sum(axis=rest)
    return np.divide(2 * product, square, out=np.zeros(len(weights)), where=square > 0)


def likeness(weights: np.ndarray) -> np.ndarray:
    """The largest |cosine| of each filter with another one, (filters,): 1 means that another filter does the same."""
    if len(weights) < 2:
        return np.zeros(len(weights))
    flat = weights.reshape(len(weights), -1)
    norm = np.linalg.norm(flat, axis=1, keepdims=True)
    unit = np.divide(flat, norm, out=np.zeros_like(flat), where=norm > 0)
    cosines = np.abs(unit @ unit.T)
    np.fill_diagonal(cosines, 0)
    return cosines.max(axis=1)


def components(weights: np.ndarray) -> int:
    """How many principal directions hold 95 % of the squared weights of a layer."""
    values = np.linalg.svd(weights.reshape(len(weights), -1), compute_uv=False) ** 2
    return int(np.searchsorted(np.cumsum(values), 0.95 * values.sum()) + 1)


def _weights(layer: Layer) -> np.ndarray:
    """A convolution's weights, float64 (filters, channels, *kernel)."""
    return layer.module.weight.detach().double().cpu().numpy()  # type: ignore[operator]


def _measure(weights: np.ndarray, facts: Facts) -> Measured:
    norm = np.sqrt((weights**2).sum(axis=tuple(range(1, weights.ndim))))
    idle = norm <= IDLE * norm.max()
    at_work = weights[~idle] if not idle.all() else weights
    # The axes along which neighbours mean something: places, not channels and not the entries of a word vector.
    last = weights.ndim - 1
    ordered = {"texts": range(2, 3), "signals": range(last, last + 1)}.get(facts.kind, range(2, weights.ndim))
    axes = [axis for axis in ordered if weights.shape[axis] > 1]
    random = np.random.default_rng(0)
    # What an untrained layer starts from: independent, uniform. The scale makes no difference to any of these numbers.
    untrained = [random.uniform(-1, 1, at_work.shape) for _ in range(_sets(at_work))]
    smooth = np.array([smoothness(kernels, axes) for kernels in untrained])
    low, high = _band(smooth)
    trained = np.where(idle, 0.0, smoothness(weights, axes))
    alike = np.zeros(len(weights))
    alike[~idle] = likeness(weights[~idle])
    return Measured(
        norm=norm,
        idle=idle,
        neighbours=bool(axes),
        smoothness=trained,
        outside=~idle & ((trained < low) | (trained > high)),
        untrained_smoothness=_band(smooth.mean(axis=1)),
        alike=alike,
        untrained_alike=_band([likeness(kernels).mean() for kernels in untrained]),
        components=components(weights),
        untrained_components=float(np.mean([components(kernels) for kernels in untrained[:10]])),
    )


def _sets(weights: np.ndarray) -> int:
    """Fewer random sets where one is large: 20 million weights take about a second."""
    return int(np.clip(20_000_000 // weights.size, 40, SETS))


def _band(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)


def _summary(found: Sequence[tuple[np.ndarray, Measured]]) -> list[Number]:
    """What is said of all the filters that read the input: how many, of how many weights, and how much is in them."""
    filters = sum(len(weights) for weights, _ in found)
    at_work = [~measured.idle for _, measured in found]
    numbers = [
        Number("filters", filters),
        Number("weights", sum(weights.size for weights, _ in found)),
        share("idle", filters - sum(int(working.sum()) for working in at_work), filters),
    ]
    # A filter of one word, or of one place, has no neighbouring weights to tell structure from.
    ordered = [
        (working, measured) for working, (_, measured) in zip(at_work, found, strict=True) if measured.neighbours
    ]
    if n := sum(int(working.sum()) for working, _ in ordered):
        smooth = np.concatenate([measured.smoothness[working] for working, measured in ordered])
        numbers += [
            share("structured", sum(int(measured.outside.sum()) for _, measured in ordered), n),
            average("smoothness", smooth, between=(-1, 1)),
        ]
    alike = np.concatenate([measured.alike[working] for working, (_, measured) in zip(at_work, found, strict=True)])
    if len(alike):
        numbers.append(average("likeness", alike, between=(0, 1)))
    return numbers


def _numbers(name: str, weights: np.ndarray, measured: Measured) -> list[Number]:
    """The rows of a layer, then of each filter."""
    n, layer = int((~measured.idle).sum()), f"layer={name}"
    smooth, alike = measured.smoothness[~measured.idle], measured.alike[~measured.idle]
    numbers = [
        Number("filters", len(weights), subject=layer),
        Number("idle_filters", int(measured.idle.sum()), n=len(weights), subject=layer),
        Number("components", measured.components, n=len(weights), subject=layer),
        Number("components_untrained", measured.untrained_components, n=len(weights), subject=layer),
    ]
    if n and measured.neighbours:
        low, high = measured.untrained_smoothness
        numbers += [
            average("smoothness", smooth, subject=layer, between=(-1, 1)),
            Number("smoothness_untrained", (low + high) / 2, low, high, n=n, subject=layer),
            share("structured", int(measured.outside.sum()), n, subject=layer),
        ]
    if n:
        numbers += [
            average("likeness", alike, subject=layer, between=(0, 1)),
            Number(
                "likeness_untrained",
                float(np.mean(measured.untrained_alike)),
                *measured.untrained_alike,
                n=n,
                subject=layer,
            ),
        ]
    energy = measured.norm**2 / max(float((measured.norm**2).sum()), np.finfo(float).tiny)
    for index, kernel in enumerate(weights):
        each = {
            "norm": measured.norm[index],
            "smallest_weight": kernel.min(),
            "largest_weight": kernel.max(),
            "share_of_squares": energy[index],
            "likeness": measured.alike[index],
        }
        if measured.neighbours:
            each["smoothness"] = measured.smoothness[index]
        numbers += [
            Number(metric, significant(float(value)), subject=f"{layer};filter={index}")
            for metric, value in each.items()
        ]
    return numbers


def drawn(kernel: np.ndarray, facts: Facts, symmetric: bool = True, least: float = 0.0) -> np.ndarray:
    """One filter's weights as pixels. kernel: (channels, *kernel). The scale reaches to `least` even if no weight does.

    One channel is drawn by sign, three of an image as red, green and blue, any other number side by side with a line
    between. A kernel that moves along words is drawn with a row a word and a column an entry of the embedding,
    one that moves along a signal as a curve a channel.
    """
    scale = max(float(np.abs(kernel).max()), least)
    if facts.kind == "texts":
        # Four pixels a word: 3 × 100 weights would be too flat a strip to look at.
        flat = _by_word(kernel).repeat(4, axis=0)
    elif facts.kind == "signals":
        low = -scale if symmetric else float(kernel.min())
        high = scale if symmetric else float(kernel.max())
        ends = (0.0, curves.moment(facts, kernel.shape[-1] - 1))
        units = ("", facts.axes[0].unit)
        return curves.plot(kernel.reshape(-1, kernel.shape[-1]), (low, high), ends, units, size=CURVES, dots=True)
    elif kernel.ndim == 2:
        flat = upright(facts, kernel)
    elif len(kernel) == 3 and of_colours(facts) and symmetric:
        return colour(kernel[shown_channels(facts)], scale)
    elif symmetric:
        strips = [signed(upright(facts, channel), scale) for channel in kernel]
        line = np.full((kernel.shape[1], 1, 3), LINE, np.uint8)
        return np.concatenate([part for strip in strips for part in (line, strip)][1:], axis=1)
    else:
        channels = [upright(facts, channel) for channel in kernel]
        gap = np.zeros((kernel.shape[1], 1))
        flat = np.concatenate([part for channel in channels for part in (gap, channel)][1:], axis=1)
    if symmetric:
        return signed(flat, scale)
    low = float(flat.min())
    return grey(flat, low=low, high=max(float(flat.max()), low + least))


def _by_word(kernel: np.ndarray) -> np.ndarray:
    """A kernel on word vectors, (words, entries), from a convolution in one dimension or in two."""
    return kernel.T if kernel.ndim == 2 else kernel.transpose(1, 0, 2).reshape(kernel.shape[1], -1)


def _grid(layer: Layer, weights: np.ndarray, measured: Measured, facts: Facts, config: Mapping[str, Any]) -> Grid:
    items = []
    least = IDLE * float(np.abs(weights).max())  # so that a filter without weight is not stretched into a pattern
    for index, kernel in enumerate(weights):
        values = {
            "norm": measured.norm[index],
            "smallest": kernel.min(),
            "largest": kernel.max(),
            "likeness": measured.alike[index],
        }
        if measured.neighbours:
            values["smoothness"] = measured.smoothness[index]
        if facts.kind == "texts":
            norms = np.linalg.norm(_by_word(kernel), axis=1)
            values |= {f"norm of word {place}": float(norm) for place, norm in enumerate(norms, 1)}
        items.append(
            Item(
                id=f"{layer.name}/{index}",
                pixels=drawn(kernel, facts, config["symmetric"], least),
                label=str(index),
                state="dead" if measured.idle[index] else "",
                values={key: significant(float(value)) for key, value in values.items()},
            )
        )
    size = span_of(facts, weights.shape[2:])
    wide = items[0].pixels.shape[1] > 64  # so wide that a row of them would not fit
    return Grid(
        f"kernels-{layer.name}",
        items,
        columns=None if wide else config["columns"],
        title={
            "en": f"{layer.name}: {len(weights)} filters of {size['en']}",
            "zh": f"{layer.name}：{len(weights)} 个卷积核，每个 {size['zh']}",
        },
        caption=_reading(weights, measured, facts, config["symmetric"]),
    )


def _reading(weights: np.ndarray, measured: Measured, facts: Facts, symmetric: bool) -> Text:
    """How to read the colours and the axes, and whether there is more to see than in noise."""
    if facts.kind == "signals":
        en = [
            "Each filter has its own scale; the pale line is zero. A dot is a weight: above the line it looks for a "
            f"high value, below for a low one. Curves: {curves.named(facts)}."
        ]
        zh = [
            f"每个卷积核各用自己的尺度，浅线为零。每点是一个权重：线以上寻找高值，以下寻找低值。曲线：{curves.named_zh(facts)}。"
        ]
    elif not symmetric:
        en = ["Each filter has its own scale: its smallest weight is black, its largest white."]
        zh = ["每个卷积核各用自己的尺度：最小权重为黑，最大为白。"]
    elif weights.shape[1] == 3 and of_colours(facts):
        en = [
            "Each filter has its own scale, symmetric about zero: grey is zero, a colour is what the filter looks for."
        ]
        zh = ["每个卷积核各用自己的对称尺度：灰色为零，颜色就是它所寻找的颜色。"]
    else:
        en = ["Each filter has its own scale, symmetric about zero: red is positive, blue negative, near white zero."]
        zh = ["每个卷积核各用自己的对称尺度：红为正，蓝为负，近白为零。"]
    names = [channel.name for channel in facts.channels or ()] if facts.kind == "images" else []
    if len(names) == weights.shape[1] > 1 and not (symmetric and of_colours(facts)):
        en.append(f"Its weights on each channel lie side by side, from left to right: {', '.join(names)}.")
        zh.append(f"各通道的权重并排，从左到右：{'、'.join(names)}。")
    if facts.kind == "sounds":
        en.append("Time runs to the right, frequency upward.")
        zh.append("横轴为时间，纵轴为频率（向上升高）。")
        if widths := _hertz(facts, weights.shape):
            en.append(
                f"A filter is {widths[0]:,.0f} Hz high at the bottom of the axis and {widths[1]:,.0f} Hz at its top."
            )
            zh.append(f"卷积核在频率轴底端高 {widths[0]:,.0f} Hz，在顶端高 {widths[1]:,.0f} Hz。")
    if facts.kind == "texts":
        en.append(
            "A row is a word of the window, the first on top; a column is an entry of the word vector. The order of "
            "the columns "
            "means nothing, so look at the rows: a pale one is a word that the filter ignores."
        )
        zh.append("每行对应窗口中的一个词，每列是词向量的一维；列的顺序没有意义，应看行：颜色浅的行表示忽略那个词。")
    if idle := int(measured.idle.sum()):
        en.append(
            f"{idle} of {len(weights)} filters have next to no weight: they are dead, shown as zero, and not counted "
            "below."
        )
        zh.append(f"{len(weights)} 个中有 {idle} 个几乎没有权重：已死，画为零，以下不计。")
    n = max(1, len(weights) - idle)
    mean, alike = float(measured.smoothness.sum() / n), float(measured.alike.sum() / n)
    low, high = measured.untrained_smoothness
    if measured.neighbours:
        if mean > high:
            verdict = ("more than chance gives", "超出随机范围")
        elif mean < low:
            verdict = ("less than chance gives: signs alternate", "低于随机范围：正负交替")
        else:
            verdict = ("no more than chance gives: don't read a pattern into it", "未超出随机范围：不要过度解读")
        en.append(
            f"Neighbouring weights agree by {plain(mean)} (untrained {plain(low)} to {plain(high)}), {verdict[0]}; "
            "by itself, "
            f"{int(measured.outside.sum())} of {n} filters would stand out from 95 % of untrained ones (chance: "
            f"{0.05 * n:.2g})."
        )
        zh.append(
            f"相邻权重的一致程度为 {plain(mean)}（未训练：{plain(low)} 到 {plain(high)}），{verdict[1]}；"
            f"单独来看，{n} 个中有 {int(measured.outside.sum())} 个超出未训练者的 95 % 范围。"
        )
    low, high = measured.untrained_alike
    en.append(
        f"A filter's likeness to the one most like it is {plain(alike)} on average (untrained {plain(low)} to "
        f"{plain(high)}); {measured.components} directions hold 95 % of the squared weights (untrained "
        f"{measured.untrained_components:.0f})."
    )
    zh.append(
        f"与最相似者的相似度平均为 {plain(alike)}（未训练：{plain(low)} 到 {plain(high)}）；"
        f"{measured.components} 个方向占权重平方和的 95 %（未训练：{measured.untrained_components:.0f} 个）。"
    )
    return {"en": " ".join(en), "zh": "".join(zh)}


def _hertz(facts: Facts, shape: Sequence[int]) -> tuple[float, float] | None:
    """How much of the frequency axis a kernel spans where it sits lowest and where highest: mel bands widen upward."""
    axis = next((axis for axis in facts.axes if axis.name == "frequency"), None)
    if axis is None or len(shape) != 4 or not 1 < shape[2] <= len(axis.values):
        return None
    return axis.values[shape[2] - 1] - axis.values[0], axis.values[-1] - axis.values[-shape[2]]


def _caption(facts: Facts, unordered: bool) -> Text:
    """What to look for; or that others have it and these have not, where neighbouring weights show no order."""
    look = {
        "images": (
            "strokes and edges in several directions and, in a colour network, contrasts of two colours",
            "不同方向的笔画与边缘；彩色网络还会有颜色对比",
        ),
        "sounds": (
            "patches that switch sign along time: a sound that begins or ends at that moment. Slanted ones follow a "
            "moving pitch",
            "沿时间变号的块：声音在那一刻开始或结束；倾斜的条纹对应音高的移动",
        ),
        "texts": ("filters that weigh one word of their window more than the others", "更看重窗口中某一个词的卷积核"),
        "signals": (
            "smooth curves: a hump answers to a wave of that width, a step to a rise or a fall, quick turns to quick "
            "swings",
            "平滑的曲线：隆起对应同样宽度的波，台阶对应上升或下降，快速起伏对应快速振荡",
        ),
    }[facts.kind]
    seek = (
        (f"Look for {look[0]}.", f"请看{look[1]}。")
        if not unordered or facts.kind == "texts"  # whose words are looked at, not how they go on
        else (
            f"Other networks show {look[0]}. Here neighbouring weights agree no more than chance gives.",
            f"别的网络会出现{look[1]}。这里相邻权重的一致程度并未超出随机范围。",
        )
    )
    return {
        "en": (
            f"These weights are all that the first layer knows. {seek[0]} Eyes find patterns in noise, so "
            "two numbers stand "
            "beside the pictures: how far neighbouring weights agree (1 all equal, 0 unrelated, −1 alternating) and "
            "how like another "
            "filter each one is (largest |cosine|; 1 means that one of the two could go). Each is given with the "
            "range that 95 % of "
            "untrained layers of this shape have."
        ),
        "zh": (
            f"第一层所知道的全部就是这些权重。{seek[1]}人眼容易在噪声里看出图案，所以图旁给出两个数："
            "相邻权重的一致程度"
            "（1 全同，0 无关，−1 交替），以及与最相似的另一个卷积核的相似度（|余弦|，1 表示二者可去其一）；"
            "并附同样形状的未训练层的 95 % 范围。"
        ),
    }


def _panels(layers: Sequence[Layer], facts: Facts) -> list[pd.DataFrame]:
    """Each place's share of a filter's squared weights: a table for every axis of a kernel that has several places."""
    import pandas as pd

    panels = []
    for layer in layers:
        squares = _weights(layer) ** 2
        total = squares.sum(axis=tuple(range(1, squares.ndim)), keepdims=True)
        squares = squares / np.maximum(total, np.finfo(float).tiny)
        names = {"texts": ["word"], "sounds": ["frequency", "time"], "signals": ["time"]}[facts.kind][
            -(squares.ndim - 2) :
        ]
        for axis, name in enumerate(names, start=squares.ndim - 1 if facts.kind == "signals" else 2):
            length = squares.shape[axis]
            if length == 1:
                continue
            share = 100 * squares.sum(axis=tuple(other for other in range(1, squares.ndim) if other != axis))
            places, unit = _places(facts, name, length)
            low, high = np.quantile(share, (0.1, 0.9), axis=0)
            panel = {"layer": layer.name, "axis": name, "unit": unit, "place": places, "mean": share.mean(axis=0)}
            panels.append(pd.DataFrame(panel | {"tenth": low, "ninetieth": high, "even": 100 / length}))
    return panels


def _profile(panels: Sequence[pd.DataFrame]) -> Figure:
    """Where in the window the weights are."""
    import pandas as pd

    def paint(drawing: Drawing) -> None:
        for axes, panel in zip(drawing.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            axes.fill_between(
                panel["place"], panel["tenth"], panel["ninetieth"], color=SERIES[0], alpha=0.2, linewidth=0
            )
            axes.plot(panel["place"], panel["mean"], color=SERIES[0], marker="o" if len(panel) <= 12 else None)
            axes.axhline(panel["even"][0], color=MUTED, linestyle="--", linewidth=1)
            unit = f", {panel['unit'][0]}" if panel["unit"][0] else ""
            axes.set(title=panel["layer"][0], xlabel=f"{panel['axis'][0]} in the window{unit}", ylim=(0, None))
            if axes.get_subplotspec().is_first_col():
                axes.set_ylabel("squared weights, %")
            if len(panel) <= 12 and panel["axis"][0] != "time":
                axes.set_xticks(panel["place"])

    return Figure(
        "profile",
        draw(paint, 40 + 260 * len(panels), 240),
        alt={
            "en": (
                "Share of a filter's squared weights at each place of its window; one chart for each axis of each "
                "convolution."
            )
        },
        data=pd.concat(panels),
        title={"en": "Where in the window the weights are", "zh": "权重在窗口中的位置"},
        caption={
            "en": (
                "The line is the mean over filters, the band holds the middle 80 % of them, the dashed line is an "
                "even spread, as before "
                "training. A line above the dashes: all filters look there. A wide band: each filter has its own place."
            ),
            "zh": (
                "线为所有卷积核的平均，色带包含中间 80 % 的卷积核，虚线为均匀分布（训练前）。线高于虚线："
                "大家都看那里；色带宽：各看各的位置。"
            ),
        },
    )


def _dilation(layer: Layer) -> int:
    """How many steps a convolution's weights along time lie apart."""
    assert isinstance(layer.module, nn.Conv1d)
    return layer.module.dilation[0]


def _answers(layer: Layer, weights: np.ndarray, measured: Measured, facts: Facts) -> tuple[Figure, list[Number]]:
    """To which frequencies the filters on a signal answer, and to which each answers most."""
    import pandas as pd

    axis = facts.axes[0]
    timed = axis.unit == "s"
    at, found = frequencies(axis.values[1] - axis.values[0]), gains(weights, _dilation(layer))
    shares = found / np.maximum(found.max(axis=1, keepdims=True), np.finfo(float).tiny)
    shares[measured.idle] = 0
    unit, most = ("Hz" if timed else "swings a step"), at[found.argmax(axis=1)]
    numbers = [
        Number("peak_frequency", significant(float(hertz)), unit="Hz" if timed else "", subject=subject)
        for index, hertz in enumerate(most)
        if not measured.idle[index]
        for subject in [f"layer={layer.name};filter={index}"]
    ]
    still, n = int((most[~measured.idle] == 0).sum()), int((~measured.idle).sum())

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        axes.grid(False)
        axes.imshow(
            amount(shares, 1.0), aspect="auto", interpolation="none", extent=(0, at[-1], len(shares) - 0.5, -0.5)
        )
        axes.set(xlabel=f"frequency, {unit}", ylabel="filter")

    table = pd.DataFrame(found.T.round(5), columns=[f"filter {index}" for index in range(len(found))])
    table.insert(0, f"frequency, {unit}", at)
    figure = Figure(
        f"frequencies-{layer.name}",
        draw(paint, 560, 260),
        alt={"en": f"Heat map: how strongly each of {len(found)} filters of {layer.name} answers to each frequency."},
        data=table,
        title={
            "en": f"{layer.name}: the frequencies that its filters answer to",
            "zh": f"{layer.name}：卷积核响应的频率",
        },
        caption={
            "en": "A row is a filter, a column a frequency: how far the filter's output swings when every channel "
            "swings with it, by itself (the size of its Fourier transform). Black is nothing, pale the filter's own "
            f"largest. {still} of {n} filters answer most to what doesn't swing at all: the level.",
            "zh": "每行是一个卷积核，每列是一个频率：各通道以该频率振荡时输出的幅度（傅里叶变换的模）。"
            "黑为零，浅黄为该核的最大值。"
            f"{n} 个中有 {still} 个对不振荡的成分（电平）响应最强。",
        },
    )
    return figure, numbers


def _places(facts: Facts, name: str, length: int) -> tuple[np.ndarray, str]:
    """What stands along an axis of the window: seconds, bands counted from below, words counted from 1."""
    for axis in facts.axes:
        if axis.name == name == "time" and len(axis.values) > 1:
            return np.arange(length) * (axis.values[1] - axis.values[0]), axis.unit
    return np.arange(1, length + 1), "bands" if name == "frequency" else ""
