"""Two hundred rows of a finished report, drawn at random, recomputed by code that knows nothing of the project."""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import recompute
from families import NOT_RECOMPUTED, RECOMPUTED, Report
from finished import Row, rows_of

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parents[1] / "results"
TABLE = RESULTS / "report" / "results.csv"
DRAWN = 200
LARGE = "photograph"  # what is said of all filters of its network takes half a minute: `recompute.py --all` has it

APART = "article_quick"  # its samples are split anew as they are read: no file says how


@pytest.fixture(scope="module")
def report() -> Report:
    if not TABLE.is_file():
        pytest.skip("there is no finished report in results/; make report makes it")
    return Report(RESULTS)


def drawn(rows: list[Row]) -> list[Row]:
    """One row of each family as far as they go, then as chance has it; the same for the same table."""
    seed = int.from_bytes(hashlib.sha256(TABLE.read_bytes()).digest()[:8], "big")
    random = np.random.default_rng(seed)
    order = [rows[at] for at in random.permutation(len(rows))]
    families = list({row.family: row for row in order}.values())
    first = [families[at] for at in random.permutation(len(families))[: DRAWN // 2]]
    return first + [row for row in order if row not in first][: DRAWN - len(first)]


def test_nothing_here_imports_the_project() -> None:
    for file in HERE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] in ("cnnatomy", "tests") for name in names), (file.name, names)


def test_every_family_of_rows_can_be_recomputed_or_has_a_reason(report: Report) -> None:
    assert recompute.unknown(report.rows) == []
    assert not set(RECOMPUTED) & set(NOT_RECOMPUTED)


@pytest.mark.slow
def test_two_hundred_rows_are_what_is_found_without_the_project(report: Report) -> None:
    known = [row for row in rows_of(TABLE) if row.family in RECOMPUTED and row.name != APART]
    rows = [row for row in known if row.name != LARGE or row.subject]
    outcomes = [recompute.again(report, row) for row in drawn(rows)]
    counts = Counter("left" if one.found is None else "differs" if one.apart else "agrees" for one in outcomes)
    print(f"{len(outcomes)} rows of {len({one.row.family for one in outcomes})} families: {dict(counts)}")
    assert [str(one) for one in outcomes if one.apart] == []
    assert counts["agrees"] >= 0.8 * len(outcomes)
