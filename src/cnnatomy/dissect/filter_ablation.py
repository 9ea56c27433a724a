"""Which filters are good, idle, harmful, too many: the network without each, and without more and more (M14b)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.drawing.plotting import MUTED, SERIES, draw
from cnnatomy.drawing.showing import signed, significant
from cnnatomy.exhibit import Block, Exhibit, Figure, Grid, Item, Matrix, Number, Table
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.probing.choosing import evenly
from cnnatomy.probing.layers import Layer, LayerNotFound, batch_size, capture, named, stages, trace
from cnnatomy.probing.outputs import logits_of
from cnnatomy.probing.removal import Removal, gate_of, work
from cnnatomy.statistics.intervals import mean_interval, wilson
from cnnatomy.statistics.paired import by_chance, discoveries, lost

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

TITLE = {"en": "Which filters are needed", "zh": "哪些卷积核是必需的"}
SOURCES = [
    "Morcos, Barrett, Rabinowitz & Botvinick 2018, On the importance of single directions for generalization, ICLR",
    "Molchanov, Tyree, Karras, Aila & Kautz 2017, Pruning convolutional neural networks for resource efficient "
    "inference, ICLR",
    "Agresti & Min 2005, Simple improved confidence intervals for comparing matched proportions, Statistics in "
    "Medicine 24",
]
FEWEST = 200  # test samples below which filters are thinned out instead, and half as many of those are looked at
LEAST = 10  # filters, and samples, looked at however large the network is
RATE = 0.05  # of the filters named good or harmful that may be so by chance
CLASSES = 30  # more of them make no table by class
DAMAGING = 20  # filters in the table by class
CORRELATED = 500  # samples on which maps are compared
PLACES = 64  # of a map that are compared, evenly spread; fewer where that would be more numbers than there is room for
ROOM = 2**26
PANELS = 4  # layers drawn
PICTURES = 12  # layers whose correlations are drawn
LARGEST = 64  # filters of a layer in such a picture
POINT = 0.01
KINDS = ("good", "idle", "harmful", "undecided")
COLOURS = {"good": SERIES[0], "idle": MUTED, "harmful": SERIES[1], "undecided": SERIES[3]}


@dataclass(frozen=True)
class Part:
    """The filters of one layer that were looked at.

    name: of the convolution. gate: where they are set to zero. channels: those looked at. total: all there are.
    """

    name: str
    gate: str
    channels: np.ndarray
    total: int


@dataclass(frozen=True)
class Measured:
    """What was found of each filter of a part, (filters, …).

    lost, low, high: accuracy lost without it, and its interval. loss: mean loss (cross-entropy) added without it, with
    its interval (filters, 3). kinds: good, idle, harmful or undecided. by_class: accuracy lost (filters, classes).
    fires: the share of samples that raise it above zero; none does of a dead one.
    correlation: (all filters of the layer, the same); zero for one that never varies.
    """

    part: Part
    lost: np.ndarray
    low: np.ndarray
    high: np.ndarray
    loss: np.ndarray
    kinds: list[str]
    by_class: np.ndarray
    fires: np.ndarray
    correlation: np.ndarray

    @property
    def dead(self) -> np.ndarray:
        return self.fires == 0

    @property
    def effective(self) -> float:
        """How many filters' worth of different maps there are: the participation ratio of the correlations.

        The square of the eigenvalues' sum over the sum of their squares: as many as there are filters if no two maps
        go together, 1 if all are the same.
        """
        live = np.flatnonzero(self.correlation.diagonal() > 0)
        return len(live) ** 2 / float((self.correlation[np.ix_(live, live)] ** 2).sum()) if len(live) else 0.0

    def partner(self, channel: int) -> tuple[int, float]:
        """The other filter of the layer whose maps go most with those of this one, and their correlation."""
        others = np.abs(self.correlation[channel])
        others[channel] = -1
        best = int(others.argmax())
        return best, float(self.correlation[channel, best])


def filter_ablation(
    network: nn.Module, samples: Samples, config: Mapping[str, Any], *, training: Samples | None, seed: int
) -> Exhibit:
    """Accuracy lost without each filter, how alike their maps are, accuracy against the number of filters kept (M14b).

    A filter is removed by setting its map to zero behind the activation: what the network would be without it.
    config: see conf/dissect/filter_ablation.yaml. Raises DoesNotApply without labels, LayerNotFound for an unknown
    layer or a network without convolution, NoLogits for a network of no classes.
    """
    facts = samples.facts
    labelled = np.flatnonzero(samples.labels >= 0)
    if len(labelled) == 0:
        raise DoesNotApply(
            {"en": "accuracy can't be measured on samples without a label", "zh": "样本没有标签，无法测量正确率"}
        )
    if len(labelled) < 2:
        raise DoesNotApply({"en": "there are fewer than two labelled test samples", "zh": "有标签的测试样本不足两个"})
    example = to_tensor(facts, samples.inputs[labelled[:1]])
    logits_of(network, example, len(facts.classes))
    traced = trace(network, example)
    convolutions = _convolutions(traced, config["layers"])
    removal = Removal(network, traced, [gate_of(traced, layer) for layer in convolutions], example)
    parts, plan = _planned(removal, traced, convolutions, config, len(labelled))
    total = sum(layer.shape[0] for layer in convolutions)
    random = np.random.default_rng((seed, 14))

    tested = _spread(labelled, plan.samples)
    inputs, labels = samples.inputs, samples.labels
    whole, without = _answers(removal, parts, facts, inputs[tested], labels[tested])
    measured = _measured(network, traced, parts, samples, tested, whole, without, config)
    source = samples if training is None else training
    known = np.flatnonzero(source.labels >= 0)
    curve, blocks = None, list[Block]()
    if plan.curve:
        step = config["step"] if plan.rounds else 1.0
        order, levels = _order(removal, parts, source, _spread(known, plan.ranked), step)
        curve = _curve(removal, parts, samples, _spread(labelled, plan.curve), order, levels, config["draws"], random)
        blocks.append(_kept_figure(curve, training is not None))
    blocks.append(_lost_figure(measured))
    if len(facts.classes) <= CLASSES:
        blocks.append(_by_class(measured, facts))
    blocks += [_correlations(measured), _table(measured)]
    return Exhibit(
        kind="run",
        name="",
        method="filter_ablation",
        seed=0,
        title=TITLE,
        caption=_caption(measured, total, whole.right, curve is not None, training is not None, config),
        numbers=_numbers(measured, curve, whole.right),
        blocks=blocks,
        sources=SOURCES,
    )


def _convolutions(traced: Sequence[Layer], names: Sequence[str] | None) -> list[Layer]:
    found = [layer for stage in stages(traced) for layer in stage]
    if names is None:
        return found
    chosen = [named(traced, name) for name in names]
    for layer in chosen:
        if len(layer.shape) < 2:
            raise LayerNotFound(f"the layer {layer.name!r} has no maps: its output for a sample is {layer.shape}")
    return chosen


@dataclass(frozen=True)
class Plan:
    """How many samples each measurement takes; of the curve none where it would take too long.

    rounds: whether the damage is looked at again after each removal.
    """

    samples: int
    ranked: int = 0
    curve: int = 0
    rounds: bool = False


def _planned(
    removal: Removal, traced: Sequence[Layer], convolutions: Sequence[Layer], config: Mapping[str, Any], labelled: int
) -> tuple[list[Part], Plan]:
    """What can be measured within the budget: two fifths for each filter, two for the order, one for the curve.

    Where two fifths aren't enough for all filters, all goes to as many of them as can be removed, evenly spread.
    """
    gates = [gate_of(traced, layer).name for layer in convolutions]
    every = [(at, channel) for at, layer in enumerate(convolutions) for channel in range(layer.shape[0])]
    costs = [removal.cost(gate) for gate in gates]
    sweep = sum(costs[at] for at, _ in every)
    fifth = config["budget"] / 5
    passes = 16 + 6 * config["draws"]  # of the curve
    curve = int(fifth / (passes * sum(map(work, traced))))
    thinned = sweep * min(FEWEST, labelled) > 2 * fifth or curve < min(FEWEST, labelled)
    if thinned:
        affordable = int(len(every) * config["budget"] / (sweep * min(FEWEST // 2, labelled)))
        every = [every[place] for place in _spread(np.arange(len(every)), max(LEAST, affordable))]
        sweep = sum(costs[at] for at, _ in every)
    chosen = [np.array([channel for of, channel in every if of == at], dtype=int) for at in range(len(gates))]
    parts = [
        Part(layer.name, gate, channels, layer.shape[0])
        for layer, gate, channels in zip(convolutions, gates, chosen, strict=True)
        if len(channels)
    ]
    if thinned:
        samples = max(LEAST, int(config["budget"] / sweep))
        return parts, Plan(samples=min(config["samples"], labelled, samples))
    again = 1 / config["step"]
    rounds = sweep * again * FEWEST / 2 <= 2 * fifth
    return parts, Plan(
        samples=min(config["samples"], labelled, int(2 * fifth / sweep)),
        ranked=max(LEAST, min(config["ranked"], int(2 * fifth / (sweep * (again if rounds else 1))))),
        curve=min(config["curve"], labelled, curve),
        rounds=rounds,
    )


def _spread(places: np.ndarray, most: int) -> np.ndarray:
    return places[evenly(len(places), most)]


@dataclass(frozen=True)
class Answers:
    """Whether each sample is read rightly, and its loss: (samples,), or (filters, samples) without each filter."""

    right: np.ndarray
    loss: np.ndarray


def _answers(
    removal: Removal, parts: Sequence[Part], facts: Facts, inputs: np.ndarray, labels: np.ndarray
) -> tuple[Answers, list[Answers]]:
    """The answers with all filters, and without each of them by part."""
    size = batch_size(facts.shape)
    found: list[list[Answers]] = [[] for _ in range(len(parts) + 1)]
    for start in range(0, len(inputs), size):
        x = to_tensor(facts, inputs[start : start + size])
        truth = torch.from_numpy(labels[start : start + size])
        found[-1].append(_answer([removal.logits(x, {})], truth))
        for batches, part in zip(found, parts, strict=False):
            logits = list(removal.without_each(x, part.gate, part.channels.tolist(), {}))
            batches.append(_answer(logits, truth))
    *without, whole = (
        Answers(*(np.concatenate([getattr(one, key) for one in batches], axis=1) for key in ("right", "loss")))
        for batches in found
    )
    return Answers(whole.right[0], whole.loss[0]), without


def _answer(logits: Sequence[Tensor], truth: Tensor) -> Answers:
    each = torch.stack(list(logits)).double()
    loss = -each.log_softmax(2).gather(2, truth.expand(len(each), -1)[..., None])[..., 0]
    return Answers((each.argmax(2) == truth).numpy(), loss.numpy())


def _measured(
    network: nn.Module,
    traced: Sequence[Layer],
    parts: Sequence[Part],
    samples: Samples,
    tested: np.ndarray,
    whole: Answers,
    without: Sequence[Answers],
    config: Mapping[str, Any],
) -> list[Measured]:
    chances = np.concatenate([[by_chance(whole.right, right) for right in one.right] for one in without])
    stand_out = discoveries(chances, RATE)
    one_of = np.eye(len(samples.facts.classes))[samples.labels[tested]]
    each = np.maximum(one_of.sum(axis=0), 1)
    all_work = sum(map(work, traced))
    looked_at = _spread(tested, max(LEAST, min(CORRELATED, int(config["budget"] / 10 / all_work))))
    maps = _maps(network, parts, samples, looked_at)
    measured, first = [], 0
    for part, one, (fires, correlation) in zip(parts, without, maps, strict=True):
        losses = np.array([lost(whole.right, right) for right in one.right])
        real = stand_out[first : first + len(losses)]
        first += len(losses)
        added = one.loss - whole.loss
        measured.append(
            Measured(
                part=part,
                lost=losses[:, 0],
                low=losses[:, 1],
                high=losses[:, 2],
                loss=np.array([[row.mean(), *mean_interval(row)] for row in added]),
                kinds=[_kind(loss, bool(sure), config["idle"]) for loss, sure in zip(losses, real, strict=True)],
                by_class=((whole.right.astype(int) - one.right.astype(int)) @ one_of) / each,
                fires=fires[part.channels],
                correlation=correlation,
            )
        )
    return measured


def _kind(loss: np.ndarray, stands_out: bool, idle: float) -> str:
    """What to call a filter whose removal costs so much, (accuracy lost, the interval's ends)."""
    if stands_out:
        return "good" if loss[0] > 0 else "harmful"
    return "idle" if np.abs(loss).max() <= idle else "undecided"


def _maps(
    network: nn.Module, parts: Sequence[Part], samples: Samples, looked_at: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of each layer in what share of the samples each filter is above zero, and the correlation of its maps."""
    facts = samples.facts
    size = batch_size(facts.shape)
    gates = [part.gate for part in parts]
    places = max(1, min(PLACES, ROOM // (len(looked_at) * sum(part.total for part in parts))))
    peaks: dict[str, list[np.ndarray]] = {gate: [] for gate in gates}
    rows: dict[str, list[np.ndarray]] = {gate: [] for gate in gates}
    for start in range(0, len(looked_at), size):
        x = to_tensor(facts, samples.inputs[looked_at[start : start + size]])
        for gate, held in capture(network, x, gates).items():
            maps = held.flatten(2)
            peaks[gate].append((maps.amax(2) > 0).numpy())
            chosen = evenly(maps.shape[2], places)
            rows[gate].append(maps[:, :, chosen].transpose(1, 2).flatten(0, 1).numpy())
    return [
        (np.concatenate(peaks[gate]).mean(axis=0), _correlation(np.concatenate(rows[gate]).astype(np.float64)))
        for gate in gates
    ]


def _correlation(values: np.ndarray) -> np.ndarray:
    """The correlation of the columns, zero for one that never varies."""
    values = values - values.mean(axis=0)
    together = values.T @ values
    size = np.sqrt(together.diagonal())
    # Rounding leaves traces in a map that never varies.
    size = np.where(size > 1e-6 * max(size.max(initial=0.0), 1e-30), size, 0)
    scale = np.outer(size, size)
    return np.clip(np.divide(together, scale, out=np.zeros_like(scale), where=scale > 0), -1, 1)


def _order(
    removal: Removal, parts: Sequence[Part], source: Samples, places: np.ndarray, step: float
) -> tuple[list[tuple[int, int]], list[int]]:
    """The filters as (part, channel), the least damaging first, and after how many the damage was looked at again.

    Damage is what the mean loss on these samples becomes without a filter, besides those already removed: of two that
    do the same only the first is idle.
    """
    facts = source.facts
    left = [(p, int(channel)) for p, part in enumerate(parts) for channel in part.channels]
    order: list[tuple[int, int]] = []
    levels = [0]
    inputs, labels = source.inputs[places], torch.from_numpy(source.labels[places])
    size = batch_size(facts.shape)
    while left:
        masks = _masks(parts, order)
        damage = np.zeros(len(left))
        for start in range(0, len(inputs), size):
            x = to_tensor(facts, inputs[start : start + size])
            truth = labels[start : start + size]
            for p, part in enumerate(parts):
                mine = [i for i, (of, _) in enumerate(left) if of == p]
                answers = removal.without_each(x, part.gate, [left[i][1] for i in mine], masks) if mine else ()
                for i, logits in zip(mine, answers, strict=True):
                    damage[i] += float(nn.functional.cross_entropy(logits.double(), truth, reduction="sum"))
        many = max(1, round(step * len(left)))
        gone = [left[i] for i in np.argsort(damage, kind="stable")[:many]]
        order += gone
        left = [one for one in left if one not in set(gone)]
        levels.append(len(order))
    return order, levels


def _masks(parts: Sequence[Part], gone: Sequence[tuple[int, int]]) -> dict[str, Tensor]:
    masks = {part.gate: torch.ones(part.total, dtype=torch.bool) for part in parts}
    for p, channel in gone:
        masks[parts[p].gate][channel] = False
    return masks


@dataclass(frozen=True)
class Curve:
    """Accuracy against the number of filters kept.

    kept: descending. accuracy, low, high: in the measured order. random: (draws, counts) in random orders, at
    `random_kept`. n: test samples. total: filters that could be removed.
    """

    kept: np.ndarray
    accuracy: np.ndarray
    low: np.ndarray
    high: np.ndarray
    random_kept: np.ndarray
    random: np.ndarray
    n: int
    total: int

    def enough(self, kept: np.ndarray, accuracy: np.ndarray) -> int:
        """The smallest number tried with which no more than a point is lost."""
        return int(kept[accuracy >= self.accuracy[0] - POINT].min())


def _curve(
    removal: Removal,
    parts: Sequence[Part],
    samples: Samples,
    places: np.ndarray,
    order: Sequence[tuple[int, int]],
    levels: Sequence[int],
    draws: int,
    random: np.random.Generator,
) -> Curve:
    total = len(order)
    most = 16
    if len(levels) <= 2:  # ranked once: any number can be removed
        levels = np.unique(np.round(total * (1 - np.linspace(1, 0, 12) ** 2)).astype(int)).tolist()
    elif len(levels) > most:
        levels = [levels[i] for i in evenly(len(levels), most)]
    few = [levels[i] for i in evenly(len(levels), 7)][1:]

    def hits(gone: Sequence[tuple[int, int]]) -> int:
        size = batch_size(samples.facts.shape)
        masks = _masks(parts, gone)
        found = 0
        for start in range(0, len(places), size):
            batch = places[start : start + size]
            logits = removal.logits(to_tensor(samples.facts, samples.inputs[batch]), masks)
            found += int((logits.argmax(1).numpy() == samples.labels[batch]).sum())
        return found

    n = len(places)
    found = [hits(order[:level]) for level in levels]
    bounds = np.array([wilson(one, n) for one in found])
    by_chance_ = []
    for _ in range(draws):
        shuffled = [order[i] for i in random.permutation(total)]
        by_chance_.append([found[0] / n] + [hits(shuffled[:level]) / n for level in few])
    return Curve(
        kept=total - np.array(levels),
        accuracy=np.array(found) / n,
        low=bounds[:, 0],
        high=bounds[:, 1],
        random_kept=total - np.array([0, *few]),
        random=np.array(by_chance_).reshape(draws, len(few) + 1),
        n=n,
        total=total,
    )


def _numbers(measured: Sequence[Measured], curve: Curve | None, right: np.ndarray) -> list[Number]:
    kinds = [kind for one in measured for kind in one.kinds]
    n = len(kinds)
    low, high = wilson(int(right.sum()), len(right))
    moved = np.concatenate([_moves_loss(one) for one in measured])
    numbers = [Number(kind, kinds.count(kind), n=n) for kind in ("good", "idle", "harmful")]
    numbers += [
        Number("loss_rises", int((moved > 0).sum()), n=n),
        Number(
            "effective_filters",
            significant(sum(one.effective for one in measured), 3),
            n=sum(one.part.total for one in measured),
        ),
        Number("undecided", kinds.count("undecided"), n=n),
        Number("loss_falls", int((moved < 0).sum()), n=n),
    ]
    if curve is not None:
        numbers.insert(4, Number("filters_enough", curve.enough(curve.kept, curve.accuracy), n=curve.total))
    if curve is not None and len(curve.random):
        enough = curve.enough(curve.random_kept, curve.random.mean(axis=0))
        numbers.append(Number("filters_enough_at_random", enough, n=curve.total))
    numbers += [
        Number("accuracy", float(right.mean()), low, high, unit="fraction", n=len(right)),
        Number("dead", int(sum(one.dead.sum() for one in measured)), n=n),
    ]
    for one in measured:
        subject = f"layer={one.part.name}"
        live = int((one.correlation.diagonal() > 0).sum())
        numbers.append(Number("effective_filters", significant(one.effective, 3), n=live, subject=subject))
        numbers += [Number(kind, one.kinds.count(kind), n=len(one.kinds), subject=subject) for kind in KINDS]
    for one in measured:
        for place, channel in enumerate(one.part.channels):
            numbers.append(
                Number(
                    "accuracy_lost",
                    round(float(one.lost[place]), 5),
                    round(float(one.low[place]), 5),
                    round(float(one.high[place]), 5),
                    unit="fraction",
                    n=len(right),
                    subject=f"layer={one.part.name};filter={channel}",
                )
            )
    return numbers


def _moves_loss(one: Measured) -> np.ndarray:
    """1 for each filter without which the mean loss rises beyond doubt, −1 where it falls, 0 where neither is sure.

    Beyond doubt: twice as far from zero as the 95 % interval goes, so that hardly one in ten thousand is so by chance.
    """
    mean, low, high = one.loss.T
    return np.sign(mean) * (np.abs(mean) > (high - low))


def _kept_figure(curve: Curve, trained: bool) -> Figure:
    import pandas as pd

    rows = [
        ["least damaging first", *(round(float(v), 5) for v in row)]
        for row in zip(curve.kept, curve.accuracy, curve.low, curve.high, strict=True)
    ]
    if len(curve.random):
        spread = zip(
            curve.random_kept,
            curve.random.mean(axis=0),
            curve.random.min(axis=0),
            curve.random.max(axis=0),
            strict=True,
        )
        rows += [["at random", *(round(float(v), 5) for v in row)] for row in spread]
    data = pd.DataFrame(rows, columns=["order", "filters kept", "accuracy", "low", "high"])

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        for name, colour in (("least damaging first", SERIES[0]), ("at random", MUTED)):
            one = data[data["order"] == name]
            axes.fill_between(
                one["filters kept"], 100 * one["low"], 100 * one["high"], color=colour, alpha=0.25, linewidth=0
            )
            axes.plot(one["filters kept"], 100 * one["accuracy"], "o-", color=colour, label=name)
        axes.set(xlabel="filters kept", ylabel="test accuracy, %", xlim=(curve.total, 0), ylim=(0, 102))
        axes.legend()

    enough = curve.enough(curve.kept, curve.accuracy)
    chosen = ("training", "训练") if trained else ("these", "同一批")
    return Figure(
        "kept",
        draw(paint, 640, 300),
        alt={"en": f"Accuracy over the number of filters kept: {enough} of {curve.total} lose at most one point."},
        data=data,
        title={"en": "Accuracy against the number of filters kept", "zh": "正确率与保留的卷积核数"},
        caption={
            "en": (
                f"Filters of all layers removed together, those first whose loss hurts least on {chosen[0]} samples, "
                f"measured again as more are gone; accuracy on {curve.n} test samples with its 95 % interval. {enough} "
                f"of {curve.total} are enough to stay within a point. For comparison random orders: mean, lowest, "
                "highest."
            ),
            "zh": (
                f"逐步移除各层卷积核，先移除在{chosen[0]}样本上损害最小的，并随时重新测量；正确率在 {curve.n} "
                f"个测试样本上测得（95 % 区间）。{curve.total} 个中保留 {enough} 个，损失不超过一个百分点。"
                "灰色为随机顺序：平均、最低、最高。"
            ),
        },
    )


def _lost_figure(measured: Sequence[Measured]) -> Figure:
    import pandas as pd

    rows = []
    for one in measured:
        for rank, place in enumerate(np.argsort(-one.lost, kind="stable")):
            bounds = (round(100 * float(v[place]), 3) for v in (one.lost, one.low, one.high))
            rows.append([one.part.name, int(one.part.channels[place]), rank, *bounds, one.kinds[place]])
    columns = ["layer", "filter", "rank", "points lost", "ci_low", "ci_high", "kind"]
    data = pd.DataFrame(rows, columns=columns)
    names = [one.part.name for one in measured][:PANELS]

    def paint(drawing: Drawing) -> None:
        panels = drawing.subplots(1, len(names), sharey=True, squeeze=False)[0]
        for axes, name in zip(panels, names, strict=True):
            layer = data[data["layer"] == name]
            axes.axhline(0, color=MUTED, linewidth=1)
            for kind, colour in COLOURS.items():
                some = layer[layer["kind"] == kind]
                # One path with gaps: a path for every filter would make a large file.
                gap = np.full(len(some), np.nan)
                x = np.stack([some["rank"], some["rank"], gap], axis=1).ravel()
                y = np.stack([some["ci_low"], some["ci_high"], gap], axis=1).ravel()
                axes.plot(x, y, color=colour, linewidth=1)
                axes.plot(some["rank"], some["points lost"], "o", color=colour, markersize=3, label=kind)
            axes.set(title=name, xlabel="filters, by loss", xticks=[])
        panels[0].set_ylabel("accuracy lost, points")
        panels[-1].legend()

    kinds = data["kind"].value_counts()
    return Figure(
        "lost",
        draw(paint, 720, 300),
        alt={
            "en": "Accuracy lost without each filter, by layer: "
            + ", ".join(f"{kinds.get(kind, 0)} {kind}" for kind in KINDS)
            + "."
        },
        data=data,
        title={"en": "Accuracy lost without each filter", "zh": "去掉每个卷积核损失的正确率"},
        caption={
            "en": (
                "One filter removed at a time, with its 95 % interval on the same samples"
                + (f"; the first {PANELS} layers of {len(measured)}" if len(measured) > PANELS else "")
                + ". Below zero the network is better without it."
            ),
            "zh": "每次移除一个卷积核，附同一批样本上的 95 % 区间。低于零表示没有它更好。",
        },
    )


def _by_class(measured: Sequence[Measured], facts: Facts) -> Matrix:
    ranked = [
        (float(one.lost[place]), f"{one.part.name}/{one.part.channels[place]}", one.by_class[place])
        for one in measured
        for place in range(len(one.lost))
    ]
    ranked.sort(key=lambda row: -row[0])
    chosen = ranked[:DAMAGING]
    return Matrix(
        "by-class",
        rows=[name for _, name, _ in chosen],
        columns=list(facts.classes),
        values=np.round(100 * np.array([row for *_, row in chosen]), 1) + 0.0,
        row_title={"en": "filter removed", "zh": "移除的卷积核"},
        column_title={"en": "points of accuracy lost on", "zh": "各类损失的百分点"},
        title={"en": "Who needs which filter", "zh": "哪类需要哪个卷积核"},
        caption={
            "en": (
                f"The {len(chosen)} filters whose removal costs most, and the classes that lose by it, in points of "
                "accuracy; below zero a class gains. A few samples a class make rough numbers."
            ),
            "zh": f"移除后损失最大的 {len(chosen)} 个卷积核，以及受损的类别（百分点）；负数表示该类反而变好。",
        },
    )


def _correlations(measured: Sequence[Measured]) -> Grid:
    items = []
    for one in measured[:PICTURES]:
        place = _spread(_alike_together(one.correlation), LARGEST)
        items.append(
            Item(
                f"correlation/{one.part.name}",
                signed(one.correlation[np.ix_(place, place)], 1.0),
                label=f"{one.part.name}: {one.part.total} filters worth {one.effective:.1f}",
                values={"filters": one.part.total, "effective": significant(one.effective, 3)},
            )
        )
    return Grid(
        "correlations",
        items,
        title={"en": "How alike the maps are", "zh": "特征图有多相似"},
        caption={
            "en": (
                "A row and a column for each filter of a layer, those with similar maps side by side; red: their maps "
                "rise and fall together, blue: one falls where the other rises, near white: they have nothing in "
                "common. A layer is worth as many filters as its participation ratio says: all if none go together, 1 "
                "if all do."
            ),
            "zh": (
                "每行每列是该层的一个卷积核，相似的排在一起；红：同升同降，蓝：此升彼降，近白：无关。"
                "参与比说明这一层相当于多少个互不相同的卷积核。"
            ),
        },
    )


def _alike_together(correlation: np.ndarray) -> np.ndarray:
    """An order of the filters in which similar ones are neighbours."""
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    if len(correlation) < 3:
        return np.arange(len(correlation))
    distance = 1 - np.abs((correlation + correlation.T) / 2)
    np.fill_diagonal(distance, 0)
    return leaves_list(linkage(squareform(np.maximum(distance, 0), checks=False), "average"))


def _table(measured: Sequence[Measured]) -> Table:
    import pandas as pd

    rows = []
    for one in measured:
        for place, channel in enumerate(one.part.channels):
            other, alike = one.partner(int(channel)) if one.part.total > 1 else (0, 0.0)
            rows.append(
                {
                    "filter": f"{one.part.name}/{channel}",
                    "kind": "dead" if one.dead[place] else one.kinds[place],
                    "points lost": round(100 * float(one.lost[place]), 3),
                    "from": round(100 * float(one.low[place]), 3),
                    "to": round(100 * float(one.high[place]), 3),
                    "loss added": significant(float(one.loss[place, 0]), 3),
                    "at least": significant(float(one.loss[place, 1]), 3),
                    "fires": round(float(one.fires[place]), 3),
                    "most like": f"{one.part.name}/{other}" if alike else "",
                    "correlation": round(alike, 2),
                }
            )
    rows.sort(key=lambda row: -float(str(row["points lost"])))
    return Table(
        "filters",
        pd.DataFrame(rows),
        title={"en": "All filters that were removed", "zh": "所有移除过的卷积核"},
        caption={
            "en": (
                "The most damaging first. Fires: the share of samples in which the map is above zero anywhere. Most "
                "like: the filter of the same layer whose maps go most with it."
            ),
            "zh": "损失最大的在前。Fires：特征图有大于零之处的样本比例。Most like：同层中特征图与之最相似的卷积核。",
        },
    )


def _caption(
    measured: Sequence[Measured],
    total: int,
    right: np.ndarray,
    curve: bool,
    trained: bool,
    config: Mapping[str, Any],
) -> dict[str, str]:
    looked = sum(len(one.part.channels) for one in measured)
    ranked = ("training samples", "训练样本") if trained else ("the test samples themselves", "测试样本本身")
    en = (
        "A filter is removed by setting its map to zero behind the activation, as if the network never had it; "
        f"nothing is trained again. Good: accuracy on {len(right)} test samples falls more than by chance; harmful: it "
        "rises more than by chance (McNemar's exact test, with at most one in twenty of the filters so named by "
        f"chance); idle: without it accuracy changes by at most {100 * config['idle']:g} points with 95 % confidence; "
        "undecided: too few samples to say. Loss rises: filters without which the mean loss is higher beyond doubt, "
        "which shows long before an answer changes. Idle alone is not useless together: two that do the same are both "
        "idle until one is gone"
    )
    zh = (
        "把卷积核激活后的特征图置零即为移除，不再训练。good：测试正确率显著下降；harmful：显著上升（McNemar "
        f"精确检验，误报率 5 %）；idle：在 95 % 置信下变化不超过 {100 * config['idle']:g} 个百分点；undecided："
        "样本太少。Loss rises：移除后测试损失确定上升的核，比答案改变更灵敏。单独无用不等于一起无用："
        "两个相同的核各自都显得无用"
    )
    if curve:
        en += f", which is why the curve removes one after the other, in an order found on {ranked[0]}"
        zh += f"，所以曲线逐个移除，顺序由{ranked[1]}决定"
    if looked < total:
        en += f". The network is large: of {total} filters {looked}, evenly spread, were removed"
        zh += f"。网络很大：共 {total} 个卷积核，均匀选取了 {looked} 个"
    return {"en": f"{en}.", "zh": f"{zh}。"}
