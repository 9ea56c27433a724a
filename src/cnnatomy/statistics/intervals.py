"""Intervals: how far a number that was measured on some samples may lie from that of all."""

from __future__ import annotations

import numpy as np

from cnnatomy.exhibit import Number

Z = 1.959963984540054  # the normal distribution has 95 % within ±Z


def wilson(hits: float, n: float) -> tuple[float, float]:
    """The 95 % interval of a share of `hits` in `n` (Wilson 1927): inside 0 to 1, and honest near its ends."""
    if n == 0:
        return 0.0, 1.0
    share = hits / n
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    # Exact at the ends, where rounding would leave the share itself outside.
    return 0.0 if hits == 0 else float(centre - half), 1.0 if hits == n else float(centre + half)


def share(metric: str, hits: int, n: int, subject: str = "") -> Number:
    """A share of `hits` in `n` with its interval."""
    low, high = wilson(hits, n)
    return Number(metric, hits / n, low, high, unit="fraction", n=n, subject=subject)


def clustered(hits: np.ndarray, n: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of a share of samples that come in groups (clips of a voice), hits and samples a group each.

    Wilson's interval for as many independent samples as these are worth: n over the design effect (Kish 1965), which
    is how much more the groups vary than chance makes groups of independent samples vary, and at least 1.
    """
    groups, total = len(n), float(n.sum())
    mean = float(hits.sum()) / total
    by_chance = total * mean * (1 - mean)
    if groups < 2 or by_chance == 0:
        return wilson(float(hits.sum()), total)
    between = float(((hits - n * mean) ** 2).sum()) * groups / (groups - 1)
    worth = total / max(1.0, between / by_chance)
    return wilson(mean * worth, worth)


def mean_interval(values: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the mean of independent values, from their spread (normal approximation)."""
    mean = float(values.mean())
    half = Z * float(values.std(ddof=1)) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    return float(mean - half), float(mean + half)
