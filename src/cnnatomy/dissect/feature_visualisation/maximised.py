"""What was found by climbing for some units of a layer, and the rows that say how far it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from cnnatomy.dissect.feature_visualisation.units import Window
from cnnatomy.exhibit.blocks import State
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.layers import Layer
from cnnatomy.statistics.intervals import wilson
from cnnatomy.statistics.numbers import Numbers

VARIANTS = ("plain", "l1_tv", "fourier")
STATES: tuple[State, ...] = ("live", "rescued", "dead")
SAME = 1e-6  # share of a value within which two are equal: the order of a sum changes that much


@dataclass(frozen=True)
class Maximised:
    """What was found for some units of a layer, by one of two objectives: the value at one place, or the map's sum.

    which: (n,) the units. window: what was optimised. fires: (n,) how many of `compared` samples make the unit fire.
    real: (n, *window) the best real inputs; best: their values. images, values: for each variant (n, *window) and (n,).
    rank: (n,) see `ranks`; empty where it can't be said. lit: (n,) whether the unit fires on an input made for it.
    """

    layer: Layer
    summed: bool
    which: np.ndarray
    window: Window
    fires: np.ndarray
    compared: int
    real: Tensor
    best: np.ndarray
    images: Mapping[str, Tensor]
    values: Mapping[str, np.ndarray]
    rank: np.ndarray
    lit: np.ndarray

    @property
    def objective(self) -> str:
        return "map" if self.summed else "position"

    @property
    def live(self) -> np.ndarray:
        """Whether a real sample makes the unit fire."""
        return self.fires > 0

    def beats(self, variant: str = "plain") -> np.ndarray:
        """Whether that input excites its unit more than the best real one does."""
        return self.values[variant] > self.best + SAME * np.abs(self.best)

    @property
    def reaches(self) -> np.ndarray:
        """Whether plain excites it at least as much: where a real input is the optimum, no other can do more."""
        return self.values["plain"] >= self.best - SAME * np.abs(self.best)


def states(found: Sequence[Maximised]) -> list[State]:
    """Of each unit. Live: fires on data. Rescued: never on data, but on an input made for it. Dead: on neither."""
    lit = np.logical_or.reduce([one.lit for one in found])
    return ["live" if live else "rescued" if fires else "dead" for live, fires in zip(found[0].live, lit, strict=True)]


def count(rows: Numbers, found: Sequence[State]) -> None:
    """How many units are live, rescued and dead."""
    for state in STATES:
        rows.add(state, found.count(state), n=len(found))


def against_real(rows: Numbers, found: Sequence[Maximised], suffix: str = "") -> None:
    """The shares of live units whose best real inputs the plain ones beat, and which they reach at least."""
    live = np.concatenate([one.live for one in found])
    for metric, of in (("beats", [one.beats() for one in found]), ("reaches", [one.reaches for one in found])):
        if live.any():
            share = float(np.concatenate(of)[live].mean())
            rows.add(f"{metric}_best_real{suffix}", share, unit="fraction", n=int(live.sum()))


def first_ranks(rows: Numbers, found: Sequence[Maximised]) -> None:
    """The share of live units that their own inputs excite more unusually than any other unit of the layer."""
    ranks = np.concatenate([one.rank[one.live] for one in found if len(one.rank)] or [np.empty(0)])
    if len(ranks):
        rows.add("ranks_first", float((ranks == 1).mean()), unit="fraction", n=len(ranks))


def of_unit(rows: Numbers, found: Sequence[Maximised], row: int) -> None:
    """A unit's values by each objective."""
    fires, compared = int(found[0].fires[row]), found[0].compared
    share, low, high = (significant(value) for value in (fires / compared, *wilson(fires, compared)))
    rows.add("fires", share, (low, high), unit="fraction", n=compared)
    for one in found:
        for variant, values in {"real": one.best, **one.values}.items():
            rows.add(f"{variant}_{one.objective}", significant(float(values[row])))
        if len(one.rank):
            rows.add(f"rank_{one.objective}", int(one.rank[row]))
