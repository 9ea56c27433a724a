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
    from scipy.stats import t

    n = len(values)
    if n < 2:
        raise ValueError(f"an interval wants two values at least, and there is {n}")
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    half = float(t.ppf(0.975, n - 1)) * deviation * math.sqrt(1 / n + overlap)
    return mean - half, mean + half


def effect_size(differences: np.ndarray) -> float | None:
    """The mean of paired differences in their standard deviations, with Hedges' correction for few pairs.

    None for fewer than three, and where all are equal, so that there is nothing to measure it by.
    Hedges & Olkin (1985), Statistical methods for meta-analysis, chapter 5.
    """
    n, deviation = len(differences), float(differences.std(ddof=1))
    if n < 3 or deviation < 1e-12:
        return None
    return float(differences.mean()) / deviation * (1 - 3 / (4 * (n - 1) - 1))
