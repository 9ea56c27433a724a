"""How what was recorded came about: a row each in docs/results/runs.csv."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from cnnatomy.config.errors import ConfigurationError
from cnnatomy.config.plan import Plan, records_folder

if TYPE_CHECKING:
    from cnnatomy.report.context import Record


def read(plan: Plan) -> dict[str, Record]:
    """The record of each recorded exhibit that a report hangs, by its name in the report's `recorded`."""
    wanted = plan.recorded_names()
    if not wanted:
        return {}
    file = records_folder() / "runs.csv"
    with file.open(encoding="utf-8", newline="") as table:
        rows = {row["study"]: row for row in csv.DictReader(table)}
    for name in wanted:
        if name not in rows:
            raise ConfigurationError(f"{file} has no row {name}: write it with python benchmarks/results.py")
    keys = ("date", "commit", "processor", "cores", "torch", "processor_minutes")
    found: dict[str, Record] = {name: {key: rows[name][key] for key in keys} for name in wanted}  # type: ignore[misc]
    return found
