"""The report's tables: what was measured, what stands under the pictures, and what each job cost."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = ("kind", "name", "seed", "method", "subject", "metric", "value", "ci_low", "ci_high", "unit", "n")

PICTURES = ("kind", "name", "seed", "method", "block", "item", "metric", "value")


def results_csv(documents: Iterable[dict[str, Any]]) -> str:
    """results.csv: one row for each number of each exhibit, sorted by the first six columns."""
    rows = []
    for document in documents:
        whose = {key: document[key] for key in ("kind", "name", "seed", "method")}
        rows += [[(whose | number).get(column, "") for column in RESULTS] for number in document["numbers"]]
    rows.sort(key=lambda row: row[:6])
    return _csv([RESULTS, *rows])


def pictures_csv(documents: Iterable[dict[str, Any]]) -> str:
    """pictures.csv: one row for each number that stands under a picture or a sentence, in the order of the page."""
    rows = [
        [*(document[key] for key in ("kind", "name", "seed", "method")), block["name"], item["id"], metric, value]
        for document in documents
        for block in document["blocks"]
        for item in (*block.get("items", ()), *block.get("sentences", ()))
        if isinstance(item, dict)
        for metric, value in item.get("values", {}).items()
    ]
    return _csv([PICTURES, *rows])


@dataclass(frozen=True)
class Cost:
    """What one job took: seconds on the clock, processor seconds, and peak memory in MB; None where unknown."""

    rule: str
    job: str
    seconds: float | None
    cpu: float | None
    memory: float | None


def costs_of(benchmarks: Sequence[Path]) -> list[Cost]:
    """The costs in files with the columns of Snakemake's benchmarks, `<rule>/<job>.tsv`; but not incomplete ones."""
    costs = []
    for path in sorted(map(Path, benchmarks), key=lambda path: (path.parent.name, path.name)):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                numbers = [_number(row.get(column)) for column in ("s", "cpu_time", "max_rss")]
                costs.append(Cost(path.parent.name, path.stem, *numbers))
    return costs


def costs_csv(costs: Sequence[Cost]) -> str:
    """costs.csv: a row for each job; seconds, processor seconds, peak memory in MB."""
    rows = [[cost.rule, cost.job, cost.seconds, cost.cpu, cost.memory] for cost in costs]
    return _csv([("rule", "job", "seconds", "cpu", "memory"), *rows])


def _number(cell: str | None) -> float | None:
    """NA or - stands for what was not measured, as in Snakemake's own."""
    try:
        return float(cell or "")
    except ValueError:
        return None


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows(rows)
    return table.getvalue()
