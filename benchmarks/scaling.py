"""What a large workflow costs: planning a thousand trainings, overhead, jobs side by side, training in two processes.

    snakemake --cores all results/data/mnist/dataset.json results/data/spoken_digits/dataset.json
    python benchmarks/scaling.py                 # five minutes on two cores that are idle
    python benchmarks/scaling.py --smoke         # does it run? Its figures say nothing; no trainings

Works in a copy of the checkout. The table goes to benchmarks/scaling.csv.
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
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
IMPORTED = re.compile(r"^import time:\s+\d+ \|\s+\d+ \|\s+(\S+)$", re.MULTILINE)
IMPORTING = """import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError:  # as it was where it was tried
        pass
"""
RUNS = 1000
LESSONS = ("convolution", "output_size", "shapes", "why_convolution")
EMPTY = """from cnnatomy.steps.step import step
@step
def lesson(job):
    pass
lesson()
"""
RUN = """# @package _global_
defaults: [mnist, _self_]
training: {{learning_rate: {rate}}}
"""


@dataclass(frozen=True)
class Cost:
    """Of a command: seconds on the clock, processor seconds, and peak memory in MB of its largest process."""

    clock: float
    cpu: float
    memory: float


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="three runs and no training: does it run?")
    parser.add_argument("--csv", type=Path, default=Path(__file__).with_suffix(".csv"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "checkout"
        shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns(".venv", ".git", "results", ".snakemake"))
        shutil.copytree(PROJECT / "docs/results", copy / "docs/results")  # what reports hang as recorded
        for name in () if options.smoke else ("mnist", "spoken_digits"):
            shutil.copytree(PROJECT / "results/data" / name, copy / "results/data" / name)
        rows = []
        trained = () if options.smoke else (side_by_side, two_processes)
        lessons, runs = (LESSONS[:1], 3) if options.smoke else (LESSONS, RUNS)
        for measured in (partial(overhead, lessons=lessons), *trained, partial(planned, runs=runs)):
            for row in measured(copy):
                print("{:72} {:8.2f} {:3} {}".format(*row), flush=True)
                rows.append(row)
    with options.csv.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([["figure", "value", "unit", "reach"], *rows])


def planned(checkout: Path, runs: int) -> list[tuple[str, float, str, str]]:
    """Dry runs: a network with so many seeds, each trained and evaluated; so many points of a grid; run files."""
    own = checkout / "own"
    for group in ("run", "report", "study"):
        (own / group).mkdir(parents=True)
    rates = [round(0.001 + k * 1e-5, 5) for k in range(runs)]
    for k, rate in enumerate(rates):
        (own / f"run/rate{k}.yaml").write_text(RUN.format(rate=rate))
    (own / "report/files.yaml").write_text(
        f"title: {{en: Files}}\nruns: [{', '.join(f'rate{k}' for k in range(runs))}]\nmethods: [evaluation]\n"
    )
    (own / "report/seeds.yaml").write_text(
        f"title: {{en: Seeds}}\nruns: [mnist]\nmethods: [evaluation]\nseeds: {runs}\n"
    )
    (own / "study/points.yaml").write_text(
        f"title: {{en: Points}}\nbase: mnist\nseeds: 1\ngrid: {{training.learning_rate: {rates}}}\n"
    )
    found: list[tuple[str, float, str, str]] = []
    for what, reach, arguments in (
        (f"{runs:,} seeds", ("≤ 60", "≤ 1000"), ("--config", "report=seeds")),
        (f"a grid of {runs:,} points", ("≤ 60", "≤ 1000"), ("results/studies/points/exhibit.json",)),
        (f"{runs:,} run files", ("≤ 60", "≤ 1000"), ("--config", "report=files")),
    ):
        cost = ran(checkout, *snakemake(1), "--dry-run", *arguments, CNNATOMY_CONF=str(own))
        found.append((f"dry run of {what}, processor", cost.cpu, "s", reach[0]))
        found.append((f"dry run of {what}, memory", cost.memory, "MB", reach[1]))
    return found


def overhead(checkout: Path, lessons: Sequence[str]) -> list[tuple[str, float, str, str]]:
    """What Snakemake adds to a job, and what an empty step does beside importing, in processor seconds."""
    targets = [f"results/lessons/{lesson}/exhibit.json" for lesson in lessons]
    dry = ran(checkout, *snakemake(1), "--dry-run", *targets)
    whole = ran(checkout, *snakemake(1), *targets)
    alone = [ran(checkout, *step("lesson", f"lesson={lesson}")) for lesson in lessons]
    snakemakes = (whole.cpu - dry.cpu - sum(cost.cpu for cost in alone)) / len(lessons)
    (checkout / "empty.py").write_text(EMPTY)
    log = checkout / "importtime.log"
    ran(checkout, sys.executable, "-X", "importtime", "empty.py", "lesson=output_size", log=log)
    own = ran(checkout, sys.executable, "empty.py", "lesson=output_size").cpu
    importing = ran(checkout, sys.executable, "-c", IMPORTING, *IMPORTED.findall(log.read_text())).cpu
    return [
        ("overhead a job, Snakemake's, processor", snakemakes, "s", ""),
        ("overhead a job, an empty step's above its imports, processor", own - importing, "s", ""),
        ("overhead a job, both", snakemakes + own - importing, "s", "≤ 0.5"),
    ]


def side_by_side(checkout: Path) -> list[tuple[str, float, str, str]]:
    """Two trainings of one thread, one after the other and at once."""
    clocks = []
    for cores, seeds in ((1, (1, 2)), (2, (3, 4))):
        targets = [f"results/runs/speech/seed{seed}/model.safetensors" for seed in seeds]
        clocks.append(ran(checkout, *snakemake(cores), *targets).clock)
    return [("two jobs on two cores, one after the other against at once", clocks[0] / clocks[1], "×", "≥ 1.6")]


def two_processes(checkout: Path) -> list[tuple[str, float, str, str]]:
    """An epoch of M1 on MNIST by two threads of a process, and by two processes of a thread."""
    clocks = []
    for values in (("training.threads=2",), ("training.threads=1", "training.devices=2")):
        out = checkout / "out"
        clocks.append(ran(checkout, *step("train", "run=mnist", "training.max_epochs=2", f"out={out}", *values)).clock)
        shutil.rmtree(out)
    return [("two processes (training.devices=2) against two threads, clock", clocks[1] / clocks[0], "×", "stated")]


def snakemake(cores: int) -> list[str]:
    return [sys.executable, "-m", "snakemake", "--quiet", "all", "--cores", str(cores)]


def step(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"cnnatomy.steps.{name}", *arguments]


def ran(checkout: Path, *command: str, log: Path | None = None, **environment: str) -> Cost:
    """Run a command in the checkout. Ends the program where it fails."""
    log = log or checkout / "command.log"
    began = time.monotonic()
    with log.open("w") as file:
        child = subprocess.Popen(
            command,
            cwd=checkout,
            env=os.environ | {"PYTHONPATH": str(checkout / "src"), "PYTHONDONTWRITEBYTECODE": ""} | environment,
            stdout=file,
            stderr=file,
        )
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{log.read_text()[-2000:]}")
    return Cost(time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


if __name__ == "__main__":
    main()
