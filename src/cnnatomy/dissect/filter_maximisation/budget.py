"""How many filters a network's size allows to look at, from how many starts, in how many steps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from cnnatomy.dissect.feature_visualisation.maximisation import Plan
from cnnatomy.dissect.feature_visualisation.maximised import VARIANTS
from cnnatomy.dissect.feature_visualisation.optimise import PASSES
from cnnatomy.dissect.filter_maximisation.settings import Settings
from cnnatomy.inspection.choosing import evenly
from cnnatomy.inspection.layers import CONVOLUTIONS, Layer, LayerNotFound, named, stages
from cnnatomy.inspection.work import reached

STEPPING = 150  # multiply-adds that a step costs for each value of the input besides: Adam, spectrum, contrast
DEPTHS = 5  # layers looked at where all are too many
#: (share of the starts, share of the steps) to save by, in this order, before fewer than `FEW` filters are looked at.
SAVINGS = ((1.0, 1.0), (0.5, 1.0), (0.0, 1.0), (0.0, 0.5))
FEW = 8


def planned(traced: Sequence[Layer], x: Tensor, settings: Settings) -> list[tuple[Layer, Plan]]:
    """Every filter of every convolution where that is not too much work; else some, spread over depth and layer.

    settings: `layers`, `units`, `steps`, `starts`, `work`. Raises LayerNotFound for an unknown layer, or one that is no
    convolution, ValueError for a unit that a layer lacks.
    """
    layers, units = _layers(traced, settings.layers), settings.units
    for layer in layers:
        if units is not None and not all(0 <= unit < layer.shape[0] for unit in units):
            raise ValueError(f"units: {units} are not all filters of {layer.name!r}, which has {layer.shape[0]}")
    once = {layer.name: _work(traced, layer, x) for layer in layers}
    full = settings.starts * settings.steps
    total = sum(full * once[layer.name] * (len(units) if units else layer.shape[0]) for layer in layers)
    if settings.layers is None and total > settings.work and len(layers) > DEPTHS:
        layers = [layers[place] for place in np.linspace(0, len(layers) - 1, DEPTHS).astype(int)]
    plans = []
    for layer in layers:
        wanted = np.arange(layer.shape[0]) if units is None else np.array(units)
        starts, steps, most = settings.starts, settings.steps, len(wanted)
        for fewer, shorter in SAVINGS if total > settings.work else ():
            starts, steps = max(1, round(fewer * settings.starts)), max(1, round(shorter * settings.steps))
            most = int(settings.work / len(layers) / (starts * steps * once[layer.name]))
            if most >= min(FEW, len(wanted)):
                break
        plans.append((layer, Plan(wanted[evenly(len(wanted), max(1, most))], starts, steps)))
    return plans


def _layers(traced: Sequence[Layer], names: Sequence[str] | None) -> list[Layer]:
    convolutions = [layer for stage in stages(traced) for layer in stage]
    if names is None:
        return convolutions
    chosen = [named(traced, name) for name in names]
    for layer in chosen:
        if not isinstance(layer.module, CONVOLUTIONS):
            there = ", ".join(found.name for found in convolutions)
            raise LayerNotFound(f"the layer {layer.name!r} is no convolution, so it has no filters. There are: {there}")
    return chosen


def _work(traced: Sequence[Layer], layer: Layer, x: Tensor) -> float:
    """Effort of one step for one filter, in all variants of both objectives; of the layer its channel alone."""
    weight = layer.module.weight
    assert isinstance(weight, Tensor)
    whole = reached(traced, layer) - weight[0].numel() * math.prod(layer.shape[1:]) * (layer.shape[0] - 1)
    sides = x.shape[2:]
    seen = layer.field.size if layer.field is not None and len(layer.field.size) == len(sides) else sides
    part = math.prod(min(1.0, size / side) for size, side in zip(seen, sides, strict=True))
    return len(VARIANTS) * (PASSES * whole + STEPPING * x.numel()) * (1 + part)
