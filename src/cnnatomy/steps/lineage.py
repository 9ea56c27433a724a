"""The jobs on the way to each exhibit of a report: what the workflow's rules say, for those who look back on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnatomy.config.compose import compose
from cnnatomy.config.plan import Plan
from cnnatomy.config.steps import OWN_STEP, STEPS
from cnnatomy.steps import clock

if TYPE_CHECKING:
    from cnnatomy.report.context import Graph

#: Rules in the order of the workflow.
ORDER = [rule for step in STEPS for rule in (("share", step) if step == "trials" else (step,))]


@dataclass(frozen=True)
class PlannedJob:
    """One job on the way: its rule, what it is about, what it leaves, and the name of its log without the ending."""

    rule: str
    about: str
    output: str
    log: str

    @property
    def name(self) -> str:
        return f"{self.rule} {self.about}"

    @property
    def command(self) -> str:
        """What makes this by hand, without the overrides of a report."""
        first, *rest = self.about.split()
        step = "trials" if self.rule == "share" else self.rule
        subject = STEPS[step].subject
        more = [] if self.rule != "share" else [f"share={rest[0]}"]
        if subject == "run":
            more = [f"seed={rest[0].removeprefix('seed')}"]
        if self.rule == "dissect":
            more.append(f"method={rest[1]}")
        return " ".join([f"python -m cnnatomy.steps.{step}", f"{subject}={first}", *more])

    @property
    def log_file(self) -> Path:
        return Path("results/logs") / self.rule / f"{self.log}.log"


def lineage_of(plan: Plan, exhibit: Path) -> list[PlannedJob]:
    """The jobs that end in an exhibit (the path of its exhibit.json), first to last."""
    parts = exhibit.parts
    if parts[1] == "lessons":
        lesson = parts[2]
        return [*_to_data_of_lesson(plan, lesson), PlannedJob("lesson", lesson, str(exhibit), lesson)]
    if parts[1] == "studies":
        study = parts[2]
        runs = {plan.config(v.run)["data"]["name"]: v.run for v in plan.study(study).variants}
        way = [visit for run in runs.values() for visit in _to_data(plan.config(run)["data"])]
        for share in plan.shares(study):
            way.append(
                PlannedJob("share", f"{study} {share}", f"results/trials/{study}/{share}.json", f"{study}-{share}")
            )
        way.append(PlannedJob("trials", study, f"results/trials/{study}.json", study))
        return [*way, PlannedJob("study", study, str(exhibit), study)]
    run, seed, method = parts[2:5]
    data = _to_data(plan.config(run)["data"])
    step = OWN_STEP.get(method, "dissect")
    log = f"{run}-{seed}" if method in OWN_STEP else f"{run}-{seed}-{method}"
    own = PlannedJob(step, f"{run} {seed} {method}", str(exhibit), log)
    return [*data, own] if step == "samples" else [*data, training(run, seed), own]


def training(run: str, seed: str) -> PlannedJob:
    """The job that trains a run's network; seed: as folders name it, "seed0"."""
    return PlannedJob("train", f"{run} {seed}", f"results/runs/{run}/{seed}/model.safetensors", f"{run}-{seed}")


def jobs(plan: Plan) -> list[PlannedJob]:
    """Every job behind a report, each once; of trainings also those whose networks only answer questions."""
    visits = [visit for exhibit in [*plan.exhibits(), *plan.other_seeds()] for visit in lineage_of(plan, Path(exhibit))]
    visits += [training(run, f"seed{seed}") for run in plan.runs for seed in plan.seeds_of(run)]
    return list(dict.fromkeys(visits))


def ended_badly(plan: Plan) -> list[str]:
    """What jobs behind a report left nothing of when they last ran, since they failed or were stopped.

    Snakemake would not make it again where what is made of it is there, of an earlier run.
    """
    return [
        visit.output
        for visit in jobs(plan)
        if not Path(visit.output).exists()
        and visit.log_file.is_file()
        and not clock.read(visit.log_file, visit.rule, visit.log)
    ]


def graph(plan: Plan) -> Graph:
    """What was made of what, jobs of a kind taken together: all dissections of a run, all its seeds, all lessons."""
    ways = [lineage_of(plan, Path(exhibit)) for exhibit in plan.exhibits()]
    read = [pair for way in ways for pair in pairs(way)]
    members: dict[tuple[str, str], set[PlannedJob]] = {}
    for visit in jobs(plan):
        members.setdefault(_kind(visit), set()).add(visit)
    kinds = sorted(members, key=lambda kind: ORDER.index(kind[0]))
    place = {kind: number for number, kind in enumerate(kinds)}
    edges = {(place[_kind(source)], place[_kind(target)]) for source, target in read}
    edges |= {(place[_kind(way[-1])], len(kinds)) for way in ways}
    nodes = [(rule, about, len(members[rule, about])) for rule, about in kinds]
    return {"nodes": [*nodes, ("report", "", 1)], "edges": sorted(edges)}


def _kind(visit: PlannedJob) -> tuple[str, str]:
    return visit.rule, "" if visit.rule == "lesson" else visit.about.split()[0]


def pairs(way: Sequence[PlannedJob]) -> list[tuple[PlannedJob, PlannedJob]]:
    """Which job of a way reads what which other one made.

    A chain, but that a study's has several datasets at first, and then the shares of its trainings side by side.
    """
    found = []
    ends: list[PlannedJob] = []
    shares: list[PlannedJob] = []
    for visit in way:
        if visit.rule == "fetch":
            ends.append(visit)
        elif visit.rule == "prepare":
            found.append((ends[-1], visit))
            ends[-1] = visit
        else:
            found += [(source, visit) for source in ends]
            if visit.rule == "share":
                shares.append(visit)
                continue
            found += [(share, visit) for share in shares]
            ends, shares = [visit], []
    return found


def _to_data(data: dict[str, Any]) -> list[PlannedJob]:
    raw, name = data["raw"], data["name"]
    return [
        PlannedJob("fetch", raw, f"resources/{raw}/{raw}.zip", raw),
        PlannedJob("prepare", name, f"results/data/{name}/dataset.json", name),
    ]


def _to_data_of_lesson(plan: Plan, lesson: str) -> list[PlannedJob]:
    config = compose(plan.of_lesson(lesson))
    return _to_data(config["data"]) if config["lesson"][lesson].get("data") else []
