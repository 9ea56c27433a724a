"""Every map of `attribution` and `class_activation` against maps that know nothing of the network.

These are a random map and one of the data alone (`controls`); a method's gain is that over the better of the two.
Petsiuk et al. 2018, RISE: randomized input sampling for explanation of black-box models, BMVC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.data.speakers import alike
from cnnatomy.dissect.faithfulness.settings import Settings
from cnnatomy.dissect.saliency import attributions, cams
from cnnatomy.dissect.saliency.attributions import Maps, attributed, baseline_of
from cnnatomy.dissect.saliency.controls import of_the_data
from cnnatomy.dissect.saliency.curves import TESTS, Changing, area, ranks
from cnnatomy.dissect.saliency.maps import ENOUGH, counting, places_of
from cnnatomy.dissect.saliency.path import Mean
from cnnatomy.dissect.saliency.trust import Verdict, randomised
from cnnatomy.exhibit import Text, say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.choosing import evenly
from cnnatomy.inspection.outputs import logits_of
from cnnatomy.inspection.work import affordable, effort
from cnnatomy.statistics.intervals import grouped_mean
from cnnatomy.statistics.numbers import Numbers
from cnnatomy.statistics.paired import discoveries, no_more_than_zero

CONTROLS = ("random", "data")  # maps that know nothing of the network
WORK = 1.5e11  # multiply-adds for all curves together
FALSE = 0.05  # of the methods said to be better than the controls, the share that may be so by chance


@dataclass(frozen=True)
class Comparison:
    """How maps compare with the controls, by the mean probability over the curves of each test.

    areas: by map and test, (samples,). control: what the map of the data is of, see `controls`.
    groups: of samples that go together, int (samples,), see `alike`; None where all are independent.
    """

    areas: Mapping[str, Mapping[str, np.ndarray]]
    verdicts: Mapping[str, Verdict]
    control: str
    groups: np.ndarray | None = None

    @property
    def n(self) -> int:
        """How many samples."""
        return len(self.areas["random"]["deletion"])

    def called(self, name: str) -> str:
        """The name of a map: that of the data is called by what it is of."""
        return self.control if name == "data" else name

    def better(self, test: str) -> str:
        """The control that a gain in this test is over: the better of the two."""
        sign = 1 if test == "insertion" else -1
        return max(CONTROLS, key=lambda name: sign * float(self.areas[name][test].mean()))

    def gain(self, name: str, test: str) -> np.ndarray:
        """By how much a map is better than that control on each sample: above 0, it is."""
        difference = self.areas[name][test] - self.areas[self.better(test)][test]
        return difference if test == "insertion" else -difference

    def best(self, test: str) -> str:
        """The method that passes and gains most, one that is ahead before one that isn't; of all where none passes."""
        passing = [name for name, verdict in self.verdicts.items() if not verdict.fails] or list(self.verdicts)
        passing = [name for name in passing if (name, test) in self.ahead] or passing
        return max(passing, key=lambda name: float(self.gain(name, test).mean()))

    @cached_property
    def ahead(self) -> set[tuple[str, str]]:
        """The (method, test) that are better than both controls by more than chance makes, all tests taken together."""
        if self.n < ENOUGH:
            return set()
        asked = list(product(self.verdicts, TESTS))
        chances = np.array([no_more_than_zero(self.gain(*one), self.groups) for one in asked])
        return {one for one, found in zip(asked, discoveries(chances, FALSE), strict=True) if found}

    def interval(self, values: np.ndarray) -> tuple[float, float] | None:
        """That of the mean of (samples,), over groups of them where they come in such; None for too few samples."""
        return grouped_mean(values, self.groups) if self.n >= ENOUGH else None


@dataclass(frozen=True)
class Faithfulness:
    """What becomes of the probability of the class that is read as places are changed in the order of each map.

    shares: of the places that are changed, (points,). curves: by map and test, (samples, points).
    means: how integrated gradients were found, a sample each.
    left_out: why class activation maps can't be had, if they can't.
    """

    comparison: Comparison
    shares: np.ndarray
    curves: dict[str, dict[str, np.ndarray]]
    means: list[Mean]
    left_out: Text | None


def measure(
    network: nn.Module, samples: Samples, settings: Settings, *, seed: int, training: Samples | None = None
) -> Faithfulness:
    """Change places in the order of every map, and ask the network again; and shuffle it, and make the maps again.

    training: where words are counted for the map of the data.

    settings: `samples`, `steps`; see conf/dissect/faithfulness.yaml. Raises DoesNotApply for fewer than two samples
    and for undefined answers, NoLogits before any long work.
    """
    facts = samples.facts
    if len(samples) < 2:
        raise DoesNotApply(say("faithfulness.no_samples"))
    x = to_tensor(facts, samples.inputs[:1])
    logits_of(network, x, len(facts.classes))
    table, left_out = _methods(network, samples, x)
    wanted = settings.samples, settings.steps
    n, steps = _affordable(len(samples), effort(network, x), len(table) + len(CONTROLS), *wanted)
    chosen, shares = evenly(len(samples), n), np.linspace(0, 1, steps + 1)
    x = to_tensor(facts, samples.inputs[chosen])
    target = logits_of(network, x).argmax(1)
    maps, means = attributed(table, network, x, target, baseline_of(samples))
    control = of_the_data(samples, training, chosen)
    chance = np.random.default_rng(seed).random((n, *places_of(facts)))
    changing, valid = Changing(network, samples, chosen, target), counting(samples, chosen)
    curves: dict[str, dict[str, np.ndarray]] = {}
    for name, found in (maps | {"random": torch.from_numpy(chance), "data": control.maps}).items():
        order = ranks(_importance(name, facts, found), valid, chance)
        curves[name] = {test: changing.curve(order, shares, test) for test in TESTS}
        if not all(np.isfinite(curve).all() for curve in curves[name].values()):
            raise DoesNotApply(say("faithfulness.undefined"))
    comparison = Comparison(
        areas={name: {test: area(found[test], shares) for test in TESTS} for name, found in curves.items()},
        verdicts=randomised(network, samples, table, seed, cuts=3),
        control=control.name,
        groups=alike(samples.table.iloc[chosen], target.numpy()),
    )
    return Faithfulness(comparison, shares, curves, means, left_out)


def _methods(network: nn.Module, samples: Samples, x: Tensor) -> tuple[dict[str, Maps], Text | None]:
    """All that can be had of this network, and why class activation maps can't be, if they can't."""
    table, facts = attributions.methods(network, samples, None), samples.facts
    try:
        layers = cams.cam_layers(network, x, None)
    except DoesNotApply as error:
        return table, error.because
    return table | cams.methods(layers, places_of(facts), facts.kind == "texts"), None


def _affordable(there: int, each: float, maps: int, wanted: int, steps: int) -> tuple[int, int]:
    """How many samples and steps there is time for: fewer steps first, then fewer samples."""
    n = min(wanted, there)
    curves = WORK / (each * maps * len(TESTS))  # points of curves
    steps = affordable(curves, n, min(8, steps), steps)
    return affordable(curves, steps, min(8, n), n), steps


def _importance(name: str, facts: Facts, maps: Tensor) -> Tensor:
    """What a place is ranked by: of what says only how sensitive the output is, the size without the sign."""
    sensitive = name in ("gradients", "guided_backpropagation") and facts.kind != "texts"
    return maps.abs() if sensitive else maps


def numbers(found: Faithfulness) -> Numbers:
    """Of all methods, then of each map."""
    rows, comparison = Numbers(), found.comparison
    verdicts = comparison.verdicts
    rows.add("methods_that_fail", sum(verdict.fails for verdict in verdicts.values()), n=len(verdicts))
    for test in TESTS:
        _mean(rows, comparison, f"best_{test}_gain", comparison.gain(comparison.best(test), test))
        rows.add(f"better_at_{test}", sum((name, test) in comparison.ahead for name in verdicts), n=len(verdicts))
    for name in comparison.areas:
        _of_map(rows, comparison, name)
    if found.means:
        error = significant(max(mean.error for mean in found.means), 2)
        rows.add("path_error", error, unit="fraction", n=len(found.means))
    return rows


def _of_map(rows: Numbers, comparison: Comparison, name: str) -> None:
    with rows.about(f"method={comparison.called(name)}"):
        for test in TESTS:
            _mean(rows, comparison, f"{test}_area", comparison.areas[name][test], "fraction")
            if name not in CONTROLS:
                with rows.about(f"over={comparison.called(comparison.better(test))}"):
                    _mean(rows, comparison, f"{test}_gain", comparison.gain(name, test))
        if verdict := comparison.verdicts.get(name):
            rows.append(verdict.number(name))
            rows.add("fails", int(verdict.fails))
            rows += verdict.depths(name)


def _mean(rows: Numbers, comparison: Comparison, metric: str, values: np.ndarray, unit: str = "") -> None:
    rows.add(metric, float(values.mean()), comparison.interval(values), unit, len(values))
