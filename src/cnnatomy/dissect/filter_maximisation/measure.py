"""The input that excites each filter most, by the value at one place of its map and by the sum of the map.

Erhan, Bengio, Courville & Vincent 2009, Visualizing higher-layer features of a deep network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.feature_visualisation.maximisation import Plan, Real, exact_optimum, maximise
from cnnatomy.dissect.feature_visualisation.maximised import (
    Maximised,
    against_real,
    count,
    first_ranks,
    of_unit,
    states,
)
from cnnatomy.dissect.feature_visualisation.regularisers import Box, box
from cnnatomy.dissect.feature_visualisation.units import Units, listen
from cnnatomy.dissect.filter_maximisation.budget import planned
from cnnatomy.dissect.filter_maximisation.scenes import scenes
from cnnatomy.dissect.filter_maximisation.settings import Settings
from cnnatomy.exhibit import say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.blocks import State
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.layers import CONVOLUTIONS, Layer
from cnnatomy.statistics.numbers import Numbers


@dataclass(frozen=True)
class Look:
    """What was found for a layer; optimum is that at one position, (n,), where it is known."""

    layer: Layer
    plan: Plan
    position: Maximised
    map: Maximised
    optimum: np.ndarray | None

    @property
    def states(self) -> list[State]:
        """Of each filter, by both objectives."""
        return states([self.position, self.map])

    @property
    def share_of_optimum(self) -> np.ndarray:
        """What plain reaches of each filter's optimum, (n,): NaN where that is not known, or not above zero.

        A share of a number below zero says nothing.
        """
        missing = np.full(len(self.plan.which), np.nan)
        if self.optimum is None:
            return missing
        return np.divide(self.position.values["plain"], self.optimum, out=missing, where=self.optimum > 0)

    @property
    def least_share(self) -> float | None:
        """The least of these that is known; rounding may put it a hair above 1, which nothing can be."""
        shares = self.share_of_optimum
        return min(1.0, float(np.nanmin(shares))) if np.isfinite(shares).any() else None


@dataclass(frozen=True)
class Maximisation:
    """facts, box: of what was climbed on: the samples, or `windows` of them. convolutions: how many there are."""

    looks: list[Look]
    facts: Facts
    box: Box
    windows: bool
    convolutions: int

    @property
    def compared(self) -> int:
        """How many real inputs there are to compare with."""
        return self.looks[0].position.compared


def measure(
    network: nn.Module, samples: Samples, settings: Settings, *, training: Samples | None, seed: int
) -> Maximisation:
    """Optimise an input for every filter of every convolution, all of a layer in one batch.

    Two objectives: the value of a filter at one position, of which only the window that it sees is optimised, and the
    sum of its map. Three ways each, see `maximisation`; each beside the real input that excites the filter most.

    training: where the spectrum of the data is from; the samples where None. Raises DoesNotApply for texts,
    LayerNotFound for an unknown layer or a network without convolution, ValueError for a unit that no layer has.
    """
    if samples.facts.kind == "texts":
        raise DoesNotApply(say("filter_maximisation.no_steps"))
    cut, trained, traced = scenes(network, samples, training or samples, settings.side)
    x = to_tensor(cut.facts, cut.inputs[:1])
    plans = planned(traced, x, settings)
    units = [Units(network, traced, layer, x) for layer, _ in plans]
    real = Real(cut, trained, box(samples))
    looks = []
    for index, (one, reals) in enumerate(zip(units, listen(units, cut, settings.compared), strict=True)):
        layer, plan = plans[index]
        position, whole = (
            maximise(one, reals, real, plan, summed=summed, seed=(seed, index, int(summed))) for summed in (False, True)
        )
        optimum = exact_optimum(one, position.window, real.box, plan.which)
        looks.append(Look(layer, plan, position, whole, optimum))
    convolutions = sum(isinstance(layer.module, CONVOLUTIONS) for layer in traced)
    return Maximisation(looks, cut.facts, real.box, cut is not samples, convolutions)


def numbers(found: Maximisation) -> Numbers:
    """Of the whole: how far the pictures can be trusted, and what became of the filters; then of each layer."""
    rows, looks = Numbers(), found.looks
    against_real(rows, [look.position for look in looks], "_position")
    against_real(rows, [look.map for look in looks], "_map")
    shares = np.concatenate([look.share_of_optimum for look in looks])
    if known := int(np.isfinite(shares).sum()):
        rows.add("least_share_of_optimum", _share(float(np.nanmin(shares))), unit="fraction", n=known)
    first_ranks(rows, [look.position for look in looks])
    count(rows, [state for look in looks for state in look.states])
    for look in looks:
        with rows.about(f"layer={look.layer.name}"):
            _of_layer(rows, look)
    return rows


def _of_layer(rows: Numbers, look: Look) -> None:
    rows.add("filters", look.layer.shape[0])
    rows.add("looked_at", len(look.plan.which))
    rows.add("starts", look.plan.starts)
    rows.add("steps", look.plan.steps)
    count(rows, look.states)
    for row, (filter_, share) in enumerate(zip(look.plan.which, look.share_of_optimum, strict=True)):
        with rows.about(f"filter={filter_}"):
            of_unit(rows, [look.position, look.map], row)
            if look.optimum is not None:
                rows.add("optimum", significant(float(look.optimum[row])))
            if np.isfinite(share):
                rows.add("share_of_optimum", _share(float(share)), unit="fraction")


def _share(value: float) -> float:
    """Of an optimum, which nothing exceeds; rounding may."""
    return min(1.0, significant(value, 6))
