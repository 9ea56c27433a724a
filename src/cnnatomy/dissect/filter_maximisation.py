"""The input that excites each filter most (M6)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.ascent.maximisation import (
    ENOUGH,
    SAME,
    SOURCES,
    VARIANTS,
    Maximised,
    against_real,
    counted,
    exact_optimum,
    item,
    maximise,
    numbers_of_unit,
    reading,
    states,
    through,
)
from cnnatomy.dissect.ascent.regularisers import Box, box
from cnnatomy.dissect.ascent.units import Units, listen
from cnnatomy.drawing.showing import span_of
from cnnatomy.exhibit import Block, Exhibit, Grid, Number, Text
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.blocks import State
from cnnatomy.exhibit.rounding import significant
from cnnatomy.probing.choosing import evenly
from cnnatomy.probing.layers import CONVOLUTIONS, Layer, LayerNotFound, named, stages, trace
from cnnatomy.probing.work import reached

TITLE = {"en": "What excites each filter most", "zh": "最能激活每个卷积核的输入"}
PASSES = 3  # a step forward and back costs as much as three forward
STEPPING = 150  # multiply-adds that a step costs for each value of the input besides: Adam, spectrum, contrast
DEPTHS = 5  # layers looked at where all are too many
#: (share of the starts, share of the steps) to save by, in this order, before fewer than `FEW` filters are looked at.
SAVINGS = ((1.0, 1.0), (0.5, 1.0), (0.0, 1.0), (0.0, 0.5))
FEW = 8


def filter_maximisation(
    network: nn.Module, samples: Samples, config: Mapping[str, Any], *, training: Samples | None, seed: int
) -> Exhibit:
    """Optimise an input for every filter of every convolution, all of a layer in one batch (M6).

    Two objectives: the value of a filter at one position, of which only the window that it sees is optimised, and the
    sum of its map. Three ways each, see `maximisation`; each beside the real input that excites the filter most.

    config: `layers`, `units`, `steps`, `starts`, `side`, `compared`, `work`, `shown`; see
    conf/dissect/filter_maximisation.yaml. training: where the spectrum of the data is from; the samples where None. The
    exhibit's name and seed are left for the caller.
    Raises DoesNotApply for texts, LayerNotFound for an unknown layer or a network without convolution, and ValueError
    for a unit that no layer has.
    """
    if samples.facts.kind == "texts":
        raise DoesNotApply(
            {
                "en": "words can't be changed by small steps; the best words of the whole vocabulary for each filter "
                "are found exactly in “ngrams”",
                "zh": "词不能一点点改变；每个卷积核在整个词表中的最佳词组见“ngrams”",
            }
        )
    scenes, training, traced = _scenes(network, samples, training or samples, config["side"])
    x = to_tensor(scenes.facts, scenes.inputs[:1])
    limits = box(samples)
    plans = _plans(traced, x, config)
    units = [Units(network, traced, plan.layer, x) for plan in plans]
    looks: list[Look] = []
    for index, (one, reals, plan) in enumerate(
        zip(units, listen(units, scenes, config["compared"]), plans, strict=True)
    ):
        found = [
            maximise(
                one,
                reals,
                scenes,
                training,
                limits,
                plan.which,
                summed=summed,
                steps=plan.steps,
                starts=plan.starts,
                seed=(seed, index, int(summed)),
            )
            for summed in (False, True)
        ]
        looks.append(
            Look(plan, found[0], found[1], exact_optimum(one, found[0].window, limits, plan.which), states(found))
        )
    return Exhibit(
        kind="run",
        name="",
        method="filter_maximisation",
        seed=0,
        title=TITLE,
        caption=_caption(looks, scenes, samples, traced),
        numbers=_summary(looks) + [number for look in looks for number in _of_layer(look)],
        blocks=_blocks(looks, scenes.facts, limits, config),
        sources=SOURCES,
    )


@dataclass(frozen=True)
class Plan:
    """What is done for a layer: which of its filters, from how many starts, in how many steps."""

    layer: Layer
    which: np.ndarray
    starts: int
    steps: int


@dataclass(frozen=True)
class Look:
    """What was found for a layer; optimum is that at one position, (n,), where it is known."""

    plan: Plan
    position: Maximised
    map: Maximised
    optimum: np.ndarray | None
    states: list[State]

    @property
    def name(self) -> str:
        return self.plan.layer.name

    @property
    def share_of_optimum(self) -> np.ndarray | None:
        """Of each filter whose optimum is above zero; a share of a number below zero says nothing."""
        if self.optimum is None:
            return None
        best = self.optimum
        return np.divide(self.position.values["plain"], best, out=np.full(len(best), np.nan), where=best > 0)


def _scenes(network: nn.Module, samples: Samples, training: Samples, side: int) -> tuple[Samples, Samples, list[Layer]]:
    """The samples, or windows of them if they are larger than `side` and the network takes such; and its layers.

    A signal may be as long as such a window has places.
    """
    side = side**2 if samples.facts.kind == "signals" else side
    scenes = through(samples, side)
    try:
        traced = trace(network, to_tensor(scenes.facts, scenes.inputs[:1]))
        return scenes, through(training, side), traced
    except Exception:  # whatever the network does with another size than its own
        if scenes is samples:
            raise
        return samples, training, trace(network, to_tensor(samples.facts, samples.inputs[:1]))


def _plans(traced: Sequence[Layer], x: Tensor, config: Mapping[str, Any]) -> list[Plan]:
    """Every filter of every convolution where that is not too much work; else some, spread over depth and layer."""
    convolutions = [layer for stage in stages(traced) for layer in stage]
    if config["layers"] is not None:
        layers = [named(traced, name) for name in config["layers"]]
        for layer in layers:
            if not isinstance(layer.module, CONVOLUTIONS):
                names = ", ".join(found.name for found in convolutions)
                raise LayerNotFound(
                    f"the layer {layer.name!r} is no convolution, so it has no filters. There are: {names}"
                )
    else:
        layers = convolutions
    once = {layer.name: _work(traced, layer, x) for layer in layers}
    units: Sequence[int] | None = config["units"]
    for layer in layers:
        if units is not None and not all(0 <= unit < layer.shape[0] for unit in units):
            raise ValueError(f"units: {units} are not all filters of {layer.name!r}, which has {layer.shape[0]}")
    full = config["starts"] * config["steps"]
    total = sum(full * once[layer.name] * (len(units) if units else layer.shape[0]) for layer in layers)
    if config["layers"] is None and total > config["work"] and len(layers) > DEPTHS:
        layers = [layers[place] for place in np.linspace(0, len(layers) - 1, DEPTHS).astype(int)]
    plans = []
    for layer in layers:
        wanted = np.arange(layer.shape[0]) if units is None else np.array(units)
        starts, steps, most = config["starts"], config["steps"], len(wanted)
        for fewer, shorter in SAVINGS if total > config["work"] else ():
            starts, steps = max(1, round(fewer * config["starts"])), max(1, round(shorter * config["steps"]))
            most = int(config["work"] / len(layers) / (starts * steps * once[layer.name]))
            if most >= min(FEW, len(wanted)):
                break
        which = wanted[evenly(len(wanted), max(1, most))]
        plans.append(Plan(layer, which, starts, steps))
    return plans


def _work(traced: Sequence[Layer], layer: Layer, x: Tensor) -> float:
    """Effort of one step for one filter, in all variants of both objectives; of the layer its channel alone."""
    weight = layer.module.weight
    assert isinstance(weight, Tensor)
    whole = reached(traced, layer) - weight[0].numel() * math.prod(layer.shape[1:]) * (layer.shape[0] - 1)
    sides = x.shape[2:]
    seen = layer.field.size if layer.field is not None and len(layer.field.size) == len(sides) else sides
    part = math.prod(min(1.0, size / side) for size, side in zip(seen, sides, strict=True))
    return len(VARIANTS) * (PASSES * whole + STEPPING * x.numel()) * (1 + part)


def _summary(looks: Sequence[Look]) -> list[Number]:
    """Six numbers of the whole: how far the pictures can be trusted, and what became of the filters."""
    numbers: list[Number] = []
    for objective in ("position", "map"):
        found = [look.position if objective == "position" else look.map for look in looks]
        numbers += against_real(found, f"_{objective}")
    shares = [look.share_of_optimum for look in looks]
    reached = np.concatenate([of for of in shares if of is not None] or [np.empty(0)])
    reached = reached[np.isfinite(reached)]
    if len(reached):
        least = min(1.0, significant(float(reached.min()), 6))  # rounding may put it a hair above
        numbers.append(Number("least_share_of_optimum", least, unit="fraction", n=len(reached)))
    ranks = np.concatenate(
        [look.position.rank[look.position.live] for look in looks if len(look.position.rank)] or [[]]
    )
    if len(ranks):
        numbers.append(Number("ranks_first", float((ranks == 1).mean()), unit="fraction", n=len(ranks)))
    return numbers + counted([state for look in looks for state in look.states])


def _of_layer(look: Look) -> list[Number]:
    subject = f"layer={look.name}"
    numbers = [
        Number("filters", look.position.units.count, subject=subject),
        Number("looked_at", len(look.plan.which), subject=subject),
        Number("starts", look.plan.starts, subject=subject),
        Number("steps", look.plan.steps, subject=subject),
        *counted(look.states, subject),
    ]
    shares = look.share_of_optimum
    for row, k in enumerate(look.plan.which):
        unit = f"{subject};filter={k}"
        numbers += numbers_of_unit([look.position, look.map], row, unit)
        if look.optimum is not None:
            numbers.append(Number("optimum", significant(float(look.optimum[row])), subject=unit))
        if shares is not None and np.isfinite(shares[row]):
            share = min(1.0, significant(float(shares[row]), 6))
            numbers.append(Number("share_of_optimum", share, unit="fraction", subject=unit))
    return numbers


def _blocks(looks: Sequence[Look], facts: Facts, limits: Box, config: Mapping[str, Any]) -> list[Block]:
    """For each layer both objectives, a strip a filter; where there are too many pixels, filters evenly spread."""
    blocks: list[Block] = []
    for look in looks:
        for found in (look.position, look.map):
            every = [one.map if found.summed else one.position for one in looks]
            values = [math.prod(one.window.shape) * 4 * len(one.which) for one in every]
            kept = min(1.0, config["shown"] / sum(values))
            rows = evenly(len(found.which), max(1, int(kept * len(found.which))))
            items = [item(found, row, look.states[row], facts, limits, side=64) for row in rows]
            blocks.append(
                Grid(
                    f"{'map' if found.summed else 'position'}-{look.name}",
                    items,
                    title=_title(look, found, facts),
                    caption=_reading(look, found, len(items), facts),
                )
            )
    return blocks


def _title(look: Look, found: Maximised, facts: Facts) -> Text:
    if found.summed:
        size = " × ".join(map(str, found.units.maps))
        return {"en": f"{look.name}: the sum of the map of {size}", "zh": f"{look.name}：{size} 特征图之和"}
    field = look.plan.layer.field
    seen = span_of(facts, field.size) if field is not None else {"en": "all of it", "zh": "全部"}
    return {
        "en": f"{look.name}: one position, which sees {seen['en']}",
        "zh": f"{look.name}：单个位置，看到 {seen['zh']}",
    }


def _reading(look: Look, found: Maximised, shown: int, facts: Facts) -> Text:
    n = len(found.which)
    en = [f"{reading(facts)['en']} {found.beaten['en']}"]
    zh = [f"{reading(facts)['zh']}{found.beaten['zh']}"]
    held = found.values["l1_tv"] > found.best + SAME * np.abs(found.best)
    en.append(f"L1 + TV, with no more ink and variation than it, beats it for {int(held[found.live].sum())}.")
    zh.append(f"“L1 + TV”的墨量与总变差都不超过它，有 {int(held[found.live].sum())} 个超过它。")
    shares = None if found.summed else look.share_of_optimum
    if shares is not None and np.isfinite(shares).any():
        least = f"{100 * min(1.0, float(np.nanmin(shares))):.2f} %"
        en.append(
            "The value is affine in the input, so that its largest value in the box is known exactly: the least share "
            f"of it that plain reaches is {least}."
        )
        zh.append(f"此值是输入的仿射函数，最大值可精确算出：“plain”至少达到其 {least}。")
    if shown < n:
        en.append(f"Drawn are {shown} of {n}, evenly spread; the numbers of all are in results.csv.")
        zh.append(f"画出 {n} 个中均匀选取的 {shown} 个；全部数字见 results.csv。")
    if n < found.units.count:
        en.append(
            f"Of {found.units.count} filters {n} were looked at, from {look.plan.starts} start"
            f"{'s' if look.plan.starts > 1 else ''} in {look.plan.steps} steps: what `work` allows."
        )
        zh.append(f"{found.units.count} 个卷积核中考察了 {n} 个（`work` 所限）。")
    return {"en": " ".join(en), "zh": "".join(zh)}


def _caption(looks: Sequence[Look], scenes: Samples, samples: Samples, traced: Sequence[Layer]) -> Text:
    compared = looks[0].position.reals.compared
    en = [
        "Not what a filter is for, but what drives it hardest: expect strokes, edges and textures, and inputs that no "
        "one would draw. “One position” climbs the value that the filter has at one place, before its activation; only "
        "the window that it sees is changed. “The sum of the map” climbs the sum over all places, activated: "
        "a pattern that can stand everywhere.",
        f"The best real input is that of {compared:,} {samples.split} samples; people predict what a filter does "
        "better from real inputs than from made ones, so look at both."
        if scenes is samples
        else f"Real inputs are {compared:,} windows of {' × '.join(map(str, scenes.facts.shape[1:]))} of "
        f"{len(samples):,} {samples.split} samples: too few pictures to call any filter usual.",
        "A filter is live if it fires on any of them, rescued if only an input made for it makes it fire, dead if "
        "nothing did. Its rank says how selective the input is: on the plain input made for it, is it more standard "
        "deviations above its mean on data than any other filter of the layer (1), or how many are ahead of it?",
    ]
    zh = [
        "这里展示的不是卷积核“为了什么”，而是什么最能驱动它：会看到笔画、边缘、纹理，也会看到没人会画的输入。"
        "“单个位置”提高卷积核在某一处激活函数之前的值，只改变它看得到的窗口；“特征图之和”提高激活之后所有位置之和：可以处处重复的图案。"
        f"真实输入取自 {compared:,} 个样本。",
        "若在任一样本上大于零则为活跃（live）；只有人造输入能激活则为被救活（rescued）；都不能则为已死（dead）。"
        "名次（rank）表示选择性：在为它而造的输入上，以“高于其平均值多少个标准差”计，它在本层排第几。",
    ]
    convolutions = sum(isinstance(layer.module, CONVOLUTIONS) for layer in traced)
    if len(looks) < convolutions:
        en.append(f"Looked at are {len(looks)} of {convolutions} convolutions.")
        zh.append(f"考察了 {convolutions} 个卷积层中的 {len(looks)} 个。")
    if compared < ENOUGH:
        en.append("With so few samples, ranks are left out.")
        zh.append("样本太少，不给出名次。")
    return {"en": " ".join(en), "zh": "".join(zh)}
