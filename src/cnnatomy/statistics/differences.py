"""Differences that were measured a few times, with other seeds, voices or folds: their mean and how sure it is."""

from __future__ import annotations

import math

import numpy as np


def t_interval(values: np.ndarray, overlap: float = 0.0) -> tuple[float, float]:
    """The 95 % interval of the mean of a few values (Student's t, n − 1 degrees of freedom).

    overlap: test samples over training samples, where the values come from folds that share their training samples and
        so differ less than independent ones would: the variance of the mean is s² (1/n + overlap) then (Nadeau &
        Bengio 2003, Inference for the generalization error, Machine Learning 52). 0 for independent values.

    Raises ValueError for fewer than two values.
    """
    n = len(values)
    if n < 2:
        raise ValueError(f"an interval wants two values at least, and there is {n}")
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    half = t_quantile(n - 1) * deviation * math.sqrt(1 / n + overlap)
    return mean - half, mean + half


def t_quantile(free: float) -> float:
    """Student's t with so many degrees of freedom has 95 % within ± this."""
    from scipy.special import stdtrit

    return float(stdtrit(free, 0.975))


def effect_size(differences: np.ndarray) -> float | None:
    """The mean of paired differences in their standard deviations, with Hedges' correction for few pairs.

    None for fewer than three, and where all are equal, so that there is nothing to measure it by.
    Hedges & Olkin (1985), Statistical methods for meta-analysis, chapter 5.
    """
    n, deviation = len(differences), float(differences.std(ddof=1))
    if n < 3 or deviation < 1e-12:
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
