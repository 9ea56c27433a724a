"""Differences that were measured a few times, with other seeds, voices or folds: their mean and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

LEVEL = 0.025  # of a one-sided test that says what a whole 95 % interval on one side of a bound does
POWER = 0.8
SPREADLESS = 1e-12  # rounding leaves so much of equal values' standard deviation
MOST = 1_000_000  # values beyond which nobody would go


def t_interval(values: np.ndarray, overlap: float = 0.0) -> tuple[float, float]:
    """The 95 % interval of the mean of a few values (Student's t, n − 1 degrees of freedom).

    overlap: test samples over training samples, where the values come from folds that share their training samples and
        so differ less than independent ones would: the variance of the mean is s² (1/n + overlap) then (Nadeau &
        Bengio 2003, Inference for the generalization error, Machine Learning 52). 0 for independent values.

    Raises ValueError for fewer than two values.
    """
    mean, error = _mean_and_error(values, overlap)
    half = t_quantile(len(values) - 1) * error
    return mean - half, mean + half


def p_below(values: np.ndarray, bound: float, overlap: float = 0.0) -> float:
    """One-sided p that the mean of values lies below a bound: how probable so low a mean is if the true one is there.

    At most LEVEL where the whole `t_interval`, of the same overlap, lies at or below the bound. Where all values are
    equal there is no chance in it: 0 or 1. Raises ValueError for fewer than two values.
    """
    from scipy.stats import t

    mean, error = _mean_and_error(values, overlap)
    if error < SPREADLESS:
        return float(mean > bound)
    return float(t.cdf((mean - bound) / error, len(values) - 1))


def holm(p: Sequence[float]) -> list[float]:
    """p of several tests, adjusted so that one false finding among them is no more probable than each says.

    Holm 1979, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6.
    """
    adjusted, least = [0.0] * len(p), 0.0
    for rank, place in enumerate(sorted(range(len(p)), key=lambda place: p[place])):
        least = max(least, min(1.0, (len(p) - rank) * p[place]))
        adjusted[place] = least
    return adjusted


def sample_for(difference: float, deviation: float, shared: float = 0.0, level: float = LEVEL) -> int | None:
    """How many values decide, in four of five samples, that a mean which lies `difference` off a bound does so.

    The power is that of the one-sided t-test at `level`, by the noncentral t distribution; the side doesn't count.
    deviation: the standard deviation of single values.
    shared: test samples over training samples of each other value, where values share training samples: the `overlap`
        of n values is shared / (n − 1), as each is trained on n − 1 parts.

    None where a million don't.
    """
    from scipy.stats import nct, t

    def decides(n: int) -> bool:
        error = deviation * math.sqrt(1 / n + shared / (n - 1))
        power = nct.sf(t.ppf(1 - level, n - 1), n - 1, abs(difference) / error)
        return bool(power >= POWER)

    if deviation < SPREADLESS:
        return 2 if difference else None
    if not decides(MOST):
        return None
    low, high = 1, 2
    while not decides(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high


def _mean_and_error(values: np.ndarray, overlap: float) -> tuple[float, float]:
    """The mean and its standard error; see `t_interval`."""
    n = len(values)
    if n < 2:
        raise ValueError(f"an interval wants two values at least, and there is {n}")
    return float(values.mean()), float(values.std(ddof=1)) * math.sqrt(1 / n + overlap)


def t_quantile(free: float) -> float:
    """Student's t with so many degrees of freedom has 95 % within ± this."""
    from scipy.special import stdtrit

    return float(stdtrit(free, 1 - LEVEL))


def effect_size(differences: np.ndarray) -> float | None:
    """The mean of paired differences in their standard deviations, with Hedges' correction for few pairs.

    None for fewer than three, and where all are equal, so that there is nothing to measure it by.
    Hedges & Olkin (1985), Statistical methods for meta-analysis, chapter 5.
    """
    n, deviation = len(differences), float(differences.std(ddof=1))
    if n < 3 or deviation < SPREADLESS:
        return None
    return float(differences.mean()) / deviation * (1 - 3 / (4 * (n - 1) - 1))


def from_intervals(
    values: tuple[np.ndarray, np.ndarray], lows: tuple[np.ndarray, np.ndarray], highs: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of second minus first, each known by its value and its own 95 % interval; arrays of one shape.

    The method of variance estimates recovery (Zou & Donner 2008, Statistics in Medicine 27), which for two shares with
    Wilson's intervals is Newcombe's: it keeps the intervals' lopsidedness. For independent samples; where both were
    measured on the same ones it is too wide.
    """
    first, second = values
    difference = second - first
    below = np.hypot(second - lows[1], highs[0] - first)
    above = np.hypot(highs[1] - second, first - lows[0])
    return difference - below, difference + above
