"""What each pixel, each spot of a spectrogram or each word does to the output (M13, S5, T3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.attributing.attributions import (
    TITLES,
    Baseline,
    baseline_of,
    integrated,
    methods,
    precision,
    without_guided,
)
from cnnatomy.dissect.attributing.maps import counting, extent, rank_correlations
from cnnatomy.dissect.attributing.path import Mean
from cnnatomy.dissect.attributing.showing import (
    coarser,
    marked,
    on_signal,
    sample_item,
    signed_picture,
    tested,
    titled,
    weighed,
)
from cnnatomy.dissect.attributing.trust import Verdict, randomised
from cnnatomy.drawing.plotting import MUTED, SERIES, draw
from cnnatomy.drawing.showing import class_name, spaced
from cnnatomy.exhibit import Block, Exhibit, Figure, Grid, Item, Matrix, Number, Sentence, Text, Texts
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.rounding import significant
from cnnatomy.probing.answers import Answer, to_look_at
from cnnatomy.probing.choosing import evenly
from cnnatomy.probing.outputs import logits_of
from cnnatomy.probing.work import affordable, effort
from cnnatomy.statistics.intervals import mean_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

TITLE = {"en": "What counts in a sample", "zh": "归因：样本中什么起作用"}
SOURCES = [
    "Simonyan et al. 2014, Deep inside convolutional networks, ICLR workshop",
    "Sundararajan et al. 2017, Axiomatic attribution for deep networks, ICML",
    "Zeiler & Fergus 2014, Visualizing and understanding convolutional networks, ECCV",
    "Springenberg et al. 2015, Striving for simplicity: the all convolutional net, ICLR workshop",
    "Adebayo et al. 2018, Sanity checks for saliency maps, NeurIPS",
]
COMPARED = 3e9  # multiply-adds of one forward pass on all samples compared
DRAWN = 4  # curves over frequency in one chart


def attribution(network: nn.Module, samples: Samples, config: Mapping[str, Any], *, seed: int) -> Exhibit:
    """Attribute the output of the class that is read to the places of the sample (M13, S5, T3).

    Four methods: gradients, integrated gradients, occlusion, guided backpropagation; on texts at the word vectors.
    Guided backpropagation is left out where it can't be had, and refused where it is asked for by name.

    config: `right`, `wrong`, `sample`, `methods`, `compared`; see conf/dissect/attribution.yaml. Raises NoLogits,
    FunctionalReLU, DoesNotApply (words without an nn.Embedding), ValueError for an unknown method or a place outside
    of the split.
    """
    facts = samples.facts
    x = to_tensor(facts, samples.inputs[:1])
    logits_of(network, x, len(facts.classes))
    table = methods(network, samples, config["methods"])
    titles = {name: TITLES[name]["en"] for name in table}
    looked_at = to_look_at(network, samples, config["right"], config["wrong"], config["sample"])
    verdicts = randomised(network, samples, table, seed)

    baseline = baseline_of(samples)
    x = to_tensor(facts, samples.inputs[[answer.place for answer in looked_at]])
    target = torch.tensor([answer.read for answer in looked_at])
    maps: dict[str, Tensor] = {}
    means: list[Mean] = []
    for name, method in table.items():
        if name == "integrated_gradients":
            maps[name], means = integrated(network, x, target, baseline)
        else:
            maps[name] = method(network, x, target)

    agreement, n = _agreement(network, samples, table, config["compared"], [answer.place for answer in looked_at], maps)
    numbers = _summary(agreement, n, means, verdicts)
    for row, answer in enumerate(looked_at):
        numbers += _of_sample(samples, answer, {name: found[row] for name, found in maps.items()}, means[row : row + 1])
    blocks: list[Block]
    if facts.kind == "texts":
        blocks = [_sentences(samples, looked_at, maps, verdicts)]
    else:
        blocks = [_pictures(samples, looked_at, maps, verdicts)]
    if facts.kind == "sounds" and "integrated_gradients" in maps and facts.axes:
        blocks.append(_by_frequency(samples, looked_at, maps["integrated_gradients"]))
    if len(table) > 1:
        blocks.append(_alike(agreement, n, titles))
    left_out = None if config["methods"] or len(table) == len(TITLES) else without_guided(network, x[:1])
    return Exhibit(
        kind="run",
        name="",
        method="attribution",
        seed=0,
        title=TITLE,
        caption=_caption(facts, baseline, means, verdicts, left_out),
        numbers=numbers,
        blocks=blocks,
        sources=SOURCES,
    )


def _agreement(
    network: nn.Module,
    samples: Samples,
    table: Mapping[str, Any],
    compared: int,
    shown: Sequence[int],
    maps: Mapping[str, Tensor],
) -> tuple[dict[tuple[str, str], np.ndarray], int]:
    """Rank correlation of each pair of methods, (n,), on samples evenly spread over the split.

    `maps` are those of the samples `shown`, and are not made twice where these are all that there is to compare.
    """
    each = effort(network, to_tensor(samples.facts, samples.inputs[:1]))
    places = evenly(len(samples), affordable(COMPARED, each, min(4, compared), compared))
    found = maps
    if list(places) != list(shown):
        x = to_tensor(samples.facts, samples.inputs[places])
        target = logits_of(network, x).argmax(1)
        found = {name: method(network, x, target) for name, method in table.items()}
    valid = counting(samples, places)
    return {
        (one, other): rank_correlations(found[one], found[other], valid) for one, other in combinations(table, 2)
    }, len(places)


def _summary(
    agreement: Mapping[tuple[str, str], np.ndarray], n: int, means: Sequence[Mean], verdicts: Mapping[str, Verdict]
) -> list[Number]:
    numbers = [Number("methods_that_fail", sum(verdict.fails for verdict in verdicts.values()), n=len(verdicts))]
    if means:
        gaps = [abs(mean.gap) / max(abs(mean.difference), 1e-12) for mean in means]
        numbers += [
            Number("path_error", significant(max(mean.error for mean in means), 2), unit="fraction", n=len(means)),
            Number("completeness_gap", significant(max(gaps), 2), unit="fraction", n=len(means)),
            Number("path_points", float(np.mean([mean.points for mean in means])), n=len(means)),
        ]
    if agreement:
        values = np.mean(list(agreement.values()), axis=0)
        numbers.append(Number("agreement", float(values.mean()), *_interval(values), n=n))
    numbers += [verdict.number(name) for name, verdict in verdicts.items()]
    numbers += [
        Number("agreement", float(values.mean()), *_interval(values), n=n, subject=f"method={one};with={other}")
        for (one, other), values in agreement.items()
    ]
    return numbers


def _interval(values: np.ndarray) -> tuple[float | None, float | None]:
    return mean_interval(values) if len(values) >= 10 else (None, None)


def _of_sample(samples: Samples, answer: Answer, maps: Mapping[str, Tensor], means: Sequence[Mean]) -> list[Number]:
    facts, subject = samples.facts, f"sample={samples.table['id'][answer.place]}"
    numbers = [Number("confidence", answer.confidence, unit="fraction", subject=subject)]
    for mean in means:
        numbers += [
            Number("output_difference", significant(mean.difference, 6), subject=subject),
            Number("completeness_gap", significant(mean.gap, 2), subject=subject),
            Number("path_error", significant(mean.error, 2), unit="fraction", subject=subject),
            Number("path_points", mean.points, subject=subject),
        ]
    for name, found in maps.items():
        values = found.double().numpy()
        where = f"method={name};{subject}"
        total = float(np.abs(values).sum())
        numbers.append(Number("sum", significant(float(values.sum())), subject=where))
        if total > 0:
            positive = float(values.clip(min=0).sum()) / total
            numbers.append(Number("positive_share", significant(positive), unit="fraction", subject=where))
        if facts.kind == "sounds" and total > 0 and facts.axes:
            peak, low, high = extent(facts.axes[0].values, np.abs(values).sum(axis=1))
            numbers += [
                Number("peak", significant(peak), unit="Hz", subject=where),
                Number("middle_half_from", significant(low), unit="Hz", subject=where),
                Number("middle_half_to", significant(high), unit="Hz", subject=where),
            ]
    return numbers


def _pictures(
    samples: Samples, looked_at: Sequence[Answer], maps: Mapping[str, Tensor], verdicts: Mapping[str, Verdict]
) -> Grid:
    facts = samples.facts
    items: list[Item] = []
    side = 1
    for row, answer in enumerate(looked_at):
        name, group = str(samples.table["id"][answer.place]), answer.said(samples)
        items.append(sample_item(samples, answer, group))
        for method, found in maps.items():
            values = found[row].double().numpy()
            drawn, side = (values, 1) if facts.kind == "signals" else coarser(values)
            shown = {"largest": float(drawn.max()), "smallest": float(drawn.min()), "sum": float(values.sum())}
            if facts.kind == "signals":
                shown[f"peak, {facts.axes[0].unit}"] = facts.axes[0].values[int(np.abs(values).argmax())]
            if facts.kind == "sounds" and np.abs(values).sum() > 0 and facts.axes:
                shown["peak, Hz"] = extent(facts.axes[0].values, np.abs(values).sum(axis=1))[0]
            items.append(
                Item(
                    id=f"{method} of {name}",
                    pixels=on_signal(samples, answer, drawn)
                    if facts.kind == "signals"
                    else signed_picture(facts, drawn),
                    label=marked(titled(method), verdicts[method]),
                    values={key: significant(value) for key, value in shown.items()},
                    group=group,
                )
            )
    blocks = f" A cell is the sum of {side} × {side} px." if side > 1 else ""
    return Grid(
        "maps",
        items,
        columns=1 + len(maps),
        title={"en": "What speaks for the class that is read, and what against it", "zh": "支持与反对所读类别的部分"},
        caption={
            "en": (
                f"Red: {_sign(facts)[0]}; blue: the opposite; near white: nothing.{blocks} Each map has a scale of its "
                "own, symmetric about zero; its strongest hundredth of cells shares the darkest colours. A map that is "
                "zero is drawn as zero."
            ),
            "zh": f"红：{_sign(facts)[1]}；蓝：相反；近白：无。每张图用自己的对称尺度，最强的百分之一同为最深色。",
        },
    )


def _sign(facts: Facts) -> tuple[str, str]:
    if facts.kind == "signals":
        return (
            "the colour below a moment says that a higher signal there would raise the class's output (gradients), "
            "or that what is there raises it (integrated gradients, occlusion); channels are added up",
            "该时刻的信号升高会提高该类输出（梯度），或此处的内容提高了它（积分梯度、遮挡）；各通道相加",
        )
    brighter = ("light", "更亮") if facts.kind == "images" else ("loudness", "更响")
    return (
        f"more {brighter[0]} here would raise the output of the class (gradients), or what is here raises it "
        "(integrated gradients, occlusion)",
        f"此处{brighter[1]}会提高该类输出（梯度），或此处的内容提高了它（积分梯度、遮挡）",
    )


def _sentences(
    samples: Samples, looked_at: Sequence[Answer], maps: Mapping[str, Tensor], verdicts: Mapping[str, Verdict]
) -> Texts:
    sentences: list[Sentence] = []
    for row, answer in enumerate(looked_at):
        name = str(samples.table["id"][answer.place])
        for method, found in maps.items():
            weights = found[row].double().numpy()
            sentences.append(
                Sentence(
                    id=f"{method} of {name}",
                    tokens=weighed(samples, answer, weights),
                    label=marked(titled(method), verdicts[method]),
                    state=answer.state,
                    values={"sum": significant(float(weights.sum()))},
                    group=answer.said(samples),
                    spaces=spaced(samples.facts),
                )
            )
    return Texts(
        "maps",
        sentences,
        title={"en": "Words for the class that is read, and words against it", "zh": "支持与反对所读类别的词"},
        caption={
            "en": (
                "Marked red: the word raises the output of the class that is read; blue: it lowers it. Each sentence "
                "has a scale of its own. A word's weight is the sum over the numbers of its vector; occlusion takes "
                "the word away and leaves a gap."
            ),
            "zh": (
                "红：该词提高所读类别的输出；蓝：降低。每句用自己的尺度。"
                "词的权重是其词向量各分量之和；遮挡是去掉该词，留下空位。"
            ),
        },
    )


def _by_frequency(samples: Samples, looked_at: Sequence[Answer], maps: Tensor) -> Figure:
    """Contributions summed over time, along the frequency axis in Hz."""
    import pandas as pd

    bands = samples.facts.axes[0].values
    sums = maps.double().sum(2).numpy()
    names = [f"{samples.table['id'][answer.place]}, {class_name(samples.facts, answer.read)}" for answer in looked_at]

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
    return Figure(
        "frequencies",
        draw(paint, 640, 300),
        alt={"en": f"Curves of contribution over frequency. Each is strongest at: {peaks}."},
        data=table,
        title={"en": "At which frequencies a word is told", "zh": "在哪些频率上认出一个词"},
        caption={
            "en": (
                "Integrated gradients summed over time: above zero, what the band holds speaks for the word that is "
                f"read, below zero against it. Strongest at: {peaks}."
            ),
            "zh": f"积分梯度对时间求和：零以上支持所读的词，零以下反对。最强处：{peaks}。",
        },
    )


def _alike(agreement: Mapping[tuple[str, str], np.ndarray], n: int, titles: Mapping[str, str]) -> Matrix:
    names = list(titles)
    values = np.eye(len(names))
    for (one, other), found in agreement.items():
        row, column = names.index(one), names.index(other)
        values[row, column] = values[column, row] = round(float(found.mean()), 3)
    return Matrix(
        "agreement",
        list(titles.values()),
        list(titles.values()),
        values,
        title={"en": "How alike the methods are", "zh": "各方法有多相似"},
        caption={
            "en": (
                f"Mean rank correlation of two methods' maps of the same sample, over {n} test samples: 1, the same "
                "order of places; 0, nothing in common. They answer different questions, and agree no more than this."
            ),
            "zh": f"两种方法对同一样本的图的平均秩相关（{n} 个测试样本）：1 为同序，0 为无关。它们回答的问题并不相同。",
        },
    )


def _caption(
    facts: Facts,
    baseline: Baseline,
    means: Sequence[Mean],
    verdicts: Mapping[str, Verdict],
    left_out: DoesNotApply | None,
) -> Text:
    en = [
        "For the class that is read, before softmax. Gradients: how the output changes with each place. Integrated "
        f"gradients: what each place adds on the straight way to the sample from {baseline.en}. Occlusion: what is "
        "lost when a window is covered by that. Guided backpropagation: the gradient without what is negative on the "
        "way back."
    ]
    zh = [
        "对所读类别的输出（softmax 之前）。梯度：输出随各处如何变化。积分梯度：从"
        f"{baseline.zh}直线走到样本时各处的贡献。遮挡：用它盖住一块后损失多少。引导反向传播：反传时去掉负的部分。"
    ]
    if facts.kind == "texts":
        en.append(
            "Gradients of a word are multiplied by its vector, for a word has no brighter or darker: what it does, to "
            "first order."
        )
        zh.append("词的梯度乘以其词向量：一阶近似下该词的作用。")
    if means:
        sentence = precision(means)
        en.append(sentence["en"])
        zh.append(sentence["zh"])
    if left_out is not None:
        en.append(f"Guided backpropagation is left out: {left_out.because['en']}.")
        zh.append(f"未作引导反向传播：{left_out.because.get('zh', left_out.because['en'])}。")
    return [{"en": " ".join(en), "zh": "".join(zh)}, *tested(verdicts)]
