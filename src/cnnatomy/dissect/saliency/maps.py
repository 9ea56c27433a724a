"""Maps of what counts in a sample as plain numbers: where they count, how alike they are, how local."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from cnnatomy.data.prepared import PADDING, Facts, Samples

ENOUGH = 10  # samples for an interval


def places_of(facts: Facts) -> tuple[int, ...]:
    """The shape of a map of a sample: rows and columns, words, or steps."""
    return tuple(facts.shape if facts.kind == "texts" else facts.shape[1:])


def counting(samples: Samples, places: np.ndarray) -> np.ndarray:
    """Which places of these samples' maps count, bool (n, *places): all but the padding behind a sentence."""
    if samples.facts.kind == "texts":
        return np.asarray(samples.inputs[places]) != PADDING
    return np.ones((len(places), *places_of(samples.facts)), dtype=bool)


def rank_correlations(one: Tensor, other: Tensor, valid: np.ndarray) -> np.ndarray:
    """Spearman's correlation of two maps of each sample, (n,), over the places that are `valid`, bool (n, *places).

    0 where a map is the same everywhere: it says nothing of the other.
    """
    found = np.zeros(len(one))
    for i in range(len(one)):
        a, b = (_ranks(maps[i].double().numpy()[valid[i]]) for maps in (one, other))
        a, b = a - a.mean(), b - b.mean()
        scale = np.sqrt((a**2).sum() * (b**2).sum())
        found[i] = (a * b).sum() / scale if scale > 0 else 0.0
    return found


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 0, equal values sharing their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[inverse]


def concentration(maps: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """The share of each map's sum that lies in its strongest quarter of places, (n,): 0.25 if it is even.

    maps: (n, *places), none below zero; valid: bool, which places count. Maps that are zero there are left out.
    """
    found = []
    for values in (one[counts] for one, counts in zip(maps, valid, strict=True)):
        if values.sum() > 0:
            found.append(np.sort(values)[::-1][: max(1, round(len(values) / 4))].sum() / values.sum())
    return np.array(found)


def extent(axis_values: Sequence[float], weights: np.ndarray) -> tuple[float, float, float]:
    """Where along an axis the weights peak, and between which values the middle half of them lies."""
    values, total = np.asarray(axis_values, dtype=float), np.cumsum(weights)
    low, high = (values[int(np.searchsorted(total, part * total[-1]))] for part in (0.25, 0.75))
    return float(values[int(np.argmax(weights))]), float(low), float(high)
