"""Two or more results.csv side by side: which numbers moved, and whether by more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cnnatomy.exhibit import Words
from cnnatomy.report import show
from cnnatomy.report.language import phrase
from cnnatomy.report.shell import environment, whole
from cnnatomy.report.tables import RESULTS
from cnnatomy.statistics.differences import from_intervals

KEY = ["kind", "name", "seed", "method", "subject", "metric", "unit"]
SHOWN = 300  # rows of each state in the page's table; all are in the CSV that it holds
ROUNDING = 1e-9  # of a value: what another library or machine may make of the same
#: What became of a number, most telling first.
STATES = ("verdict", "moved", "differs", "missing", "within_chance", "same")
LABELS = {
    "verdict": "another verdict",
    "moved": "moved",
    "differs": "differs, no interval",
    "missing": "not in every file",
    "within_chance": "within chance",
    "same": "the same",
}
TITLE = "What moved"  # a phrase of the page


class NoResults(ValueError):
    """A file is no results.csv of a report."""


def read(file: Path) -> pd.DataFrame:
    """A report's results.csv. Raises `NoResults` for a file that is none."""
    measured = ["value", "ci_low", "ci_high", "n"]
    try:
        texts = dict.fromkeys(KEY, str)
        table = pd.read_csv(
            file, dtype=texts, keep_default_na=False, na_values=dict.fromkeys(measured, ""), compression=None
        )
    except FileNotFoundError:
        raise NoResults(f"{file} is not there") from None
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise NoResults(f"{file} cannot be read as a table: {error}") from error
    if lacking := [column for column in RESULTS if column not in table]:
        raise NoResults(f"{file} is no results.csv of a report: it has no column {lacking[0]!r}")
    for column in ("value", "ci_low", "ci_high"):
        numbers = pd.to_numeric(table[column], errors="coerce")
        if (wrong := table.loc[numbers.isna() & table[column].notna(), column]).size:
            raise NoResults(f"{file}: {column} is {wrong.iloc[0]!r}, which is no number")
        table[column] = numbers
    ends = table[["ci_low", "ci_high"]]
    odd = (ends.isna().sum(axis=1) == 1) | (ends["ci_low"] > ends["ci_high"])
    if odd.any():
        raise NoResults(
            f"{file}: {_whose(table[odd].iloc[0])} has an interval with one end, or with its ends exchanged"
        )
    if (twice := table.duplicated(KEY)).any():
        raise NoResults(f"{file} has two rows for {_whose(table[twice].iloc[0])}")
    return table[[*KEY, *measured]]


def _whose(row: pd.Series) -> str:
    return " ".join(part for part in row[KEY] if part)


def compare(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Each number of any table, a row each, the most telling first.

    Columns: KEY; value, ci_low, ci_high of each table (`value_0`, …); for each further table its difference from the
    first with a 95 % interval (`difference_1`, `low_1`, `high_1`) and what became of the number (`state_1`, one of
    STATES); `state`, the most telling of these.
    """
    named = [table.set_index(KEY).add_suffix(f"_{number}") for number, table in enumerate(tables)]
    rows = pd.concat(named, axis=1, join="outer")
    for number in range(1, len(tables)):
        values, lows, highs = (
            (rows[f"{column}_0"].to_numpy(float), rows[f"{column}_{number}"].to_numpy(float))
            for column in ("value", "ci_low", "ci_high")
        )
        rows[f"difference_{number}"] = values[1] - values[0]
        rows[f"low_{number}"], rows[f"high_{number}"] = from_intervals(values, lows, highs)
        rows[f"state_{number}"] = _states(rows, number)
    states = rows[[f"state_{number}" for number in range(1, len(tables))]]
    rank = states.map(STATES.index).min(axis=1)
    rows["state"] = rank.map(dict(enumerate(STATES)))
    order = np.lexsort([_surprise(rows, len(tables)), rank.to_numpy()])
    return rows.iloc[order].reset_index()


def _states(rows: pd.DataFrame, number: int) -> np.ndarray:
    first, second = rows["value_0"], rows[f"value_{number}"]
    low, high = rows[f"low_{number}"], rows[f"high_{number}"]
    same = (first - second).abs() <= ROUNDING * first.abs()
    missing = first.isna() | second.isna()
    sure = low.notna() & high.notna()
    verdict = pd.Series(rows.index.get_level_values("metric") == "verdict", rows.index)
    return np.select(
        [missing, same, verdict, sure & ((low > 0) | (high < 0)), sure],
        ["missing", "same", "verdict", "moved", "within_chance"],
        "differs",
    )


def _surprise(rows: pd.DataFrame, tables: int) -> np.ndarray:
    """What sorts rows of one state: the difference in half widths of its interval, or in parts of the first value."""
    largest = np.zeros(len(rows))
    for number in range(1, tables):
        difference = rows[f"difference_{number}"].abs()
        half = (rows[f"high_{number}"] - rows[f"low_{number}"]) / 2
        of_value = rows["value_0"].abs().where(rows["value_0"] != 0, 1.0)
        share = (difference / half.where(half > 0)).fillna(difference / of_value).fillna(0.0)
        largest = np.maximum(largest, share.to_numpy(float))
    return -largest


def page(rows: pd.DataFrame, names: Sequence[str]) -> str:
    """The comparison as one HTML page that needs no other file; names are what to call the tables."""
    counts = _counts(rows)
    moved = rows[rows["state"] != "same"]
    shown = moved.groupby("state", sort=False).head(SHOWN)
    filled = environment().get_template("comparison.html")
    body = filled.render(
        names=names,
        counts=counts,
        lead=lead(rows),
        rows=[_shown(row, len(names)) for row in shown.to_dict("records")],
        left_out=len(moved) - len(shown),
        table=rows.to_csv(index=False, lineterminator="\n"),
        labels=LABELS,
    )
    return whole(phrase(TITLE), body, ["saving.js", "comparison.js"])


def lead(rows: pd.DataFrame) -> Words:
    """The comparison in a sentence."""
    counts = {state: show.plain(count) for state, count in _counts(rows).items()}
    return phrase(
        "Of {total} numbers {moved} moved by more than chance explains and {within_chance} within it, {differs} "
        "without an interval differ, {missing} are not in every file, and {same} are the same; "
        "other verdicts: {verdict}.",
        total=show.plain(len(rows)),
        **counts,
    )


def _counts(rows: pd.DataFrame) -> dict[str, int]:
    return {state: int((rows["state"] == state).sum()) for state in STATES}


def _shown(row: Mapping[Any, Any], tables: int) -> dict[str, Any]:
    """A row as the template shows it: whose number, its values with their intervals, its differences with theirs."""

    def measured(value: float, low: float, high: float, unit: str) -> dict[str, str] | None:
        if np.isnan(value):
            return None
        number = {"metric": row["metric"], "value": value, "unit": unit}
        return show.measured(number if np.isnan(low) else number | {"ci_low": low, "ci_high": high})

    unit = row["unit"]
    # A share is shown as per cent, a difference of shares in points; what a column is sorted by has the same scale.
    scale = 100 if unit == "fraction" else 1
    values = [
        {
            "said": measured(row[f"value_{k}"], row[f"ci_low_{k}"], row[f"ci_high_{k}"], unit),
            "sort": scale * row[f"value_{k}"],
        }
        for k in range(tables)
    ]
    differences = []
    for k in range(1, tables):
        difference, low, high = (scale * row[f"{what}_{k}"] for what in ("difference", "low", "high"))
        said = measured(difference, low, high, "points" if unit == "fraction" else unit)
        if row["metric"] == "verdict":
            said = None
        differences.append({"state": row[f"state_{k}"], "said": said, "sort": difference})
    seed = f"seed {row['seed']}" if row["seed"] != "0" else ""
    whose = " ".join(part for part in (row["name"], seed, row["method"]) if part)
    return {"state": row["state"], "whose": whose, "values": values, "differences": differences} | {
        key: row[key] for key in ("kind", "subject", "metric")
    }
