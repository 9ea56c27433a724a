"""How many filters and samples can be looked at within a number of multiply-adds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cnnatomy.dissect.filter_ablation.removable import Part, Removable
from cnnatomy.dissect.filter_ablation.settings import Settings
from cnnatomy.inspection.ablation import ChannelAblation, ablation_point, work
from cnnatomy.inspection.choosing import evenly
from cnnatomy.inspection.layers import Layer

FEWEST = 200  # test samples below which filters are thinned out instead, and half as many of those are looked at
LEAST = 10  # filters, and samples, looked at however large the network is
CORRELATED = 500  # samples on which maps are compared
LEVELS, FEW = 16, 6  # numbers of filters kept that the curve is drawn at, and of random orders


@dataclass(frozen=True)
class Plan:
    """How many samples each measurement takes; of the curve none where it would take too long.

    samples: those without each filter. compared: those that say how alike maps are. ranked: those that the order of
    removal is found on. curve: those that the curve is drawn on. searched: those that say how many filters are enough.
    step: the share of the filters left that are removed between two looks at the damage; 1 where there is time for one
    look only. looks: at the damage at most once fewer are removed at a time.
    """

    samples: int
    compared: int
    ranked: int = 0
    curve: int = 0
    searched: int = 0
    step: float = 1.0
    looks: int = 0


def planned(
    removal: ChannelAblation, layers: Sequence[Layer], convolutions: Sequence[Layer], settings: Settings, labelled: int
) -> tuple[Removable, Plan]:
    """What can be measured within the budget: two fifths for each filter, two for the order, one for what is kept.

    Where two fifths aren't enough for all filters, all goes to as many of them as can be removed, evenly spread.
    labelled: how many test samples have a label.
    """
    points = [ablation_point(layers, layer).name for layer in convolutions]
    every = np.array([(at, channel) for at, layer in enumerate(convolutions) for channel in range(layer.shape[0])])
    costs = np.array([removal.cost(point) for point in points])
    sweep, once = int(costs[every[:, 0]].sum()), sum(map(work, layers))
    fifth = settings.work / 5
    drawn = once * (LEVELS + FEW * settings.draws)
    curve = int(fifth / 2 / drawn)
    compared = max(LEAST, min(CORRELATED, int(settings.work / 10 / once)))
    if min(FEWEST, labelled) > min(2 * fifth / sweep, curve):
        affordable = int(len(every) * settings.work / (sweep * min(FEWEST // 2, labelled)))
        every = every[evenly(len(every), max(LEAST, affordable))]
        samples = max(LEAST, int(settings.work / costs[every[:, 0]].sum()))
        plan = Plan(min(settings.samples, labelled, samples), compared)
    else:
        curve = min(settings.curve, labelled, curve)
        looks = 1 / settings.step  # in sweeps of all filters
        again = sweep * looks * FEWEST / 2 <= fifth
        ranked = max(LEAST, min(settings.ranked, int(fifth / (sweep * (looks if again else 1)))))
        # A search halves what is left, and half of what it tries is told from the first samples.
        tries = 0.5 * (1 + settings.draws) * math.log2(len(every) + 1)
        plan = Plan(
            samples=min(settings.samples, labelled, int(2 * fifth / sweep)),
            compared=compared,
            ranked=ranked,
            curve=curve,
            searched=min(settings.search, labelled, max(curve, int((fifth - curve * drawn) / (once * tries)))),
            step=settings.step if again else 1.0,
            looks=int(fifth / (sweep * ranked)) if again else 0,
        )
    chosen = [every[every[:, 0] == at, 1] for at in range(len(points))]
    named = zip(convolutions, points, chosen, strict=True)
    parts = [Part(layer.name, point, channels, layer.shape[0]) for layer, point, channels in named if len(channels)]
    return Removable(removal, parts), plan
