"""How many filters are enough: removed in an order that is measured, and in random ones.

Molchanov, Tyree, Karras, Aila & Kautz 2017, Pruning convolutional neural networks for resource efficient inference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from cnnatomy.data.prepared import Samples
from cnnatomy.data.speakers import alike
from cnnatomy.dissect.filter_ablation.budget import FEW, LEVELS, Plan
from cnnatomy.dissect.filter_ablation.removable import Filter, Removable
from cnnatomy.inspection.choosing import evenly
from cnnatomy.inspection.predicting import in_batches
from cnnatomy.statistics.intervals import share_interval
from cnnatomy.statistics.paired import lost

POINT = 0.01
PATIENCE = 8  # filters removed one by one in search of fewer that are enough after all
FIRST = 1000  # samples that tell what costs far more than a point


@dataclass(frozen=True)
class Ranking:
    """The samples that say which filters hurt least. trained: whether they are training samples."""

    source: Samples
    places: np.ndarray
    trained: bool


@dataclass(frozen=True)
class Pruning:
    """Accuracy against the number of filters kept.

    enough: the smallest number found with which at most a point is lost, with 95 % confidence, and at_random (draws,)
    in random orders; None where there are too few samples to say so of any. searched: the samples that say it.
    kept: numbers of filters, descending, with accuracy and its interval (counts, 2) in the measured order; random:
    (draws, counts) in random orders, at `random_kept`; all on n test samples. total: filters that could be removed.
    ranking: what the order was found on. again: whether the damage was measured again as more were gone.
    """

    enough: int | None
    at_random: np.ndarray | None
    searched: int
    kept: np.ndarray
    accuracy: np.ndarray
    interval: np.ndarray
    random_kept: np.ndarray
    random: np.ndarray
    n: int
    total: int
    ranking: Ranking
    again: bool


def apart(
    samples: Samples, training: Samples | None, labelled: np.ndarray, ranked: int, searched: int
) -> tuple[Ranking, np.ndarray]:
    """The samples that the order is found on, at most so many, and others, that say what it costs.

    Without training samples it is found on test samples, at most half of them, and judged on the rest.
    """
    if training is not None:
        known = np.flatnonzero(training.labels >= 0)
        return Ranking(training, _spread(known, ranked), True), _spread(labelled, searched)
    used = _spread(labelled, min(ranked, len(labelled) // 2))
    return Ranking(samples, used, False), _spread(np.setdiff1d(labelled, used), searched)


def _spread(places: np.ndarray, most: int) -> np.ndarray:
    return places[evenly(len(places), most)]


def prune(judge: Judge, ranking: Ranking, plan: Plan, draws: int, random: np.random.Generator) -> Pruning:
    """Remove more and more filters, the least damaging first, and in so many random orders."""
    total = len(judge.removable.filters)
    sayable = judge.fits(())
    order, edge = _ordered(judge, ranking, plan, sayable)
    drawn = [[order[i] for i in random.permutation(total)] for _ in range(draws)]

    def fewest(one: Sequence[Filter]) -> int:
        return total - _last(lambda k: judge.fits(one[:k]), 0, total + 1)

    levels = np.unique(np.round(total * (1 - np.linspace(1, 0, LEVELS) ** 2)).astype(int)).tolist()
    few = [levels[i] for i in evenly(len(levels), FEW + 1)][1:]
    levels = sorted({*levels, edge})
    places = _spread(np.sort(judge.places), plan.curve)
    groups = alike(judge.samples.table.iloc[places], judge.samples.labels[places])
    found = [judge.right(order[:level], places) for level in levels]
    at_random = [[found[0].mean(), *(judge.right(one[:level], places).mean() for level in few)] for one in drawn]
    return Pruning(
        enough=total - edge if sayable else None,
        at_random=np.array([fewest(one) for one in drawn]) if sayable and drawn else None,
        searched=len(judge.places),
        kept=total - np.array(levels),
        accuracy=np.array([right.mean() for right in found]),
        interval=np.array([share_interval(right, groups) for right in found]),
        random_kept=total - np.array([0, *few]),
        random=np.array(at_random).reshape(draws, len(few) + 1),
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
    total, order = len(judge.removable.filters), list[Filter]()

    def next_ones(many: int) -> list[Filter]:
        return _least_damaging(judge.removable, ranking, order, many)

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


def _least_damaging(removable: Removable, ranking: Ranking, gone: Sequence[Filter], many: int) -> list[Filter]:
    """So many of the filters that are left, the least damaging first.

    Damage is what the mean loss on these samples becomes without a filter, besides those already removed: of two that
    do the same only the first is idle.
    """
    away, masks = set(gone), removable.masks(gone)
    left = [one for one in removable.filters if one not in away]
    damage = np.zeros(len(left))
    for batch, x in in_batches(ranking.source, ranking.places):
        truth = torch.from_numpy(ranking.source.labels[batch])
        for at, part in enumerate(removable.parts):
            mine = [i for i, (of, _) in enumerate(left) if of == at]
            channels = [left[i][1] for i in mine]
            answers = removable.removal.without_each(x, part.point, channels, masks) if mine else ()
            for i, logits in zip(mine, answers, strict=True):
                damage[i] += float(nn.functional.cross_entropy(logits.double(), truth, reduction="sum"))
    return [left[i] for i in np.argsort(damage, kind="stable")[:many]]


def _last(fits: Callable[[int], bool], good: int, bad: int) -> int:
    """The largest number that fits, by halving, where `good` does and `bad` does not."""
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if fits(middle) else (good, middle)
    return good


class Judge:
    """What the network loses on some samples, `places` of the split, without several filters at once.

    wider: how much wider an interval over groups is than over samples, at least.
    """

    def __init__(self, removable: Removable, samples: Samples, places: np.ndarray, wider: float) -> None:
        self.removable, self.samples, self.wider = removable, samples, wider
        # Some from everywhere first, so that what is far too bad is soon told.
        few = evenly(len(places), FIRST)
        self.places = np.concatenate([places[few], np.delete(places, few)])
        self.first = len(few)
        self.groups = alike(samples.table.iloc[self.places], samples.labels[self.places])
        self.whole = self.right((), self.places)

    def right(self, gone: Sequence[Filter], places: np.ndarray) -> np.ndarray:
        """Whether each of these samples is read rightly without these filters, bool (places,)."""
        masks = self.removable.masks(gone)
        answers = ((batch, self.removable.removal.logits(x, masks)) for batch, x in in_batches(self.samples, places))
        return np.concatenate([logits.argmax(1).numpy() == self.samples.labels[batch] for batch, logits in answers])

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
