"""Which filters are good, idle, harmful, too many: the network without each, and without more and more (M14b)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.data.speakers import alike, alike_said
from cnnatomy.drawing.plotting import MUTED, SERIES, draw
from cnnatomy.drawing.showing import signed
from cnnatomy.exhibit import Block, Exhibit, Figure, Grid, Item, Matrix, Number, Table
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.rounding import significant
from cnnatomy.probing.choosing import evenly
from cnnatomy.probing.layers import Layer, LayerNotFound, batch_size, capture, named, stages, trace
from cnnatomy.probing.outputs import logits_of
from cnnatomy.probing.removal import Removal, gate_of, work
from cnnatomy.statistics.differences import t_interval
from cnnatomy.statistics.intervals import clustered, grouped_mean, wilson
from cnnatomy.statistics.paired import by_chance, discoveries, lost, widening

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
LEVELS, FEW = 16, 6  # numbers of filters kept that the curve is drawn at, and of random orders
PATIENCE = 8  # filters removed one by one in search of fewer that are enough after all
FIRST = 1000  # samples that tell what costs far more than a point
KINDS = ("good", "idle", "harmful", "undecided", "dead")
COLOURS = {"good": SERIES[0], "idle": MUTED, "harmful": SERIES[1], "undecided": SERIES[3], "dead": SERIES[2]}

Filter = tuple[int, int]  # which part, which channel


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
    its interval (filters, 3). kinds: good, idle, harmful, undecided or dead. by_class: accuracy lost (filters,
    classes). fires: the share of samples that raise it above zero; none does of a dead one.
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

    tested = _spread(labelled, plan.samples)
    groups = alike(samples.table.iloc[tested], samples.labels[tested])
    whole, without = _answers(removal, parts, facts, samples.inputs[tested], samples.labels[tested])
    # Without most filters too few answers change to see how far those of a group change together; all filters say it.
    every = np.concatenate([one.right for one in without])
    wider = 1.0 if groups is None else widening(whole.right, every, groups)
    measured = _measured(network, traced, parts, samples, tested, groups, wider, whole, without, config)
    kept, blocks = None, list[Block]()
    if plan.curve:
        ranking, judged = _apart(samples, training, labelled, plan)
        kept = _kept(
            Judge(removal, parts, samples, judged, wider), ranking, plan, config, np.random.default_rng((seed, 14))
        )
        blocks.append(_kept_figure(kept))
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
        caption=_caption(measured, total, whole.right, groups, kept, config, facts.kind),
        numbers=_numbers(measured, kept, whole.right, groups),
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

    ranked: those that the order is found on. curve: those that it is drawn on. searched: those that say how many
    filters are enough. step: the share of the filters left that are removed between two looks at the damage; 1 where
    there is time for one look only. looks: at the damage at most once fewer are removed at a time.
    """

    samples: int
    ranked: int = 0
    curve: int = 0
    searched: int = 0
    step: float = 1.0
    looks: int = 0


def _planned(
    removal: Removal, traced: Sequence[Layer], convolutions: Sequence[Layer], config: Mapping[str, Any], labelled: int
) -> tuple[list[Part], Plan]:
    """What can be measured within the budget: two fifths for each filter, two for the order, one for what is kept.

    Where two fifths aren't enough for all filters, all goes to as many of them as can be removed, evenly spread.
    """
    gates = [gate_of(traced, layer).name for layer in convolutions]
    every = [(at, channel) for at, layer in enumerate(convolutions) for channel in range(layer.shape[0])]
    costs = [removal.cost(gate) for gate in gates]
    sweep = sum(costs[at] for at, _ in every)
    fifth = config["budget"] / 5
    once = sum(map(work, traced))
    drawn = once * (LEVELS + FEW * config["draws"])
    curve = int(fifth / 2 / drawn)
    thinned = min(FEWEST, labelled) > min(2 * fifth / sweep, curve)
    curve = min(config["curve"], labelled, curve)
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
    looks = 1 / config["step"]  # in sweeps of all filters
    again = sweep * looks * FEWEST / 2 <= fifth
    ranked = max(LEAST, min(config["ranked"], int(fifth / (sweep * (looks if again else 1)))))
    # A search halves what is left, and half of what it tries is told from the first samples.
    tries = 0.5 * (1 + config["draws"]) * math.log2(len(every) + 1)
    return parts, Plan(
        samples=min(config["samples"], labelled, int(2 * fifth / sweep)),
        ranked=ranked,
        curve=curve,
        searched=min(config["search"], labelled, max(curve, int((fifth - curve * drawn) / (once * tries)))),
        step=config["step"] if again else 1.0,
        looks=int(fifth / (sweep * ranked)) if again else 0,
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
    groups: np.ndarray | None,
    wider: float,
    whole: Answers,
    without: Sequence[Answers],
    config: Mapping[str, Any],
) -> list[Measured]:
    chances = np.concatenate([[by_chance(whole.right, right, groups) for right in one.right] for one in without])
    stand_out = discoveries(chances, RATE)
    limit = _limit(whole.right, config)
    one_of = np.eye(len(samples.facts.classes))[samples.labels[tested]]
    each = np.maximum(one_of.sum(axis=0), 1)
    all_work = sum(map(work, traced))
    looked_at = _spread(tested, max(LEAST, min(CORRELATED, int(config["budget"] / 10 / all_work))))
    maps = _maps(network, parts, samples, looked_at)
    measured, first = [], 0
    for part, one, (fires, correlation) in zip(parts, without, maps, strict=True):
        losses = np.array([lost(whole.right, right, groups, wider) for right in one.right])
        real = stand_out[first : first + len(losses)]
        first += len(losses)
        added = one.loss - whole.loss
        firing = fires[part.channels]
        dead = ~added.any(axis=1) & (firing == 0)
        measured.append(
            Measured(
                part=part,
                lost=losses[:, 0],
                low=losses[:, 1],
                high=losses[:, 2],
                loss=np.array([[row.mean(), *grouped_mean(row, groups)] for row in added]),
                kinds=_kinds(losses, real, added, dead, limit),
                by_class=((whole.right.astype(int) - one.right.astype(int)) @ one_of) / each,
                fires=firing,
                correlation=correlation,
            )
        )
    return measured


def _limit(right: np.ndarray, config: Mapping[str, Any]) -> float:
    """How much accuracy may change without a filter that is idle: a share of the errors there are, a point at most."""
    return min(POINT, config["idle"] * float((~right).mean()))


def _kinds(losses: np.ndarray, stand_out: np.ndarray, added: np.ndarray, dead: np.ndarray, limit: float) -> list[str]:
    """What to call each filter of a layer.

    losses: accuracy lost and its interval, (filters, 3). stand_out, dead: bool (filters,). added: loss without each of
    them (filters, samples). limit: how far accuracy may move without an idle one.
    """
    kinds = []
    for (value, low, high), sure, more, silent in zip(losses, stand_out, added, dead, strict=True):
        if silent:
            kinds.append("dead")
        elif sure:
            kinds.append("good" if value > 0 else "harmful")
        else:  # nothing listens to one without which nothing changes
            kinds.append("idle" if max(-low, high) <= limit or not more.any() else "undecided")
    return kinds


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


@dataclass(frozen=True)
class Ranking:
    """The samples that say which filters hurt least. trained: whether they are training samples."""

    source: Samples
    places: np.ndarray
    trained: bool


def _apart(samples: Samples, training: Samples | None, labelled: np.ndarray, plan: Plan) -> tuple[Ranking, np.ndarray]:
    """The samples that the order is found on, and others, that say what it costs.

    Without training samples it is found on test samples, at most half of them, and judged on the rest.
    """
    if training is not None:
        known = np.flatnonzero(training.labels >= 0)
        return Ranking(training, _spread(known, plan.ranked), True), _spread(labelled, plan.searched)
    used = _spread(labelled, min(plan.ranked, len(labelled) // 2))
    return Ranking(samples, used, False), _spread(np.setdiff1d(labelled, used), plan.searched)


def _least_damaging(
    removal: Removal, parts: Sequence[Part], ranking: Ranking, gone: Sequence[Filter], many: int
) -> list[Filter]:
    """So many of the filters that are left, the least damaging first.

    Damage is what the mean loss on these samples becomes without a filter, besides those already removed: of two that
    do the same only the first is idle.
    """
    source, size = ranking.source, batch_size(ranking.source.facts.shape)
    away, masks = set(gone), _masks(parts, gone)
    left = [one for one in _every(parts) if one not in away]
    inputs, labels = source.inputs[ranking.places], torch.from_numpy(source.labels[ranking.places])
    damage = np.zeros(len(left))
    for start in range(0, len(inputs), size):
        x = to_tensor(source.facts, inputs[start : start + size])
        truth = labels[start : start + size]
        for p, part in enumerate(parts):
            mine = [i for i, (of, _) in enumerate(left) if of == p]
            answers = removal.without_each(x, part.gate, [left[i][1] for i in mine], masks) if mine else ()
            for i, logits in zip(mine, answers, strict=True):
                damage[i] += float(nn.functional.cross_entropy(logits.double(), truth, reduction="sum"))
    return [left[i] for i in np.argsort(damage, kind="stable")[:many]]


def _every(parts: Sequence[Part]) -> list[Filter]:
    return [(p, int(channel)) for p, part in enumerate(parts) for channel in part.channels]


def _masks(parts: Sequence[Part], gone: Sequence[Filter]) -> dict[str, Tensor]:
    masks = {part.gate: torch.ones(part.total, dtype=torch.bool) for part in parts}
    for p, channel in gone:
        masks[parts[p].gate][channel] = False
    return masks


class Judge:
    """What the network loses on some samples, `places` of the split, without several filters at once.

    wider: how much wider an interval over groups is than over samples, at least.
    """

    def __init__(
        self, removal: Removal, parts: Sequence[Part], samples: Samples, places: np.ndarray, wider: float
    ) -> None:
        self.removal, self.parts, self.samples, self.wider = removal, parts, samples, wider
        # Some from everywhere first, so that what is far too bad is soon told.
        few = evenly(len(places), FIRST)
        self.places = np.concatenate([places[few], np.delete(places, few)])
        self.first = len(few)
        self.groups = alike(samples.table.iloc[self.places], samples.labels[self.places])
        self.whole = self.right((), self.places)

    def right(self, gone: Sequence[Filter], places: np.ndarray) -> np.ndarray:
        """Whether each of these samples is read rightly without these filters, bool (places,)."""
        size, masks = batch_size(self.samples.facts.shape), _masks(self.parts, gone)
        found = []
        for start in range(0, len(places), size):
            batch = places[start : start + size]
            logits = self.removal.logits(to_tensor(self.samples.facts, self.samples.inputs[batch]), masks)
            found.append(logits.argmax(1).numpy() == self.samples.labels[batch])
        return np.concatenate(found)

    def lost(self, gone: Sequence[Filter]) -> tuple[float, float, float]:
        """The accuracy lost without these filters, with its interval; of the first samples if that is surely too much.

        Too much is more than a point.
        """
        n = self.first
        right = self.right(gone, self.places[:n])
        found = lost(self.whole[:n], right, None if self.groups is None else self.groups[:n], self.wider)
        if n == len(self.places) or found[1] > POINT:
            return found
        right = np.concatenate([right, self.right(gone, self.places[n:])])
        return lost(self.whole, right, self.groups, self.wider)

    def fits(self, gone: Sequence[Filter]) -> bool:
        """Whether no more than a point is lost without these filters, with 95 % confidence."""
        return self.lost(gone)[2] <= POINT


def _last(fits: Callable[[int], bool], good: int, bad: int) -> int:
    """The largest number that fits, by halving, where `good` does and `bad` does not."""
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if fits(middle) else (good, middle)
    return good


@dataclass(frozen=True)
class Kept:
    """Accuracy against the number of filters kept.

    enough: the smallest number found with which at most a point is lost, with 95 % confidence, and at_random (draws,)
    in random orders; None where there are too few samples to say so of any. searched: the samples that say it.
    kept: numbers of filters, descending, with accuracy, low, high in the measured order; random: (draws, counts) in
    random orders, at `random_kept`; all on n test samples. total: filters that could be removed.
    ranking: what the order was found on. again: whether the damage was measured again as more were gone.
    """

    enough: int | None
    at_random: np.ndarray | None
    searched: int
    kept: np.ndarray
    accuracy: np.ndarray
    low: np.ndarray
    high: np.ndarray
    random_kept: np.ndarray
    random: np.ndarray
    n: int
    total: int
    ranking: Ranking
    again: bool


def _kept(judge: Judge, ranking: Ranking, plan: Plan, config: Mapping[str, Any], random: np.random.Generator) -> Kept:
    total = len(_every(judge.parts))
    sayable = judge.fits(())
    order, edge = _ordered(judge, ranking, plan, sayable)
    draws = [[order[i] for i in random.permutation(total)] for _ in range(config["draws"])]

    def fewest(one: Sequence[Filter]) -> int:
        return total - _last(lambda k: judge.fits(one[:k]), 0, total + 1)

    levels = np.unique(np.round(total * (1 - np.linspace(1, 0, LEVELS) ** 2)).astype(int)).tolist()
    few = [levels[i] for i in evenly(len(levels), FEW + 1)][1:]
    levels = sorted({*levels, edge})
    places = _spread(np.sort(judge.places), plan.curve)
    groups = alike(judge.samples.table.iloc[places], judge.samples.labels[places])
    found = [judge.right(order[:level], places) for level in levels]
    bounds = np.array([_share_interval(right, groups) for right in found])
    return Kept(
        enough=total - edge if sayable else None,
        at_random=np.array([fewest(one) for one in draws]) if sayable and draws else None,
        searched=len(judge.places),
        kept=total - np.array(levels),
        accuracy=np.array([right.mean() for right in found]),
        low=bounds[:, 0],
        high=bounds[:, 1],
        random_kept=total - np.array([0, *few]),
        random=np.array(
            [[found[0].mean()] + [judge.right(one[:level], places).mean() for level in few] for one in draws]
        ).reshape(len(draws), len(few) + 1),
        n=len(places),
        total=total,
        ranking=ranking,
        again=plan.step < 1,
    )


def _ordered(judge: Judge, ranking: Ranking, plan: Plan, sayable: bool) -> tuple[list[Filter], int]:
    """All filters in the order of removal, and the most of them that can go.

    Several are removed after each look at the damage, half as many once those cost too much together, and near the
    limit one, since of two that do the same each looks idle while the other is there. What is lost goes up and down by
    chance, so that it goes on for some more, until more than a point is lost and not only can't be excluded.
    """
    total, order = len(_every(judge.parts)), list[Filter]()

    def next_ones(many: int) -> list[Filter]:
        return _least_damaging(judge.removal, judge.parts, ranking, order, many)

    def several() -> int:
        return max(1, round(plan.step * (total - len(order))))

    if plan.step == 1:
        order = next_ones(total)
        return order, _last(lambda k: judge.fits(order[:k]), 0, total + 1) if sayable else 0
    most, looks = total, plan.looks
    while sayable and len(order) < total and looks:
        more = next_ones(min(most, several()))
        while more and not judge.fits([*order, *more]):
            more = more[: len(more) // 2]
            most = len(more)
        if not more:
            break
        order += more
        looks -= most < total
    edge = len(order)
    while sayable and len(order) < min(total, edge + PATIENCE) and looks:
        order += next_ones(1)
        looks -= 1
        value, _, high = judge.lost(order)
        if value > POINT:
            break
        edge = len(order) if high <= POINT else edge
    while len(order) < total:
        order += next_ones(several())
    return order, edge


def _share_interval(right: np.ndarray, groups: np.ndarray | None) -> tuple[float, float]:
    """The interval of the share that is right, over the groups where samples come in such."""
    if groups is None:
        return wilson(int(right.sum()), len(right))
    sizes = np.bincount(groups)
    return clustered(np.bincount(groups, right)[sizes > 0], sizes[sizes > 0])


def _numbers(
    measured: Sequence[Measured], kept: Kept | None, right: np.ndarray, groups: np.ndarray | None
) -> list[Number]:
    kinds = [kind for one in measured for kind in one.kinds]
    n = len(kinds)
    low, high = _share_interval(right, groups)
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
    if kept is not None and kept.enough is not None:
        numbers.insert(4, Number("filters_enough", kept.enough, n=kept.total))
    if kept is not None and kept.at_random is not None:
        at_random = kept.at_random.astype(float)
        ends = t_interval(at_random) if len(at_random) > 1 else None
        low_end, high_end = (max(0.0, ends[0]), min(float(kept.total), ends[1])) if ends else (None, None)
        numbers.append(
            Number(
                "filters_enough_at_random", significant(float(at_random.mean())), low_end, high_end, n=len(at_random)
            )
        )
    numbers += [
        Number("accuracy", float(right.mean()), low, high, unit="fraction", n=len(right)),
        Number("dead", kinds.count("dead"), n=n),
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

    Beyond doubt: twice as far from zero as the 95 % interval goes, so that hardly one in a thousand is so by chance.
    """
    mean, low, high = one.loss.T
    return np.sign(mean) * (np.abs(mean) > (high - low))


def _kept_figure(kept: Kept) -> Figure:
    import pandas as pd

    rows = [
        ["least damaging first", *(round(float(v), 5) for v in row)]
        for row in zip(kept.kept, kept.accuracy, kept.low, kept.high, strict=True)
    ]
    if len(kept.random):
        spread = zip(
            kept.random_kept,
            kept.random.mean(axis=0),
            kept.random.min(axis=0),
            kept.random.max(axis=0),
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
        if kept.enough is not None:
            axes.axvline(kept.enough, color=MUTED, linewidth=1, linestyle="--")
        axes.set(xlabel="filters kept", ylabel="test accuracy, %", xlim=(kept.total, 0), ylim=(0, 102))
        axes.legend()

    en, zh = _search_said(kept)
    chosen = ("training", "训练") if kept.ranking.trained else ("other test", "另一部分测试")
    look = (
        (", measured again as more are gone", "，并随时重新测量") if kept.again else (", measured once", "（只测一次）")
    )
    found = "too few samples to say how many are enough" if kept.enough is None else f"{kept.enough} are enough"
    return Figure(
        "kept",
        draw(paint, 640, 300),
        alt={"en": f"Accuracy over the number of filters kept, of {kept.total}: {found} to stay within a point."},
        data=data,
        title={"en": "Accuracy against the number of filters kept", "zh": "正确率与保留的卷积核数"},
        caption={
            "en": (
                "Filters of all layers removed together, those first whose loss hurts least on "
                f"{len(kept.ranking.places)} {chosen[0]} samples{look[0]}; accuracy on {kept.n:,} test samples with "
                f"its 95 % interval. For comparison random orders: mean, lowest, highest. {en}"
            ),
            "zh": (
                f"逐步移除各层卷积核，先移除在 {len(kept.ranking.places)} 个{chosen[1]}样本上损害最小的{look[1]}；"
                f"正确率在 {kept.n:,} 个测试样本上测得（95 % 区间）。灰色为随机顺序：平均、最低、最高。{zh}"
            ),
        },
    )


def _search_said(kept: Kept) -> tuple[str, str]:
    """How many filters are enough, and how it was found."""
    if kept.enough is None:
        return (
            f"{kept.searched:,} samples are too few to say within a point how many filters are enough.",
            f"{kept.searched:,} 个样本太少，无法在一个百分点之内说明保留多少个就够。",
        )
    en = (
        f"{kept.enough} of {kept.total} are enough (dashed): the fewest found with which at most a point of accuracy "
        f"is lost, with 95 % confidence, on the same {kept.searched:,} test samples"
    )
    zh = (
        f"{kept.total} 个中保留 {kept.enough} 个就够（虚线）：在同一批 {kept.searched:,} 个测试样本上，以 95 % "
        "的置信度损失不超过一个百分点的最小数目"
    )
    if kept.again:
        en += "; towards it ever fewer were removed between two looks at the damage, in the end one"
        zh += "；越接近它，两次测量之间移除的越少，最后每次一个"
    return f"{en}.", f"{zh}。"


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
                    "kind": one.kinds[place],
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
    groups: np.ndarray | None,
    kept: Kept | None,
    config: Mapping[str, Any],
    kind: str,
) -> dict[str, str]:
    looked = sum(len(one.part.channels) for one in measured)
    errors = int((~right).sum())
    share, limit = f"{100 * config['idle']:g} %", _limit(right, config) * len(right)
    if groups is None:
        test = ("McNemar's exact test", "McNemar 精确检验")
    else:
        many = len(np.unique(groups))
        test = (
            f"exact test of sign flips of {many} groups, {alike_said(kind)[0]}: their answers change together",
            f"{many} 组样本的符号翻转精确检验；{alike_said(kind)[1]}为一组，它们的答案一起改变",
        )
    en = (
        "A filter is removed by setting its map to zero behind the activation, as if the network never had it; nothing "
        f"is trained again. Good: accuracy on {len(right):,} test samples falls more than by chance; harmful: it rises "
        f"more than by chance ({test[0]}, with at most one in twenty of the filters so named by chance); idle: without "
        f"it the {errors:,} errors become more or fewer by at most {limit:.3g} ({share} of them, and never more than a "
        "point of accuracy), with 95 % confidence, or no output changes; undecided: too few samples to say; dead: it "
        "never rises above zero. Loss rises: filters without which the mean loss is higher beyond doubt, which shows "
        "long before an answer changes. Idle alone is not useless together: two that do the same are both idle until "
        "one is gone"
    )
    zh = (
        f"把卷积核激活后的特征图置零即为移除，不再训练。good：{len(right):,} 个测试样本上的正确率显著下降；"
        f"harmful：显著上升（{test[1]}，误报率 5 %）；idle：移除后 {errors:,} 个错误的增减在 95 % 置信下不超过 "
        f"{limit:.3g} 个（其 {share}，且不超过一个百分点），或者输出毫无变化；undecided：样本太少；"
        "dead：从不大于零。Loss rises：移除后测试损失确定上升的核，比答案改变更灵敏。"
        "单独无用不等于一起无用：两个相同的核各自都显得无用"
    )
    if kept is not None:
        ranked = (
            ("training samples", "训练样本")
            if kept.ranking.trained
            else ("test samples of its own", "另一部分测试样本")
        )
        en += f". So the curve removes one after the other, in an order found on {ranked[0]}"
        zh += f"。所以曲线逐个移除，顺序由{ranked[1]}决定"
    narrowest = min(float(np.maximum(-one.low, one.high).min()) for one in measured)
    if narrowest > _limit(right, config):
        en += f". {errors:,} errors are too few to show of any filter that it is idle by them"
        zh += f"。{errors:,} 个错误太少，据此无法说明任何一个核是 idle"
    if looked < total:
        en += f". The network is large: of {total} filters {looked}, evenly spread, were removed"
        zh += f"。网络很大：共 {total} 个卷积核，均匀选取了 {looked} 个"
    return {"en": f"{en}.", "zh": f"{zh}。"}
