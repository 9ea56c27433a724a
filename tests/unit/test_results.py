"""The README's table of studies says what the kept numbers say."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pandas as pd

PROJECT = Path(__file__).resolve().parents[2]


def test_the_tables_are_those_of_the_kept_numbers():
    spec = importlib.util.spec_from_file_location("results", PROJECT / "benchmarks/results.py")
    results = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(results)
    readme = (PROJECT / "README.md").read_text()
    assert results.with_table(readme, results.table()) == readme, "run: python benchmarks/results.py"
    assert results.page() == (PROJECT / "docs/results/README.md").read_text(), "run: python benchmarks/results.py"
    for study in results.runs()["study"]:
        numbers = pd.read_csv(PROJECT / f"docs/results/{study}.csv", keep_default_na=False)
        verdict = numbers.loc[numbers["metric"] == "verdict", "value"].astype(float).item()
        line = next(line for line in readme.splitlines() if line.startswith(f"| `{study}` |"))
        assert {1: "**supported**", 0: "not decided", -1: "**not supported**"}[int(verdict)] in line
