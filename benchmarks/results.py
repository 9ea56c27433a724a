"""Keep what full runs of studies gave: their numbers under docs/results/, and the table of README.md made of them.

    snakemake --cores all results/studies/direction/exhibit.json
    python benchmarks/results.py direction        # keep this one; without a name only the tables are written again

For each study docs/results/<study>.csv has its rows of results.csv, docs/results/units/<study>.csv what its intervals
are made of, a row a seed, fold or speaker, and docs/results/runs.csv one row: when, by which code, with which versions,
on which machine, in how much time.
"""

from __future__ import annotations

import io
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
UNITS = KEPT / "units"
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
    folder = Path("results/studies") / study
    document, _ = load(folder)
    (KEPT / f"{study}.csv").write_text(results_csv([document]))
    UNITS.mkdir(exist_ok=True)
    shutil.copy(folder / "differences.csv", UNITS / f"{study}.csv")
    costs = costs_of([Path(f"results/benchmarks/{step}/{study}.tsv") for step in ("trials", "study")])
    versions, machine, code = provenance.versions(), provenance.machine(), provenance.git()
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


def without_units() -> list[str]:
    """Studies that were kept before their units were, and before there were intervals over what was tested."""
    return [study for study in runs()["study"] if not (UNITS / f"{study}.csv").is_file()]


def table() -> str:
    """The README's table: each study's claim, what came of it, and the difference that it hangs on."""
    lines = [
        "| study | claim | outcome | what decides (95 % interval) | trainings |",
        "|" + " --- |" * 5,
    ]
    for name in runs()["study"]:
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
    """Where single seeds, folds and speakers are, and of which studies they are not yet."""
    text = (
        "What each interval is made of, a row a seed, fold or speaker, is in `units/<study>.csv`: the mean of its "
        "`difference`, each counted `n` times, is the difference there.\n\n"
    )
    if old:
        text += (
            f"Of {', '.join(f'`{study}`' for study in old)} these rows come with the next full run, and so do "
            "intervals over test samples or their speakers. Until then verdicts follow from the intervals that were "
            "recorded, by the rule of [../studies.md](../studies.md), and are over seeds only where these are.\n\n"
        )
    return text


def page() -> str:
    """docs/results/README.md."""
    made, old = io.StringIO(), without_units()
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
        f"{_about(old)}"
        "| numbers | made on | commit | torch | Lightning | machine | minutes on the clock | processor minutes |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
        f"{made.getvalue()}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
