"""Recompute the rows of a finished report without the project.

    python tests/independent/recompute.py results --all

Nothing here imports the project: networks are run from their tensors by passes written anew (`forward.py`), data are
read as the three files they are (`finished.py`), intervals are scipy's (`families.py`). A family of rows is a method
and a metric. Each has a function that finds its value anew, and says how near it must come (`of_*.py`, `RECOMPUTED`),
or a reason why it can't be had (`NOT_RECOMPUTED`). A family in neither is an error: who adds a metric says here how to
find it without the code that made it.

Values agree to the digits that are printed, but for what single precision leaves of sums. Where both sides draw at
random (shuffled weights, resampled splits), what that leaves open is allowed besides, and where an input is known from
its picture only, what its levels of brightness leave open. A row that can't be had though its family can (a filter that
is not drawn, a network that takes too long) is counted as left.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import of_ablation  # noqa: F401
import of_attribution  # noqa: F401 - its families, like all of these
import of_changed  # noqa: F401
import of_data  # noqa: F401
import of_learning  # noqa: F401
import of_lessons  # noqa: F401
import of_live  # noqa: F401
import of_made  # noqa: F401
import of_maps  # noqa: F401
import of_weights  # noqa: F401
import of_words  # noqa: F401
from families import NOT_RECOMPUTED, RECOMPUTED, Found, Report
from finished import Row


@dataclass(frozen=True)
class Outcome:
    """What came of a row: found anew or not, and which parts of it differ."""

    row: Row
    found: Found | None
    apart: list[str]

    def __str__(self) -> str:
        row, found = self.row, self.found
        own = "" if found is None else f"{found.value:.8g} [{found.low}, {found.high}]"
        published = f"{row.value:.8g} [{row.low}, {row.high}]"
        what = " ".join(filter(None, (row.name, row.method, row.metric, row.subject)))
        why = RECOMPUTED[row.family].why
        return f"{what}: {', '.join(self.apart)}: published {published}, own {own}" + (f" ({why})" if why else "")


def again(report: Report, row: Row) -> Outcome:
    """Recompute one row; KeyError if its family is in neither table."""
    if row.family in NOT_RECOMPUTED:
        return Outcome(row, None, [])
    how = RECOMPUTED[row.family]
    found = how.find(report, row)
    if found is None:
        return Outcome(row, None, [])
    found = found if isinstance(found, Found) else Found(float(found))
    return Outcome(row, found, how.apart(row, found))


def unknown(rows: Iterable[Row]) -> list[tuple[str, str]]:
    """Families of the rows that are in neither table."""
    return sorted({row.family for row in rows} - set(RECOMPUTED) - set(NOT_RECOMPUTED))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--all", action="store_true", help="every row that can be, not only one of each family")
    parser.add_argument("--only", default="", help="of these methods, with commas between")
    parser.add_argument("--run", default="", help="of this run, lesson or study")
    asked = parser.parse_args()
    report = Report(asked.results)
    only = set(filter(None, asked.only.split(",")))
    rows = [
        row for row in report.rows if (not only or row.family[0] in only) and (not asked.run or row.name == asked.run)
    ]
    for family in unknown(rows):
        print("no entry for", *family)
    known = [row for row in rows if row.family in RECOMPUTED or row.family in NOT_RECOMPUTED]
    if not asked.all:
        known = list({(row.name, *row.family): row for row in known}.values())
    done: Counter[str] = Counter()
    seconds: Counter[tuple[str, str]] = Counter()
    for row in known:
        began = time.perf_counter()
        try:
            outcome = again(report, row)
        except Exception as error:  # a row that breaks is told like one that differs
            print(f"{row.name} {row.method} {row.metric} {row.subject}: {type(error).__name__}: {error}")
            done["broken"] += 1
            continue
        seconds[row.family] += time.perf_counter() - began
        done["left" if outcome.found is None else "differ" if outcome.apart else "agree"] += 1
        if outcome.apart:
            print(outcome)
    print(", ".join(f"{many} {what}" for what, many in done.most_common()), f"of {len(rows)} rows")
    print("longest:", ", ".join(f"{' '.join(family)} {took:.1f} s" for family, took in seconds.most_common(8)))


if __name__ == "__main__":
    main()
