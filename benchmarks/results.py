"""Keep what full runs of studies gave: their numbers under docs/results/, and the table of README.md made of them.

    snakemake --cores all results/studies/direction/exhibit.json
    python benchmarks/results.py direction        # keep this one; without a name only the tables are written again

For each study docs/results/<study>.csv has its rows of results.csv, and docs/results/runs.csv one row: when, by which
code, with which versions, on which machine, in how much time.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from cnnatomy.exhibit import load
from cnnatomy.report.tables import costs_of, results_csv
from cnnatomy.steps import surroundings

PROJECT = Path(__file__).resolve().parents[1]
KEPT = PROJECT / "docs/results"
RUNS = KEPT / "runs.csv"
BEGIN, END = "<!-- studies: begin -->\n", "<!-- studies: end -->\n"
OUTCOMES = {1: "**supported**", 0: "not decided", -1: "**not supported**"}


def main(studies: list[str]) -> None:
    """Keep the named studies' numbers, then write the tables."""
    for study in studies:
        keep(study)
    readme = PROJECT / "README.md"
    readme.write_text(with_table(readme.read_text(), table()))
    (KEPT / "README.md").write_text(page())


def keep(study: str) -> None:
    """Copy a study's numbers out of results/, and note how they came about."""
    document, _ = load(Path("results/studies") / study)
    (KEPT / f"{study}.csv").write_text(results_csv([document]))
    costs = costs_of([Path(f"results/benchmarks/{step}/{study}.tsv") for step in ("trials", "study")])
    versions, machine, code = surroundings.versions(), surroundings.machine(), surroundings.git()
    row = {
        "study": study,
        "date": date.today().isoformat(),
        "commit": code.get("commit", "")[:12],
        "torch": versions["torch"],
        "lightning": versions["pytorch-lightning"],
        "numpy": versions["numpy"],
        "python": versions["python"],
        "processor": machine["processor"],
        "cores": machine["cores"],
        "minutes": round(sum(cost.seconds or 0 for cost in costs) / 60, 1),
        "processor_minutes": round(sum(cost.cpu or 0 for cost in costs) / 60, 1),
        "seeds": document["config"]["study"]["seeds"],
    }
    others = runs()
    others = others[others["study"] != study]
    pd.concat([others, pd.DataFrame([row])]).astype({"seeds": int}).sort_values("study").to_csv(RUNS, index=False)


def runs() -> pd.DataFrame:
    """One row a study that was kept."""
    return pd.read_csv(RUNS, dtype={"commit": str}) if RUNS.is_file() else pd.DataFrame({"study": []})


def table() -> str:
    """The README's table: each study's claim, what came of it, and the first difference that decides."""
    lines = [
        "| study | claim | outcome | what decides (95 % interval) | trainings |",
        "|" + " --- |" * 5,
    ]
    for study in runs()["study"]:
        numbers = pd.read_csv(KEPT / f"{study}.csv", keep_default_na=False).set_index(["metric", "subject"])
        whole = numbers.loc[("difference", "")]
        value, low, high = (f"{float(whole[name]):+,.2f}".replace("-", "−") for name in ("value", "ci_low", "ci_high"))
        claim = written(study)["claim"]["en"]
        said = OUTCOMES[int(numbers.loc[("verdict", "")]["value"])]
        trainings = int(numbers.loc[("trainings", "")]["value"])
        what = f"{_first_comparison(study)}: {value} {whole['unit']} ({low} to {high})"
        if others := len(_deciding(study)) - 1:
            what += f"; and {others} more"
        lines.append(f"| `{study}` | {claim} | {said} | {what} | {trainings} |")
    return "\n".join(lines) + "\n"


def written(study: str) -> dict[str, Any]:
    """A study's YAML."""
    return yaml.safe_load((PROJECT / f"conf/study/{study}.yaml").read_text())


def _deciding(study: str) -> list[dict[str, Any]]:
    return [one for one in written(study)["comparisons"] if one.get("decides", True)]


def _first_comparison(study: str) -> str:
    first, *_ = _deciding(study)
    of, than = (
        " ".join(side.values()) if isinstance(side, Mapping) else f"{side:g}" for side in (first["of"], first["than"])
    )
    return f"{of} − {than}, {first['metric'].replace('_', ' ')}"


def with_table(text: str, new: str) -> str:
    """The README with the table between its marks."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + new + END + rest.split(END)[1]


def page() -> str:
    """docs/results/README.md."""
    made = io.StringIO()
    for row in runs().to_dict("records"):
        made.write(
            f"| [`{row['study']}`]({row['study']}.csv) | {row['date']} | {row['commit']} | {row['torch']} | "
            f"{row['lightning']} | "
            f"{row['processor']}, {row['cores']} cores | {row['minutes']} | {row['processor_minutes']} |\n"
        )
    return (
        "# Results of full runs of the studies\n\n"
        "Written by `python benchmarks/results.py`; the files have the form of `results.csv`. How studies work: "
        "[../studies.md](../studies.md).\n\n"
        f"{table()}\n"
        "| numbers | made on | commit | torch | Lightning | machine | minutes on the clock | processor minutes |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
        f"{made.getvalue()}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
