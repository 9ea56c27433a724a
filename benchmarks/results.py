"""Keep what full runs gave: their exhibits and numbers under docs/results/, and the tables made of them.

    snakemake --cores all results/studies/direction/exhibit.json
    python benchmarks/results.py direction           # keep this study; without a name only the tables are written again
    python benchmarks/results.py article/evaluation  # keep an exhibit of a run

A study's exhibit goes to docs/results/studies/<study>/, a run's to docs/results/runs/<run>/<method>/. A report hangs
them where its `recorded` names them. docs/results/<study>.csv has a study's rows of results.csv, and
docs/results/runs.csv one row an exhibit: when, by which code, with which versions, on which machine, in how much time.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from cnnatomy.config.study import Study
from cnnatomy.exhibit import load
from cnnatomy.report.tables import costs_of, results_csv
from cnnatomy.steps import provenance
from cnnatomy.studies.comparing import subject_of, what_of

PROJECT = Path(__file__).resolve().parents[1]
KEPT = PROJECT / "docs/results"
RUNS = KEPT / "runs.csv"
BEGIN, END = "<!-- studies: begin -->\n", "<!-- studies: end -->\n"
OUTCOMES = {1: "**supported**", 0: "not decided", -1: "**not supported**"}


def main(names: list[str]) -> None:
    """Keep what is named, then write the tables."""
    for name in names:
        keep(name)
    readme = PROJECT / "README.md"
    readme.write_text(with_table(readme.read_text(), table()))
    (KEPT / "README.md").write_text(page())


def keep(name: str) -> None:
    """Copy a study's exhibit, or a run's (`<run>/<method>`), out of results/, and note how it came about."""
    run, _, method = name.partition("/")
    folder = Path(f"results/exhibits/{run}/seed0/{method}" if method else f"results/studies/{run}")
    document, files = load(folder)
    kept = KEPT / ("runs" if method else "studies") / name
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    for file in files:
        shutil.copy(folder / file, kept / file)
    # On one line: indented it is a quarter larger.
    (kept / "exhibit.json").write_text(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")
    if method:
        jobs = [
            f"train/{run}-seed0",
            f"evaluate/{run}-seed0" if method == "evaluation" else f"dissect/{run}-seed0-{method}",
        ]
    else:
        jobs = [f"trials/{run}", f"study/{run}"]
        (KEPT / f"{run}.csv").write_text(results_csv([document]))
    costs = costs_of([Path(f"results/benchmarks/{job}.tsv") for job in jobs])
    versions, machine, code = provenance.versions(), provenance.machine(), provenance.git()
    row = {
        "study": name,
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
        "seeds": 1 if method else document["config"]["study"]["seeds"],
    }
    others = runs()
    others = others[others["study"] != name]
    pd.concat([others, pd.DataFrame([row])]).astype({"seeds": int}).sort_values("study").to_csv(RUNS, index=False)


def runs() -> pd.DataFrame:
    """One row a study, or an exhibit of a run, that was kept."""
    return pd.read_csv(RUNS, dtype={"commit": str}) if RUNS.is_file() else pd.DataFrame({"study": []})


def studies() -> list[str]:
    """The studies that were kept."""
    return [name for name in runs()["study"] if "/" not in name]


def without_exhibits() -> list[str]:
    """Studies that were kept before their exhibits were, and before there were intervals over what was tested."""
    return [study for study in studies() if not (KEPT / f"studies/{study}/exhibit.json").is_file()]


def table() -> str:
    """The README's table: each study's claim, what came of it, and the difference that it hangs on."""
    lines = [
        "| study | claim | outcome | what decides (95 % interval) | trainings |",
        "|" + " --- |" * 5,
    ]
    for name in studies():
        study = Study.read(name, yaml.safe_load((PROJECT / f"conf/study/{name}.yaml").read_text()))
        numbers = pd.read_csv(KEPT / f"{name}.csv", keep_default_na=False).set_index(["metric", "subject"])
        said = OUTCOMES[int(numbers.loc[("verdict", "")]["value"])]
        trainings = int(numbers.loc[("trainings", "")]["value"])
        deciding = [vars(one) for one in study.comparisons if one.decides]
        whole = numbers.loc[("difference", "")]
        head = next(one for one in deciding if numbers.loc[("difference", subject_of(one))].equals(whole))
        intervals = [_interval(whole)]
        for metric, subject in numbers.index:
            if metric == "difference" and subject.startswith(f"{subject_of(head)};over="):
                intervals.append(f"{_interval(numbers.loc[(metric, subject)])} over {subject.rpartition('=')[2]}")
        what = f"{what_of(head)}, {head['metric'].replace('_', ' ')}: {_signed(whole['value'])} {whole['unit']} "
        what += f"({'; '.join(intervals)})" + (f"; and {len(deciding) - 1} more" if len(deciding) > 1 else "")
        lines.append(f"| `{name}` | {study.content['claim']['en']} | {said} | {what} | {trainings} |")
    return "\n".join(lines) + "\n"


def _interval(number: Mapping[str, Any]) -> str:
    return f"{_signed(number['ci_low'])} to {_signed(number['ci_high'])}"


def _signed(number: str) -> str:
    return f"{float(number):+,.2f}".replace("-", "−")


def with_table(text: str, new: str) -> str:
    """The README with the table between its marks."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + new + END + rest.split(END)[1]


def _about(old: list[str]) -> str:
    """Where the exhibits are, with single seeds, folds and speakers, and of which studies they are not yet."""
    text = (
        "The exhibits lie in `studies/<study>/` and `runs/<run>/<method>/`, as the run made them: text, drawings, "
        "tables. A report hangs those that its `recorded` names and that it doesn't make itself, with a line that says "
        "when and where they were made. What each interval is made of, a row a seed, fold or speaker, is in their "
        "`differences.csv`: the mean of its `difference`, each counted `n` times, is the difference there.\n\n"
        "To keep a new full run: `snakemake --cores all results/studies/direction/exhibit.json`, then "
        "`python benchmarks/results.py direction`. It copies the exhibit, writes its rows and its line below, makes "
        "this page and the README's table again, and the next report hangs it. An exhibit of a run is kept as "
        "`python benchmarks/results.py article/evaluation`.\n\n"
    )
    if old:
        text += (
            f"Of {', '.join(f'`{study}`' for study in old)} exhibits come with the next full run, and so do "
            "intervals over test samples or their speakers. Until then verdicts follow from the intervals that were "
            "recorded, by the rule of [../studies.md](../studies.md), and are over seeds only where these are.\n\n"
        )
    return text


def page() -> str:
    """docs/results/README.md."""
    made, old = io.StringIO(), without_exhibits()
    for row in runs().to_dict("records"):
        name = row["study"]
        place = f"runs/{name}" if "/" in name else f"studies/{name}"
        links = [
            *([] if "/" in name else [f"[numbers]({name}.csv)"]),
            *([] if name in old else [f"[exhibit]({place})"]),
        ]
        made.write(
            f"| `{name}`: {', '.join(links)} | {row['date']} | {row['commit']} | {row['torch']} | "
            f"{row['lightning']} | "
            f"{row['processor']}, {row['cores']} cores | {row['minutes']} | {row['processor_minutes']} |\n"
        )
    return (
        "# Results of full runs of the studies\n\n"
        "Written by `python benchmarks/results.py`; the tables have the form of `results.csv`. How studies work: "
        "[../studies.md](../studies.md).\n\n"
        f"{table()}\n"
        f"{_about(old)}"
        "| of | made on | commit | torch | Lightning | machine | minutes on the clock | processor minutes |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
        f"{made.getvalue()}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
