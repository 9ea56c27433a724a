"""What the default report costs: how long it takes, how much of that is importing, how much memory a step needs.

    python benchmarks/workflow.py            # ten minutes, both cores idle; needs a report made (`make report`)
    python benchmarks/workflow.py --smoke    # does it run? A report of one lesson, whose figures say nothing

First the report is made anew in a copy of the checkout, and made again with nothing to do. Then each of its jobs is run
once by itself with Python's own `-X importtime`, for its processor seconds, its peak memory and the share of importing;
two jobs at a time would blur these figures. Tables go to benchmarks/workflow.csv and benchmarks/jobs.csv, or to another
folder (--tables).
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cnnatomy.config.plan import Plan
from cnnatomy.config.steps import OWN_STEP

PROJECT = Path(__file__).resolve().parents[1]
IMPORT = re.compile(r"^import time:\s+(\d+) \|", re.MULTILINE)
#: A report of one lesson.
SMALL = ("report.runs=[]", "report.methods=[]", "report.lessons=[output_size]", "report.studies=[]")


def main() -> None:
    """Measure, print and write both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="a report of one lesson: does it run?")
    parser.add_argument("--tables", type=Path, default=PROJECT / "benchmarks")
    options = parser.parse_args()
    changed = SMALL if options.smoke else ()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "checkout"
        shutil.copytree(
            PROJECT, copy, ignore=shutil.ignore_patterns(".venv", ".git", "results", "resources", ".snakemake")
        )
        shutil.copytree(PROJECT / "docs/results", copy / "docs/results")  # what reports hang as recorded
        whole = [made(copy, changed), made(copy, changed)]
        plan = Plan("default", changed)
        given = f"given={plan.write(copy / 'results/config')}"
        jobs = [job(copy, *asked, given) for asked in asked_of(plan)]
    importing, total = (sum(j[key] for j in jobs) for key in ("importing", "cpu"))
    exhibits = [j for j in jobs if str(j["job"]).startswith("dissect")]
    figures = [
        ("make report, all of it", whole[0], "s", "≤ 900"),
        ("make report, nothing to do", whole[1], "s", "≤ 7"),
        ("share of processor seconds spent importing", importing / total, "", "≤ 0.30"),
        ("longest exhibit, processor seconds", max((float(j["cpu"]) for j in exhibits), default=0.0), "s", "≤ 60"),
        ("peak memory of any step", max(j["memory"] for j in jobs), "MB", "≤ 2000"),
    ]
    for j in jobs:
        print(f"{j['job']:40} {j['cpu']:8.1f} s, importing {j['importing']:5.1f} s, {j['memory']:6.0f} MB")
    print()
    for name, value, unit, reach in figures:
        print(f"{name:45} {value:8.3f} {unit:3} {reach}")
    write(options.tables / "jobs.csv", ["job", "cpu", "importing", "memory"], [list(j.values()) for j in jobs])
    write(options.tables / "workflow.csv", ["figure", "value", "unit", "reach"], [list(f) for f in figures])


def made(checkout: Path, overrides: tuple[str, ...]) -> float:
    """Seconds that a `make report` takes there, once the environment stands."""
    begin = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "cnnatomy.launch"],
        cwd=checkout,
        check=True,
        stdout=subprocess.DEVNULL,
        env=at(checkout) | {"OVERRIDES": " ".join(overrides)},
    )
    return time.monotonic() - begin


def asked_of(plan: Plan) -> list[tuple[str, ...]]:
    """The command line of every job of a report: its step, then its arguments."""
    lines: list[tuple[str, ...]] = []
    for run in plan.runs:
        data = plan.config(run)["data"]["name"]
        lines += [("fetch", f"data={data}"), ("prepare", f"data={data}"), ("train", f"run={run}")]
        for method in plan.methods(run):
            own = OWN_STEP.get(method)
            lines.append((own, f"run={run}") if own else ("dissect", f"run={run}", f"method={method}"))
    lines += [("lesson", f"lesson={lesson}") for lesson in plan.report["lessons"]]
    return [*lines, ("report",)]


def job(checkout: Path, step: str, *arguments: str) -> dict[str, float | str]:
    """One job by itself: processor seconds in all and importing, and peak memory in MB."""
    shutil.rmtree(checkout / "results/state", ignore_errors=True)  # or a training would be found done
    log = checkout / "results/importtime.log"
    with log.open("w") as file:
        child = subprocess.Popen(
            [sys.executable, "-X", "importtime", "-m", f"cnnatomy.steps.{step}", *arguments],
            cwd=checkout,
            env=at(checkout),
            stdout=subprocess.DEVNULL,
            stderr=file,
        )
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{step} {' '.join(arguments)} failed:\n{log.read_text()[-2000:]}")
    importing = sum(map(int, IMPORT.findall(log.read_text()))) / 1e6
    return {
        "job": " ".join([step, *(argument for argument in arguments if not argument.startswith("given="))]),
        "cpu": round(used.ru_utime + used.ru_stime, 2),
        "importing": round(importing, 2),
        "memory": round(used.ru_maxrss / 1024, 0),
    }


def at(checkout: Path) -> dict[str, str]:
    """The environment in which Python takes the checkout's own code."""
    return os.environ | {"PYTHONPATH": str(checkout / "src"), "PYTHONDONTWRITEBYTECODE": ""}


def write(file: Path, header: list[str], rows: list[list[object]]) -> None:
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerows([header, *rows])


if __name__ == "__main__":
    main()
