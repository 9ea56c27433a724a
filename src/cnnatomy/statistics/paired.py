"""Two measurements on the same samples: how far right answers differ, and whether more than by chance.

Where samples come in groups whose answers change together (clips in which one speaker says one word), `groups` gives
each sample's group, int (samples,) from 0; what is counted as independent are then the groups.
"""

from __future__ import annotations

import math

import numpy as np

from cnnatomy.statistics.differences import t_quantile
from cnnatomy.statistics.intervals import Z, grouped_error, of_groups


def lost(
    before: np.ndarray, after: np.ndarray, groups: np.ndarray | None = None, wider: float = 1.0
) -> tuple[float, float, float]:
    """By how much the share of right answers falls, and its 95 % interval.

    before, after: bool (samples,), of the same samples. The interval is that of Agresti & Min (2005), Simple improved
    confidence intervals for comparing matched proportions, Statistics in Medicine 24: half a sample is added to each
    of the four cells, so that it holds where hardly any answer changes. With groups it is as much wider as the groups'
    changes spread more than those of independent samples would (`widening`), and by `wider` at least.
    """
    n = len(before)
    worse, better = int((before & ~after).sum()), int((~before & after).sum())
    centre = (worse - better) / (n + 2)
    half = Z * np.sqrt((worse + better + 1) - (worse - better) ** 2 / (n + 2)) / (n + 2)
    if groups is not None:
        half *= max(wider, widening(before, after, groups))
    return (worse - better) / n, max(-1.0, float(centre - half)), min(1.0, float(centre + half))


def widening(before: np.ndarray, after: np.ndarray, groups: np.ndarray) -> float:
    """The standard error over groups by that of independent samples, with t for the normal quantile; at least 1.

    before, after: bool (samples,) or (comparisons, samples): one comparison hardly says it where few answers change,
        many together do.
    """
    change = np.atleast_2d(before.astype(float) - after)
    sizes = np.bincount(groups)
    there = sizes > 0
    mean = change.mean(axis=1)
    by_chance = float(((change - mean[:, None]) ** 2).sum())
    if there.sum() < 2 or by_chance == 0:
        return 1.0
    apart = np.array([np.bincount(groups, row) for row in change]) - sizes * mean[:, None]
    between, free = of_groups(apart[:, there], sizes[there])
    return max(1.0, t_quantile(free) / Z * math.sqrt(between / by_chance))


def by_chance(before: np.ndarray, after: np.ndarray, groups: np.ndarray | None = None) -> float:
    """How probable so uneven a change is if answers get worse as easily as better: McNemar's exact test.

    With groups the answers of a group change sides together: the exact test of sign flips of the groups' sums.
    """
    from scipy.stats import binomtest

    if groups is None:
        worse, better = int((before & ~after).sum()), int((~before & after).sum())
        return float(binomtest(worse, worse + better).pvalue) if worse + better else 1.0
    sums = np.rint(np.bincount(groups, before.astype(float) - after)).astype(int)
    # The distribution of the sum over all choices of signs, value by value from −reach to reach.
    reach = int(np.abs(sums).sum())
    chances = np.zeros(2 * reach + 1)
    chances[reach] = 1.0
    for size in np.abs(sums[sums != 0]):
        chances = (np.roll(chances, size) + np.roll(chances, -size)) / 2
    uneven = np.abs(np.arange(-reach, reach + 1)) >= abs(int(sums.sum()))
    return min(1.0, float(chances[uneven].sum()))


def no_more_than_zero(differences: np.ndarray, groups: np.ndarray | None = None) -> float:
    """How probable so large a mean of paired differences is if it is 0 in truth, one-sided (Student's t, over groups).

    Where all are the same number there is no chance in it: 0 above zero, else 1.
    """
    from scipy.special import stdtr

    mean, error, free = grouped_error(differences, groups)
    if float(np.ptp(differences)) == 0 or error == 0:
        return 0.0 if mean > 0 else 1.0
    return float(stdtr(free, -mean / error))


def discoveries(chances: np.ndarray, rate: float) -> np.ndarray:
    """Which of many tests stand out when at most this share of those named may be there by chance, bool.

    Benjamini & Hochberg (1995), Controlling the false discovery rate, JRSS B 57.
    """
    from scipy.stats import false_discovery_control

    return np.asarray(false_discovery_control(chances) <= rate)
