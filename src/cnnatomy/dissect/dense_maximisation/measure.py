"""The input that excites each dense unit most, and how much of it is left when the input is shifted, against filters.

A filter looks everywhere, a dense unit at each pixel in its own way.
Erhan, Bengio, Courville & Vincent 2009, Visualizing higher-layer features of a deep network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Samples
from cnnatomy.dissect.dense_maximisation.settings import Settings
from cnnatomy.dissect.feature_visualisation.maximisation import Plan, Real, maximise
from cnnatomy.dissect.feature_visualisation.maximised import (
    VARIANTS,
    Maximised,
    against_real,
    count,
    first_ranks,
    of_unit,
    states,
)
from cnnatomy.dissect.feature_visualisation.optimise import PASSES
from cnnatomy.dissect.feature_visualisation.regularisers import Box, box
from cnnatomy.dissect.feature_visualisation.units import Units, listen
from cnnatomy.exhibit import say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.choosing import evenly
from cnnatomy.inspection.convolving import frozen
from cnnatomy.inspection.layers import CONVOLUTIONS, Layer, LayerNotFound, named, trace
from cnnatomy.inspection.work import effort
from cnnatomy.statistics.intervals import difference_of_means
from cnnatomy.statistics.numbers import Numbers

SHIFTS = (1, 2, 3, 4)  # pixels
SAID = 2  # the shift whose number is shown large
BESIDE = 16  # filters of the last convolution that dense units are compared with


@dataclass(frozen=True)
class Look:
    """What was found for a layer. kept: (fires, shifts), see `kept_when_shifted`; summed: of filters."""

    found: Maximised
    kept: np.ndarray

    @property
    def name(self) -> str:
        return self.found.layer.name


@dataclass(frozen=True)
class Maximisation:
    """Dense layers, and the last convolution before them if there is one. box: of the samples."""

    dense: list[Look]
    filters: list[Look]
    box: Box

    @property
    def looks(self) -> list[Look]:
        return [*self.dense, *self.filters]


def measure(
    network: nn.Module, samples: Samples, settings: Settings, *, training: Samples | None, seed: int
) -> Maximisation:
    """Optimise an input for every dense unit but those of the last layer, which are classes.

    The same three ways as for filters, see `maximisation`.

    settings: `layers`, `units`, `steps`, `starts`, `compared`, `work`; see conf/dissect/dense_maximisation.yaml.
    training: where the spectrum of the data is from; the samples where None. Raises DoesNotApply for texts and networks
    without hidden dense layers, LayerNotFound for an unknown layer, ValueError for a unit that no layer has.
    """
    facts = samples.facts
    if facts.kind == "texts":
        raise DoesNotApply(say("dense_maximisation.no_steps"))
    x = to_tensor(facts, samples.inputs[:1])
    traced = trace(network, x)
    layers = _layers(traced, len(facts.classes), settings.layers)
    last = [
        layer
        for layer in traced[: traced.index(layers[0])]
        if isinstance(layer.module, CONVOLUTIONS) and layer.by_sample
    ][-1:]
    real = Real(samples, training or samples, box(samples))
    units = [Units(network, traced, layer, x) for layer in [*layers, *last]]
    step = len(VARIANTS) * PASSES * effort(network, x) * len(units)
    looks = []
    for index, (one, reals) in enumerate(zip(units, listen(units, samples, settings.compared), strict=True)):
        plan = _planned(one, settings, step)
        found = maximise(one, reals, real, plan, summed=bool(one.maps), seed=(seed, index))
        looks.append(Look(found, kept_when_shifted(one, plan.which, found.images["plain"])))
    return Maximisation(
        dense=[look for look in looks if not look.found.summed],
        filters=[look for look in looks if look.found.summed],
        box=real.box,
    )


def _layers(traced: Sequence[Layer], classes: int, names: Sequence[str] | None) -> list[Layer]:
    """The dense layers whose units are no classes. A layer on every word or place of something is none of these."""
    dense = [
        layer for layer in traced if isinstance(layer.module, nn.Linear) and len(layer.shape) == 1 and layer.by_sample
    ]
    if names is not None:
        chosen = [named(traced, name) for name in names]
        for layer in chosen:
            if layer not in dense:
                there = ", ".join(one.name for one in dense) or "none"
                raise LayerNotFound(f"the layer {layer.name!r} is not a dense layer of units; there are: {there}")
        return chosen
    hidden = dense[:-1] if dense and dense[-1].shape == (classes,) else dense
    if not hidden:
        raise DoesNotApply(say("dense_maximisation.no_hidden"))
    return hidden


def _planned(units: Units, settings: Settings, step: float) -> Plan:
    """As many units as the work allows, evenly spread. step: multiply-adds of one step for one unit of each layer."""
    wanted = np.arange(units.count) if settings.units is None or units.maps else np.array(settings.units)
    if wanted.min() < 0 or wanted.max() >= units.count:
        raise ValueError(f"units: {wanted.tolist()} are not all units of {units.layer.name!r}, which has {units.count}")
    affordable = int(settings.work / (settings.starts * settings.steps * step))
    most = max(1, min(len(wanted), affordable, BESIDE if units.maps else len(wanted)))
    return Plan(wanted[evenly(len(wanted), most)], settings.starts, settings.steps)


def kept_when_shifted(units: Units, which: np.ndarray, images: Tensor) -> np.ndarray:
    """Share of a unit's activation that is left when the input made for it is shifted, (n, shifts).

    Mean over up, down, left and right (of signals: earlier and later), around the edge, so that nothing is lost but its
    place. Units that their own input doesn't make fire are left out.
    """
    asked = torch.from_numpy(which)

    def fires(x: Tensor) -> np.ndarray:
        with torch.no_grad(), frozen(units.network):
            _, after = units.values(x, asked)
        return after.reshape(len(x), -1).sum(1).clamp_min(0).double().numpy()

    still = fires(images)
    kept = []
    for by in SHIFTS:
        shifted = [fires(images.roll(step, axis)) for axis in range(2, images.dim()) for step in (-by, by)]
        kept.append(np.mean(shifted, axis=0)[still > 0] / still[still > 0])
    return np.stack(kept, axis=1)


def kept_by(looks: Sequence[Look]) -> np.ndarray:
    """What the units of some layers keep at the shift `SAID`."""
    return np.concatenate([look.kept[:, SHIFTS.index(SAID)] for look in looks] or [np.empty(0)])


def than_filters(units: np.ndarray, filters: np.ndarray) -> str | None:
    """Whether units keep less, more or the same as filters, (n,) each, beyond chance; None of fewer than two."""
    if min(len(units), len(filters)) < 2:
        return None
    low, high = difference_of_means(units, filters)
    return "same" if low <= 0 <= high else "more" if low > 0 else "less"


def numbers(found: Maximisation) -> Numbers:
    """Of the whole, then of each dense layer, then what is kept at each shift."""
    rows, dense = Numbers(), [look.found for look in found.dense]
    against_real(rows, dense)
    rows.mean("kept_by_dense", kept_by(found.dense), between=(0, np.inf))
    rows.mean("kept_by_filters", kept_by(found.filters), between=(0, np.inf))
    first_ranks(rows, dense)
    count(rows, [state for one in dense for state in states([one])])
    for one in dense:
        with rows.about(f"layer={one.layer.name}"):
            rows.add("units", one.layer.shape[0])
            count(rows, states([one]))
            for row, unit in enumerate(one.which):
                with rows.about(f"unit={unit}"):
                    of_unit(rows, [one], row)
    for look in found.looks:
        if len(look.kept):
            for by, share in zip(SHIFTS, look.kept.mean(axis=0), strict=True):
                with rows.about(f"layer={look.name};shift={by}"):
                    rows.add("kept", significant(float(share)), n=len(look.found.which))
    return rows
