"""Means of what a study measured, and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cnnatomy.statistics.differences import t_interval

if TYPE_CHECKING:
    import pandas as pd


def summary(measured: pd.DataFrame, levels: Sequence[str], over: str) -> pd.DataFrame:
    """Each measure by `levels` (names of factors): the columns metric, subject, unit, mean, sd, low, high, n.

    The mean is over all else that varies; the standard deviation and the 95 % interval are over the seeds, or the
    levels of the factor, that `over` names. Of one of them the interval is its value alone.
    """
    import pandas as pd

    keys = [*levels, "metric", "subject", "unit"]
    each = measured.groupby([*keys, over], sort=False)["value"].mean().reset_index()
    rows = []
    for key, group in each.groupby(keys, sort=False):
        values = group["value"].to_numpy(dtype=float)
        mean, several = float(values.mean()), len(values) > 1
        low, high = t_interval(values) if several else (mean, mean)
        if key[-1] == "fraction":  # the interval of few values would leave what a share can be
            low, high = max(low, 0.0), min(high, 1.0)
        rows.append((*key, mean, float(values.std(ddof=1)) if several else 0.0, low, high, len(values)))
    return pd.DataFrame(rows, columns=[*keys, "mean", "sd", "low", "high", "n"])
