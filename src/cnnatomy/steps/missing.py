"""What a workflow that failed has made, and what it lacks and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from cnnatomy.config.compose import compose
from cnnatomy.config.plan import Plan
from cnnatomy.config.slices import digest_of
from cnnatomy.config.steps import OWN_STEP
from cnnatomy.report.context import Missing
from cnnatomy.steps import logs
from cnnatomy.steps.lineage import PlannedJob, lineage_of

LINES = 20  # of the end of a log


def is_current(plan: Plan, exhibit: Path) -> bool:
    """Whether an exhibit is there and was made with the plan's values and the code as it is."""
    try:
        carried = json.loads(exhibit.read_text(encoding="utf-8"))["digests"]
    except (OSError, ValueError, KeyError):
        return False
    parts = exhibit.parts
    if parts[1] == "studies":
        return bool(carried.get("study") == plan.digest_of_study(parts[2]))
    if parts[1] == "lessons":
        step, method, seed, config = "lesson", parts[2], 0, compose(plan.of_lesson(parts[2]))
    else:
        method, seed, config = parts[4], int(parts[3].removeprefix("seed")), plan.config(parts[2])
        step = OWN_STEP.get(method, "dissect")
    return bool(carried.get(step) == digest_of(step, config, seed=seed, method=method))


def missing(plan: Plan, exhibits: Sequence[str]) -> list[Missing]:
    """For exhibits (paths of exhibit.json) that are lacking: the first job on the way to each that left no output."""
    lacking: dict[str, list[str]] = {}
    jobs: dict[str, PlannedJob] = {}
    given = f" given=results/config/{plan.file_name}" if plan.overrides else ""
    for exhibit in exhibits:
        way = lineage_of(plan, Path(exhibit))
        # Where all outputs are there, the last one is an old one, whose job was not begun.
        job = next((visit for visit in way if not Path(visit.output).is_file()), way[-1])
        lacking.setdefault(job.name, []).append(str(Path(exhibit).parent.relative_to("results")))
        jobs[job.name] = job
    found = []
    for name, exhibits_behind in lacking.items():
        job = jobs[name]
        lines = [] if Path(job.output).is_file() else logs.lines_of(job.log_file)
        found.append(
            Missing(
                job=name,
                why=logs.error_in(lines),
                log="\n".join(lines[-LINES:]),
                exhibits=exhibits_behind,
                command=f"{job.command}{given}",
            )
        )
    return found
