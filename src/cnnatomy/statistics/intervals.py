"""Intervals: how far a number that was measured on some samples may lie from that of all."""

from __future__ import annotations

import numpy as np

from cnnatomy.exhibit import Number
from cnnatomy.statistics.differences import t_interval, t_quantile

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
    """The 95 % interval of a share of samples that come in groups (clips of a speaker), hits and samples a group each.

    Wilson's interval for as many independent samples as these are worth: n over the design effect (Kish 1965), which
    is how much more the groups vary than chance makes groups of independent samples vary, and then by Student's t in
    place of the normal distribution (Korn & Graubard 1998, Confidence intervals for proportions with small expected
    number of positive counts estimated from survey data, Survey Methodology 24), as the design effect of few groups is
    known badly: see `of_groups`. Never narrower than that of independent samples.
    """
    total = float(n.sum())
    mean = float(hits.sum()) / total
    by_chance = total * mean * (1 - mean)
    between, free = of_groups(hits - n * mean, n) if len(n) > 1 else (0.0, 0.0)
    if by_chance == 0 or between == 0:
        return wilson(float(hits.sum()), total)
    worth = min(total, total * by_chance / between * (Z / t_quantile(free)) ** 2)
    return wilson(mean * worth, worth)


def of_groups(apart: np.ndarray, sizes: np.ndarray) -> tuple[float, float]:
    """The variance of the sum over all groups, two at least, and the degrees of freedom that it is known with.

    apart: by how much each group's sum lies from what its size makes of the mean of all; sizes: how many values it has.
    A large group pulls the mean towards itself, so that it seems to vary less than it does, and where a few groups hold
    most values no more than these few say how groups vary. Both are corrected for as Bell & McCaffrey (2002, Bias
    reduction in standard errors for linear regression with multi-stage samples, Survey Methodology 28) do, which for
    groups of one size gives the usual variance and groups − 1. Of a hundred 95 % intervals over ten groups, of which
    one has half the values, 80 hold the truth without that and 95 with it.
    """
    sizes = sizes.astype(float)
    total = float(sizes.sum())
    rest = 1 - sizes / total  # the share of the values that lie in the other groups
    pulled = sizes**2 / rest / total
    free = total**2 / float((sizes**2).sum() + pulled.sum() ** 2 - (pulled**2).sum())
    return float((apart**2 / rest).sum()), free


def share_interval(hits: np.ndarray, groups: np.ndarray | None) -> tuple[float, float]:
    """The 95 % interval of the share of these samples that hit, bool (samples,), over groups of them if they have any.

    groups: int (samples,) from 0; None: all are independent.
    """
    if groups is None:
        return wilson(int(hits.sum()), len(hits))
    sizes = np.bincount(groups)
    return clustered(np.bincount(groups, hits)[sizes > 0], sizes[sizes > 0])


def crossed_share(metric: str, hits: np.ndarray, subject: str = "") -> Number:
    """A share of hits, bool (rows, columns), of which each row met each column (every network every image).

    Its interval is that over rows and that over columns together (`clustered`), since either may be what hits go with.
    Where all are alike nothing says which: then it is that of as many samples as there are rows, or columns if fewer.
    """
    several = [axis for axis in (0, 1) if hits.shape[1 - axis] > 1]
    if several and not 0 < hits.sum() < hits.size:
        fewest = min(hits.shape[1 - axis] for axis in several)
        low, high = wilson(fewest * float(hits.mean()), fewest)
    else:
        ends = [
            clustered(hits.sum(axis=axis), np.full(hits.shape[1 - axis], hits.shape[axis])) for axis in several
        ] or [wilson(int(hits.sum()), hits.size)]
        low, high = min(low for low, _ in ends), max(high for _, high in ends)
    return Number(metric, float(hits.mean()), low, high, unit="fraction", n=hits.size, subject=subject)


def of_variance(value: float, variance: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a number between 0 and 1, such as a mean of shares, that is known to vary so much.

    Wilson's interval for as many samples as would make a plain share vary so much; of `n` where it doesn't vary at all.
    """
    worth = value * (1 - value) / variance if variance > 0 and 0 < value < 1 else float(n)
    return wilson(value * worth, worth)


def mean_interval(values: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the mean of independent values, from their spread (Student's t): of one value itself.

    To draw with; a number of one value should have none (`average`). Raises ValueError for no value.
    """
    return t_interval(values) if len(values) > 1 else (float(values[0]), float(values[0]))


def average(
    metric: str, values: np.ndarray, unit: str = "", subject: str = "", between: tuple[float, float] = (-np.inf, np.inf)
) -> Number:
    """The mean of independent values with its interval, which one value has none of.

    between: what the mean can be at least and at most; the interval of few values would leave it.
    """
    mean, n = float(values.mean()), len(values)
    if n < 2:
        return Number(metric, mean, unit=unit, n=n, subject=subject)
    # Of equal values at an end, each of the three may lie beyond it by a rounding.
    mean, low, high = (min(max(one, between[0]), between[1]) for one in (mean, *t_interval(values)))
    return Number(metric, mean, min(low, mean), max(high, mean), unit, n, subject)


def grouped_mean(values: np.ndarray, groups: np.ndarray | None) -> tuple[float, float]:
    """The 95 % interval of the mean of values that come in groups, int (values,) from 0; None: all are independent.

    From the spread of the groups' sums about what their sizes make them expect, by Student's t (`of_groups`).
    Raises ValueError for no value.
    """
    mean, error, free = grouped_error(values, groups)
    if free == 0:
        return mean, mean
    half = t_quantile(free) * error
    return mean - half, mean + half


def grouped_error(values: np.ndarray, groups: np.ndarray | None) -> tuple[float, float, float]:
    """The mean of such values, its standard error, and the degrees of freedom that this is known with; 0 of one value.

    Of one group the values count as independent.
    """
    if len(values) < 2:
        return float(values[0]), 0.0, 0.0
    groups = np.arange(len(values)) if groups is None or (groups == groups[0]).all() else groups
    mean, sizes = float(values.mean()), np.bincount(groups)
    variance, free = of_groups((np.bincount(groups, values) - sizes * mean)[sizes > 0], sizes[sizes > 0])
    return mean, float(np.sqrt(variance)) / len(values), free


def crossed(values: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the mean of every row with every column, (rows, columns), over rows and columns like these.

    A row's values are not independent of each other, nor a column's: the variance of the mean is that of the row means
    and that of the column means together, and Student's t has Welch and Satterthwaite's degrees of freedom, or those of
    two where a side is only two. Of several rows and one column, or the other way round, it is the interval over the
    several. Raises ValueError for one value.
    """
    sides = [side for side in (values.mean(axis=1), values.mean(axis=0)) if len(side) > 1]
    if not sides:
        raise ValueError("an interval wants two rows or columns at least")
    mean = float(values.mean())
    parts = np.array([side.var(ddof=1) / len(side) for side in sides])
    free = np.array([len(side) - 1 for side in sides])
    if not parts.any():
        return mean, mean
    half = t_quantile(1 if free.min() == 1 else parts.sum() ** 2 / (parts**2 / free).sum()) * float(
        np.sqrt(parts.sum())
    )
    return mean - half, mean + half


def difference_of_means(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the mean of some independent values less that of others, two of each at least (Welch 1947).

    The difference itself where neither varies.
    """
    parts = np.array([side.var(ddof=1) / len(side) for side in (one, other)])
    apart = float(one.mean() - other.mean())
    if not parts.any():
        return apart, apart
    free = parts.sum() ** 2 / (parts**2 / [len(one) - 1, len(other) - 1]).sum()
    half = t_quantile(free) * float(np.sqrt(parts.sum()))
    return apart - half, apart + half


def ratio(above: np.ndarray, below: np.ndarray) -> tuple[float, float] | None:
    """The 95 % interval of one mean over another, both of the same samples (Fieller 1954, JRSS B 16).

    None where the lower mean is not surely other than zero, so that the ratio could be anything.
    """
    n = len(above)
    covariance = np.cov(above, below) * t_quantile(n - 1) ** 2 / n
    one, other = float(above.mean()), float(below.mean())
    a, b, c = other**2 - covariance[1, 1], one * other - covariance[0, 1], one**2 - covariance[0, 0]
    if a <= 0:
        return None
    root = np.sqrt(max(0.0, b**2 - a * c))
    return float((b - root) / a), float((b + root) / a)
