"""Two measurements on the same samples: how far right answers differ, and whether more than by chance."""

from __future__ import annotations

import numpy as np

from cnnatomy.statistics.intervals import Z


def lost(before: np.ndarray, after: np.ndarray) -> tuple[float, float, float]:
    """By how much the share of right answers falls, and its 95 % interval.

    before, after: bool (samples,), of the same samples. The interval is that of Agresti & Min (2005), Simple improved
    confidence intervals for comparing matched proportions, Statistics in Medicine 24: half a sample is added to each
    of the four cells, so that it holds where hardly any answer changes.
    """
    n = len(before)
    worse, better = int((before & ~after).sum()), int((~before & after).sum())
    centre = (worse - better) / (n + 2)
    half = Z * np.sqrt((worse + better + 1) - (worse - better) ** 2 / (n + 2)) / (n + 2)
    return (worse - better) / n, max(-1.0, float(centre - half)), min(1.0, float(centre + half))


def by_chance(before: np.ndarray, after: np.ndarray) -> float:
    """McNemar's exact test: how probable so uneven a change is if an answer gets worse as easily as better."""
    from scipy.stats import binomtest

    worse, better = int((before & ~after).sum()), int((~before & after).sum())
    return float(binomtest(worse, worse + better).pvalue) if worse + better else 1.0


def no_more_than_zero(differences: np.ndarray) -> float:
    """How probable so large a mean of paired differences is if it is 0 in truth, one-sided (Student's t).

    1 where no difference is above 0, 0 where all are the same number above it.
    """
    from scipy.stats import ttest_1samp

    if float(np.ptp(differences)) == 0:
        return 0.0 if differences[0] > 0 else 1.0
    return float(ttest_1samp(differences, 0.0, alternative="greater").pvalue)


def discoveries(chances: np.ndarray, rate: float) -> np.ndarray:
    """Which of many tests stand out when at most this share of those named may be there by chance, bool.

    Benjamini & Hochberg (1995), Controlling the false discovery rate, JRSS B 57.
    """
    order = np.argsort(chances, kind="stable")
    under = np.flatnonzero(chances[order] <= rate * np.arange(1, len(chances) + 1) / len(chances))
    found = np.zeros(len(chances), dtype=bool)
    if len(under):
        found[order[: under[-1] + 1]] = True
    return found
