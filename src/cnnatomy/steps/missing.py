"""What a workflow that failed has made, and what it lacks and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from cnnatomy.config.compose import compose
from cnnatomy.config.plan import OWN_STEP, Plan
from cnnatomy.config.slices import digest_of
from cnnatomy.report.context import Missing

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
    logs: dict[str, str] = {}
    for exhibit in exhibits:
        way = _way(plan, Path(exhibit))
        # Where all outputs are there, the last one is an old one, whose job was not begun.
        job, output, log = next((step for step in way if not Path(step[1]).is_file()), way[-1])
        lacking.setdefault(job, []).append(str(Path(exhibit).parent.relative_to("results")))
        logs[job] = "" if Path(output).is_file() else _end(Path("results/logs") / log)
    return [Missing(job=job, log=logs[job], exhibits=names) for job, names in lacking.items()]


def _way(plan: Plan, exhibit: Path) -> list[tuple[str, str, str]]:
    """The jobs that end in an exhibit, first to last: what to call each, its output, its log."""
    parts = exhibit.parts
    if parts[1] == "lessons":
        return [(f"lesson {parts[2]}", str(exhibit), f"lesson/{parts[2]}.log")]
    if parts[1] == "studies":
        study = parts[2]
        runs = {plan.config(v.run)["data"]["name"]: v.run for v in plan.study(study).variants}
        way = [step for run in runs.values() for step in _way_to_data(plan, run)]
        way.append((f"trials {study}", f"results/trials/{study}.json", f"trials/{study}.log"))
        return [*way, (f"study {study}", str(exhibit), f"study/{study}.log")]
    run, seed, method = parts[2:5]
    way = [
        *_way_to_data(plan, run),
        (f"train {run} {seed}", f"results/runs/{run}/{seed}/model.safetensors", f"train/{run}-{seed}.log"),
    ]
    step = OWN_STEP.get(method, "dissect")
    log = f"{step}/{run}-{seed}.log" if method in OWN_STEP else f"dissect/{run}-{seed}-{method}.log"
    own = (f"{step} {run} {seed} {method}", str(exhibit), log)
    return [*(way[:2] if step == "samples" else way), own]


def _way_to_data(plan: Plan, run: str) -> list[tuple[str, str, str]]:
    data = plan.config(run)["data"]
    raw, name = data["raw"], data["name"]
    return [
        (f"fetch {raw}", f"resources/{raw}/{raw}.zip", f"fetch/{raw}.log"),
        (f"prepare {name}", f"results/data/{name}/dataset.json", f"prepare/{name}.log"),
    ]


def _end(log: Path) -> str:
    """The last lines of a log; empty where there is none."""
    try:
        return "\n".join(log.read_text(errors="replace").strip().splitlines()[-LINES:])
    except OSError:
        return ""
