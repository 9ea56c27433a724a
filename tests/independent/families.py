"""What can be recomputed:

families of rows, each with a function that finds their value anew and how near it must come.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from finished import Row, Run, rows_of
from scipy import stats

Z = float(stats.norm.ppf(0.975))


class Report:
    """A finished report: its rows, and the runs that they are about."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self.rows = rows_of(results / "report/results.csv")
        self._runs: dict[tuple[str, int], Run] = {}
        self.kept: dict = {}

    def run(self, row: Row) -> Run:
        key = row.name, row.seed
        if key not in self._runs:
            self._runs[key] = Run(self.results, row.name, row.seed)
        return self._runs[key]

    def beside(self, row: Row, metric: str, **of: str) -> list[Row]:
        """Rows of the same exhibit, of another metric perhaps, whose subjects say so."""
        whose = row.kind, row.name, row.seed, row.method
        if whose not in self._exhibits:
            for one in self.rows:
                self._exhibits.setdefault((one.kind, one.name, one.seed, one.method), []).append(one)
        return [
            one
            for one in self._exhibits[whose]
            if one.metric == metric and all(one.of.get(key) == value for key, value in of.items())
        ]

    @property
    def _exhibits(self) -> dict[tuple, list[Row]]:
        return self.kept.setdefault("rows by exhibit", {})

    def once(self, key: object, make: Callable):
        """What `make` gives, made once."""
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]


@dataclass(frozen=True)
class Found:
    """A number found anew, and its interval where it has one; room: how far this one may be off, in its own unit."""

    value: float
    low: float | None = None
    high: float | None = None
    room: float = 0.0


@dataclass(frozen=True)
class Recomputation:
    """How a family is recomputed, and how near its rows must come.

    digits: significant ones that are printed; None: all of them. share, size: how far a value may be off besides, as a
    share of itself
    and in its own unit. ends: how far the ends of an interval may be off, as a share of its width, where both sides
    drew at random.
    why: where a number can't come nearer.
    """

    find: Callable[[Report, Row], Found | float | None]
    digits: int | None
    share: float
    size: float
    ends: float
    why: str

    def apart(self, row: Row, found: Found) -> list[str]:
        """What of a row differs: the value, an end of its interval, that there is one."""
        wrong = []
        pairs = [("value", row.value, found.value)]
        if (row.low is None) != (found.low is None):
            wrong.append("interval")
        elif row.low is not None and row.high is not None and found.low is not None and found.high is not None:
            pairs += [("ci_low", row.low, found.low), ("ci_high", row.high, found.high)]
        width = 0.0 if row.low is None or row.high is None else row.high - row.low
        for part, published, own in pairs:
            room = self.share * abs(published) + self.size + found.room
            if self.digits is not None and published:
                room += 0.5 * 10.0 ** (math.floor(math.log10(abs(published))) - self.digits + 1)
            if part != "value":
                room += self.ends * width
            if not abs(published - own) <= room:
                wrong.append(part)
        return wrong


RECOMPUTED: dict[tuple[str, str], Recomputation] = {}
#: Families of which no row is recomputed, and why.
NOT_RECOMPUTED: dict[tuple[str, str], str] = {}

FLOATS = 2e-5  # by how much sums of single-precision numbers in another order may differ, as a share


def recomputes(
    method: str,
    *metrics: str,
    digits: int | None = None,
    share: float = FLOATS,
    size: float = 1e-7,
    ends: float = 0.0,
    why: str = "",
) -> Callable:
    """The function below gives the value of rows of these families, or None where one of them can't be had."""

    def put(find: Callable) -> Callable:
        for metric in metrics:
            assert (method, metric) not in RECOMPUTED, (method, metric)
            RECOMPUTED[method, metric] = Recomputation(find, digits, share, size, ends, why)
        return find

    return put


def leaves(method: str, metrics: Iterable[str], because: str) -> None:
    NOT_RECOMPUTED.update({(method, metric): because for metric in metrics})


def wilson(hits: float, n: float) -> tuple[float, float]:
    """Wilson's (1927) interval: the shares whose own spread reaches to the one seen; n may be a fraction."""
    share = hits / n
    low, high = np.sort(np.roots([1 + Z**2 / n, -(2 * share + Z**2 / n), share**2]).real)
    return float(low), float(high)


def share_of(hits: float, n: float) -> Found:
    return Found(hits / n, *wilson(hits, n))


def mean_of(values, low: float = -np.inf, high: float = np.inf) -> Found:
    """A mean with Student's interval, inside of what a mean can be; none of a single value."""
    values = np.asarray(values, dtype=float)
    mean = float(values.mean())
    if len(values) < 2:
        return Found(mean)
    half = float(stats.t.ppf(0.975, len(values) - 1)) * float(stats.sem(values))
    return Found(mean, max(low, mean - half), min(high, mean + half))


def spread(apart: np.ndarray, sizes: np.ndarray) -> tuple[float, float]:
    """Variance of the sum over groups of these sizes, and Student's quantile for it (Bell & McCaffrey 2002).

    apart: each group's sum less what its size makes of the mean, in the last axis. The degrees of freedom are
    Satterthwaite's, from the eigenvalues of the corrected sums' covariance where all values are independent.
    """
    total = sizes.sum()
    root = 1 / np.sqrt(1 - sizes / total)
    covariance = np.diag(sizes) - np.outer(sizes, sizes) / total
    weights = np.linalg.eigvalsh(root[:, None] * covariance * root)
    free = weights.sum() ** 2 / (weights**2).sum()
    return float(((apart * root) ** 2).sum()), float(stats.t.ppf(0.975, free))


def of_groups(hits: np.ndarray, n: np.ndarray) -> tuple[float, float]:
    """Wilson's interval of as many independent samples as those of some groups are worth (Kish 1965;

    Korn & Graubard 1998).
    """
    many, total = len(n), float(n.sum())
    share = float(hits.sum()) / total
    if many < 2 or not 0 < share < 1:
        return wilson(float(hits.sum()), total)
    between, quantile = spread(hits - n * share, np.asarray(n, dtype=float))
    if between == 0:
        return wilson(float(hits.sum()), total)
    effect = between / (total * share * (1 - share)) * (quantile / Z) ** 2
    worth = total / max(1.0, effect)
    return wilson(share * worth, worth)


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    """Rank correlation; 0 where one of the two is the same everywhere."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(stats.spearmanr(one, other).statistic)


def crossed(values: np.ndarray) -> tuple[float, float]:
    """Interval of the mean of all rows with all columns:

    the two means' variances added, Satterthwaite's degrees of freedom.
    """
    parts = [
        (float(np.var(side, ddof=1)) / len(side), len(side) - 1)
        for side in (values.mean(1), values.mean(0))
        if len(side) > 1
    ]
    whole = sum(part for part, _ in parts)
    mean = float(values.mean())
    if whole == 0:
        return mean, mean
    free = 1.0 if min(f for _, f in parts) == 1 else whole**2 / sum(part**2 / f for part, f in parts)
    half = float(stats.t.ppf(0.975, free)) * math.sqrt(whole)
    return mean - half, mean + half
