"""The input that excites each dense unit most, against filters: whole shapes against textures (M7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.ascent.maximisation import (
    SOURCES,
    VARIANTS,
    Maximised,
    against_real,
    counted,
    item,
    maximise,
    numbers_of_unit,
    reading,
    states,
)
from cnnatomy.dissect.ascent.regularisers import Box, box
from cnnatomy.dissect.ascent.units import Units, listen
from cnnatomy.drawing.plotting import SERIES, draw
from cnnatomy.exhibit import Block, Exhibit, Figure, Grid, Number, Text
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.rounding import significant
from cnnatomy.probing.choosing import evenly
from cnnatomy.probing.convolving import frozen
from cnnatomy.probing.layers import CONVOLUTIONS, Layer, LayerNotFound, named, trace
from cnnatomy.probing.work import effort
from cnnatomy.statistics.intervals import average

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

TITLE = {"en": "What excites each dense unit most", "zh": "最能激活每个全连接单元的输入"}
PASSES = 3  # a step forward and back costs as much as three forward
SHIFTS = (1, 2, 3, 4)  # pixels
SAID = 2  # the shift whose number is shown large
BESIDE = 16  # filters of the last convolution that dense units are compared with


def dense_maximisation(
    network: nn.Module, samples: Samples, config: Mapping[str, Any], *, training: Samples | None, seed: int
) -> Exhibit:
    """Optimise an input for every dense unit but those of the last layer, which are classes (M7; Erhan et al. 2009).

    The same three ways as for filters, see `maximisation`. What sets dense units apart from filters is measured: how
    much of its value a unit keeps when the input made for it is shifted. A filter looks everywhere, a dense unit at
    each pixel in its own way.

    config: `layers`, `units`, `steps`, `starts`, `compared`, `work`; see conf/dissect/dense_maximisation.yaml.
    training: where the spectrum of the data is from; the samples where None. The exhibit's name and seed are left for
    the caller. Raises DoesNotApply for texts and networks without hidden dense layers, LayerNotFound for an unknown
    layer, ValueError for a unit that no layer has.
    """
    facts, training = samples.facts, training or samples
    if facts.kind == "texts":
        raise DoesNotApply({"en": "words can't be changed by small steps", "zh": "词不能一点点改变"})
    x = to_tensor(facts, samples.inputs[:1])
    traced = trace(network, x)
    layers = _layers(traced, len(facts.classes), config["layers"])
    last = [layer for layer in traced[: traced.index(layers[0])] if isinstance(layer.module, CONVOLUTIONS)][-1:]
    limits = box(samples)
    units = [Units(network, traced, layer, x) for layer in [*layers, *last]]
    budget = config["starts"] * config["steps"] * len(VARIANTS) * PASSES * effort(network, x) * len(units)
    found: list[Maximised] = []
    for index, (one, reals) in enumerate(zip(units, listen(units, samples, config["compared"]), strict=True)):
        wanted = np.arange(one.count) if config["units"] is None or one.maps else np.array(config["units"])
        if wanted.min() < 0 or wanted.max() >= one.count:
            raise ValueError(f"units: {wanted.tolist()} are not all units of {one.layer.name!r}, which has {one.count}")
        most = max(1, min(len(wanted), int(config["work"] / budget), BESIDE if one.maps else len(wanted)))
        found.append(
            maximise(
                one,
                reals,
                samples,
                training,
                limits,
                wanted[evenly(len(wanted), most)],
                summed=bool(one.maps),
                steps=config["steps"],
                starts=config["starts"],
                seed=(seed, index),
            )
        )
    dense, filters = [look for look in found if not look.summed], [look for look in found if look.summed]
    kept = {look.units.layer.name: kept_when_shifted(look, limits) for look in found}
    numbers = _summary(dense, filters, kept)
    for look in dense:
        subject = f"layer={look.units.layer.name}"
        numbers += [Number("units", look.units.count, subject=subject), *counted(states([look]), subject)]
        for row, k in enumerate(look.which):
            numbers += numbers_of_unit([look], row, f"{subject};unit={k}")
    return Exhibit(
        kind="run",
        name="",
        method="dense_maximisation",
        seed=0,
        title=TITLE,
        caption=_caption(dense, filters, kept, facts.kind),
        numbers=numbers + _curves(found, kept),
        blocks=_blocks(dense, filters, kept, facts, limits),
        sources=SOURCES,
    )


def _layers(traced: Sequence[Layer], classes: int, names: Sequence[str] | None) -> list[Layer]:
    """The dense layers whose units are no classes. A layer on every word or place of something is none of these."""
    dense = [layer for layer in traced if isinstance(layer.module, nn.Linear) and len(layer.shape) == 1]
    if names is not None:
        chosen = [named(traced, name) for name in names]
        for layer in chosen:
            if layer not in dense:
                there = ", ".join(one.name for one in dense) or "none"
                raise LayerNotFound(f"the layer {layer.name!r} is not a dense layer of units; there are: {there}")
        return chosen
    hidden = dense[:-1] if dense and dense[-1].shape == (classes,) else dense
    if not hidden:
        raise DoesNotApply(
            {
                "en": "the network has no dense layer but the last, whose units are the classes: those are in "
                "“class_maximisation”",
                "zh": "网络除最后一层外没有全连接层；最后一层的单元就是类别，见“class_maximisation”",
            }
        )
    return hidden


def kept_when_shifted(found: Maximised, limits: Box) -> np.ndarray:
    """Share of a unit's activation that is left when its plain input is shifted, (n, shifts).

    Mean over up, down, left and right (of signals: earlier and later), around the edge, so that nothing is lost but its
    place. Units that their own input doesn't make fire are left out.
    """
    which, images = torch.from_numpy(found.which), found.images["plain"]

    def fires(x: torch.Tensor) -> np.ndarray:
        with torch.no_grad(), frozen(found.units.network):
            _, after = found.units.values(x, which)
        return after.reshape(len(x), -1).sum(1).clamp_min(0).double().numpy()

    still = fires(images)
    shares = [
        np.mean([fires(images.roll(step, axis)) for axis in range(2, images.dim()) for step in (-by, by)], axis=0)[
            still > 0
        ]
        / still[still > 0]
        for by in SHIFTS
    ]
    return np.stack(shares, axis=1)


def _summary(dense: Sequence[Maximised], filters: Sequence[Maximised], kept: Mapping[str, np.ndarray]) -> list[Number]:
    numbers = against_real(dense)
    for metric, group in (("kept_by_dense", dense), ("kept_by_filters", filters)):
        shares = np.concatenate([kept[one.units.layer.name][:, SHIFTS.index(SAID)] for one in group] or [np.empty(0)])
        if len(shares):
            numbers.append(average(metric, shares, between=(0, np.inf)))
    ranks = np.concatenate([one.rank[one.live] for one in dense if len(one.rank)] or [np.empty(0)])
    if len(ranks):
        numbers.append(Number("ranks_first", float((ranks == 1).mean()), unit="fraction", n=len(ranks)))
    every = [state for one in dense for state in states([one])]
    return numbers + counted(every)


def _curves(found: Sequence[Maximised], kept: Mapping[str, np.ndarray]) -> list[Number]:
    return [
        Number(
            "kept", significant(float(kept[one.units.layer.name][:, place].mean())), n=len(one.which), subject=subject
        )
        for one in found
        if len(kept[one.units.layer.name])
        for place, by in enumerate(SHIFTS)
        for subject in [f"layer={one.units.layer.name};shift={by}"]
    ]


def _blocks(
    dense: Sequence[Maximised],
    filters: Sequence[Maximised],
    kept: Mapping[str, np.ndarray],
    facts: Facts,
    limits: Box,
) -> list[Block]:
    blocks: list[Block] = [_shift(kept, {one.units.layer.name for one in filters}, facts.kind)]
    for one in [*dense, *filters]:
        name, n = one.units.layer.name, len(one.which)
        label = states([one])
        kind = ("filters, for comparison", "个卷积核，供比较") if one.summed else ("dense units", "个全连接单元")
        blocks.append(
            Grid(
                f"units-{name}",
                [item(one, row, label[row], facts, limits, side=64) for row in range(n)],
                title={"en": f"{name}: {n} {kind[0]}", "zh": f"{name}：{n} {kind[1]}"},
                caption={
                    "en": f"{reading(facts)['en']} {one.beaten['en']}",
                    "zh": f"{reading(facts)['zh']}{one.beaten['zh']}",
                },
            )
        )
    return blocks


@dataclass(frozen=True)
class _Curve:
    name: str
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    filters: bool


def _shift(kept: Mapping[str, np.ndarray], filters: set[str], kind: str) -> Figure:
    """How much is kept against how far the input is shifted, a line a layer."""
    import pandas as pd

    ways = ("earlier and later", "向前后") if kind == "signals" else ("up, down, left and right", "向上下左右")
    curves = []
    for name, shares in kept.items():
        if len(shares):
            whole = np.concatenate([np.ones((len(shares), 1)), shares], axis=1)
            low, high = np.quantile(whole, (0.1, 0.9), axis=0)
            curves.append(_Curve(name, whole.mean(0), low, high, name in filters))
    shifts = np.array([0, *SHIFTS])

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        for colour, curve in zip(SERIES, curves, strict=False):
            axes.fill_between(shifts, curve.low, curve.high, color=colour, alpha=0.2, linewidth=0)
            kind = "filters" if curve.filters else "dense units"
            axes.plot(shifts, curve.mean, color=colour, marker="o", label=f"{curve.name} ({kind})")
        axes.set(
            xlabel="shift, steps" if kind == "signals" else "shift, px",
            ylabel="share of the activation kept",
            ylim=(0, None),
            xticks=shifts,
        )
        axes.legend()

    rows = [
        {"layer": curve.name, "shift": int(by), "mean": mean, "tenth": low, "ninetieth": high}
        for curve in curves
        for by, mean, low, high in zip(shifts, curve.mean, curve.low, curve.high, strict=True)
    ]
    return Figure(
        "shift",
        draw(paint, 560, 280),
        alt={"en": "Share of the activation that is kept against the shift of the input, one line for each layer."},
        data=pd.DataFrame(rows).round(4),
        title={"en": "What is left when the input is shifted", "zh": "输入平移后还剩多少"},
        caption={
            "en": f"The plain inputs, shifted around the edge {ways[0]}. Lines are means over units, "
            "bands hold the middle 80 % of them. A texture excites a filter wherever it lies; what excites "
            "a dense unit must be at its place.",
            "zh": f"把“plain”输入{ways[1]}循环平移。线为单元平均，色带包含中间 80 %。纹理在哪里都能激活卷积核；"
            "激活全连接单元的图案必须在它的位置上。",
        },
    )


def _caption(
    dense: Sequence[Maximised], filters: Sequence[Maximised], kept: Mapping[str, np.ndarray], kind: str
) -> Text:
    en = [
        "A dense unit has a weight of its own for every place, so that what excites it is one arrangement of strokes "
        "on the whole input; what excites a filter is a texture that may lie anywhere."
    ]
    zh = ["全连接单元对每个位置都有自己的权重，所以激活它的是整幅图上笔画的一种布局；激活卷积核的是可处处出现的纹理。"]
    place = SHIFTS.index(SAID)
    step = ("steps", "步") if kind == "signals" else ("pixels", "个像素")

    def mean(group: Sequence[Maximised]) -> float:
        shares = [kept[one.units.layer.name][:, place] for one in group]
        return float(np.concatenate(shares).mean()) if shares and sum(map(len, shares)) else float("nan")

    units, textures = mean(dense), mean(filters)
    if np.isfinite(units) and np.isfinite(textures):
        en.append(
            f"Shifted by {SAID} {step[0]}, inputs made for dense units keep {units:.2f} of the activation, those made "
            f"for the filters of {filters[0].units.layer.name} {textures:.2f}."
        )
        zh.append(
            f"平移 {SAID} {step[1]}后，为全连接单元而造的输入保留 {units:.2f} 的激活，"
            f"为卷积核而造的保留 {textures:.2f}。"
        )
    en.append(
        "A unit is live if it fires on any real sample, rescued if only an input made for it makes it fire, dead if "
        "nothing did. Its rank says on how many units of the layer that input has a more unusual effect, in standard "
        "deviations above their means on data, counted from 1: none."
    )
    zh.append(
        "在任一真实样本上大于零为活跃；只有人造输入能激活为被救活；都不能为已死。"
        "名次 1 表示没有别的单元被激活得更反常。"
    )
    return {"en": " ".join(en), "zh": "".join(zh)}
