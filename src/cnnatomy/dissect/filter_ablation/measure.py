"""What a network loses without each of its filters, how alike their maps are, and how many are enough.

A filter is removed by setting its map to zero behind the activation: what the network would be without it.
Morcos, Barrett, Rabinowitz & Botvinick 2018, On the importance of single directions for generalization.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Samples
from cnnatomy.data.speakers import alike
from cnnatomy.dissect.filter_ablation.budget import planned
from cnnatomy.dissect.filter_ablation.pruning import POINT, Judge, Pruning, apart, prune
from cnnatomy.dissect.filter_ablation.removable import Part, Removable
from cnnatomy.dissect.filter_ablation.settings import Settings
from cnnatomy.exhibit import Unit, say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.ablation import ChannelAblation, ablation_point
from cnnatomy.inspection.choosing import evenly
from cnnatomy.inspection.layers import stages, trace, with_maps
from cnnatomy.inspection.outputs import logits_of
from cnnatomy.inspection.predicting import in_batches
from cnnatomy.inspection.redundancy import Redundancy, redundancies
from cnnatomy.statistics.intervals import average, grouped_mean, share_interval
from cnnatomy.statistics.numbers import Numbers
from cnnatomy.statistics.paired import by_chance, discoveries, lost, widening

RATE = 0.05  # of the filters named good or harmful that may be so by chance
KINDS = ("good", "idle", "harmful", "undecided", "dead")
ORDERS = 14  # the stream of random numbers that random orders are drawn from


@dataclass(frozen=True)
class Loss:
    """What is lost without each filter of a part, (filters, …).

    accuracy: lost without it, and its interval, (filters, 3). loss: mean loss (cross-entropy) added without it, and its
    interval, (filters, 3). kinds: good, idle, harmful, undecided or dead. by_class: accuracy lost, (filters, classes).
    maps: of all filters of the layer; no sample raises a dead one above zero.
    """

    part: Part
    accuracy: np.ndarray
    loss: np.ndarray
    kinds: list[str]
    by_class: np.ndarray
    maps: Redundancy

    @property
    def moves_loss(self) -> np.ndarray:
        """1 for each filter without which the mean loss rises beyond doubt, −1 where it falls, 0 where neither is sure.

        Beyond doubt: twice as far from zero as the 95 % interval goes, so that hardly one in a thousand is so by
        chance.
        """
        mean, low, high = self.loss.T
        return np.sign(mean) * (np.abs(mean) > (high - low))


@dataclass(frozen=True)
class Ablation:
    """right: whether the whole network reads each tested sample rightly, bool (samples,). groups: of samples whose
    answers change together, (samples,); None where all are independent. total: filters of these layers, removed or not.
    limit: how far accuracy may move without an idle filter. pruning: None where it would take too long.
    """

    right: np.ndarray
    groups: np.ndarray | None
    parts: list[Loss]
    total: int
    limit: float
    pruning: Pruning | None

    @property
    def kinds(self) -> list[str]:
        """Of all filters that were removed."""
        return [kind for one in self.parts for kind in one.kinds]

    @property
    def errors(self) -> int:
        """Of the whole network."""
        return int((~self.right).sum())

    @property
    def too_few_errors(self) -> bool:
        """Whether not even the best known filter could be called idle by its interval."""
        return min(float(np.maximum(-low, high).min()) for _, low, high in (one.accuracy.T for one in self.parts)) > (
            self.limit
        )


def measure(
    network: nn.Module, samples: Samples, settings: Settings, *, training: Samples | None, seed: int
) -> Ablation:
    """Accuracy lost without each filter, how alike their maps are, accuracy against the number of filters kept.

    settings: see conf/dissect/filter_ablation.yaml. Raises DoesNotApply without labels, LayerNotFound for an unknown
    layer or a network without convolution, NoLogits for a network of no classes.
    """
    labelled = np.flatnonzero(samples.labels >= 0)
    if len(labelled) < 2:
        raise DoesNotApply(say(f"filter_ablation.{'one_label' if len(labelled) else 'no_label'}"))
    example = to_tensor(samples.facts, samples.inputs[labelled[:1]])
    logits_of(network, example, len(samples.facts.classes))
    layers = trace(network, example)
    named = None if settings.layers is None else with_maps(layers, settings.layers)
    convolutions = named or [layer for stage in stages(layers, by_sample=False) for layer in stage]
    removal = ChannelAblation(network, layers, [ablation_point(layers, layer) for layer in convolutions], example)
    removable, plan = planned(removal, layers, convolutions, settings, len(labelled))

    tested = labelled[evenly(len(labelled), plan.samples)]
    groups = alike(samples.table.iloc[tested], samples.labels[tested])
    whole, without = _answers(removable, samples, tested)
    # Without most filters too few answers change to see how far those of a group change together; all filters say it.
    every = np.concatenate([one.right for one in without])
    wider = 1.0 if groups is None else widening(whole.right, every, groups)
    compared = tested[evenly(len(tested), plan.compared)]
    maps = redundancies(network, [part.point for part in removable.parts], samples, compared)
    one_of = np.eye(len(samples.facts.classes))[samples.labels[tested]]
    limit = idle_limit(whole.right, settings.idle)
    comparison = Comparison(whole, groups, wider, limit, one_of)
    real = comparison.stand_out(without)
    parts = [comparison.loss(*one) for one in zip(removable.parts, without, real, maps, strict=True)]

    pruning = None
    if plan.curve:
        ranking, judged = apart(samples, training, labelled, plan.ranked, plan.searched)
        judge, random = Judge(removable, samples, judged, wider), np.random.default_rng((seed, ORDERS))
        pruning = prune(judge, ranking, plan, settings.draws, random)
    return Ablation(whole.right, groups, parts, sum(layer.shape[0] for layer in convolutions), limit, pruning)


@dataclass(frozen=True)
class Answers:
    """Whether each sample is read rightly, and its loss: (samples,), or (filters, samples) without each filter."""

    right: np.ndarray
    loss: np.ndarray

    @classmethod
    def of(cls, logits: Sequence[Tensor], truth: Tensor) -> Answers:
        each = torch.stack(list(logits)).double()
        loss = -each.log_softmax(2).gather(2, truth.expand(len(each), -1)[..., None])[..., 0]
        return cls((each.argmax(2) == truth).numpy(), loss.numpy())

    @classmethod
    def joined(cls, batches: Sequence[Answers]) -> Answers:
        return cls(*(np.concatenate([getattr(one, key) for one in batches], axis=1) for key in ("right", "loss")))


def _answers(removable: Removable, samples: Samples, places: np.ndarray) -> tuple[Answers, list[Answers]]:
    """The answers with all filters, and without each of them by part."""
    removal, parts = removable.removal, removable.parts
    whole: list[Answers] = []
    without: list[list[Answers]] = [[] for _ in parts]
    for batch, x in in_batches(samples, places):
        truth = torch.from_numpy(samples.labels[batch])
        whole.append(Answers.of([removal.logits(x, {})], truth))
        for batches, part in zip(without, parts, strict=True):
            logits = removal.without_each(x, part.point, part.channels.tolist(), {})
            batches.append(Answers.of(list(logits), truth))
    all_ = Answers.joined(whole)
    return Answers(all_.right[0], all_.loss[0]), [Answers.joined(batches) for batches in without]


@dataclass(frozen=True)
class Comparison:
    """How answers without filters are compared with those of the whole network.

    groups: of samples, or None; wider: how much wider an interval over them is than over samples, at least. limit: how
    far accuracy may move without an idle filter. one_of: 1 at each sample's class, (samples, classes).
    """

    whole: Answers
    groups: np.ndarray | None
    wider: float
    limit: float
    one_of: np.ndarray

    def stand_out(self, without: Sequence[Answers]) -> list[np.ndarray]:
        """Which filters' losses are more than chance, of all that were removed, bool (filters,) a part."""
        each = [[by_chance(self.whole.right, right, self.groups) for right in one.right] for one in without]
        return np.split(discoveries(np.concatenate(each), RATE), np.cumsum([len(one) for one in each])[:-1])

    def loss(self, part: Part, without: Answers, stand_out: np.ndarray, maps: Redundancy) -> Loss:
        """What is lost without each filter of a part."""
        right, added = self.whole.right, without.loss - self.whole.loss
        accuracy = np.array([lost(right, after, self.groups, self.wider) for after in without.right])
        dead = ~added.any(axis=1) & (maps.fires[part.channels] == 0)
        fallen = (right.astype(int) - without.right.astype(int)) @ self.one_of
        return Loss(
            part=part,
            accuracy=accuracy,
            loss=np.array([[row.mean(), *grouped_mean(row, self.groups)] for row in added]),
            kinds=kinds_of(accuracy, stand_out, added, dead, self.limit),
            by_class=fallen / np.maximum(self.one_of.sum(axis=0), 1),
            maps=maps,
        )


def idle_limit(right: np.ndarray, idle: float) -> float:
    """How much accuracy may change without a filter that is idle: a share of the errors there are, a point at most."""
    return min(POINT, idle * float((~right).mean()))


def kinds_of(losses: np.ndarray, stand_out: np.ndarray, added: np.ndarray, dead: np.ndarray, limit: float) -> list[str]:
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


def numbers(found: Ablation) -> Numbers:
    """Of the whole, then of each layer, then of each filter."""
    rows, kinds, pruning = Numbers(), found.kinds, found.pruning
    moved, n = np.concatenate([one.moves_loss for one in found.parts]), len(found.kinds)
    for kind in ("good", "idle", "harmful"):
        rows.add(kind, kinds.count(kind), n=n)
    rows.add("loss_rises", int((moved > 0).sum()), n=n)
    if pruning is not None and pruning.enough is not None:
        rows.add("filters_enough", pruning.enough, n=pruning.total)
    effective = sum(one.maps.effective for one in found.parts)
    rows.add("effective_filters", significant(effective, 3), n=sum(one.part.total for one in found.parts))
    rows.add("undecided", kinds.count("undecided"), n=n)
    rows.add("loss_falls", int((moved < 0).sum()), n=n)
    if pruning is not None and pruning.at_random is not None:
        needed = pruning.at_random.astype(float)
        row = average("filters_enough_at_random", needed, between=(0.0, float(pruning.total)))
        rows.append(replace(row, value=significant(row.value)))
    accuracy, interval = float(found.right.mean()), share_interval(found.right, found.groups)
    rows.add("accuracy", accuracy, interval, unit="fraction", n=len(found.right))
    rows.add("dead", kinds.count("dead"), n=n)
    for one in found.parts:
        with rows.about(f"layer={one.part.name}"):
            rows.add("effective_filters", significant(one.maps.effective, 3), n=len(one.maps.live))
            for kind in KINDS:
                rows.add(kind, one.kinds.count(kind), n=len(one.kinds))
    for one in found.parts:
        for channel, lost_ in zip(one.part.channels, one.accuracy, strict=True):
            with rows.about(f"layer={one.part.name};filter={channel}", Unit(one.part.name, int(channel))):
                value, low, high = (round(float(each), 5) for each in lost_)
                rows.add("accuracy_lost", value, (low, high), unit="fraction", n=len(found.right))
    return rows
