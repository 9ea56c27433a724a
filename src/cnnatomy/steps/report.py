"""Hang all exhibits of a report on one page: `python -m cnnatomy.steps.report report=default`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnatomy.steps.step import step

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cnnatomy.report.context import DataFacts, RunFacts
    from cnnatomy.steps.job import Job


@step
def report(job: Job) -> None:
    import json
    import shlex
    from pathlib import Path

    from cnnatomy.config import folders
    from cnnatomy.report import build
    from cnnatomy.report.context import Context
    from cnnatomy.steps import clock, lineage, logs, provenance, records
    from cnnatomy.steps.missing import is_current, missing

    plan = job.plan
    partial = job.config["partial"]
    wanted = [path for path in plan.exhibits() if not partial or is_current(plan, Path(path))]
    exhibits = [job.input(path.removeprefix("results/")) for path in wanted]
    recorded = [Path(path) for path in plan.recorded()]
    runs, data = _told_of(job, recorded)
    if folders.IS_INSTALLED:
        command = ["cnnatomy", "report", str(plan.report_name), *plan.overrides]
    else:
        command = ["make", "report", *([f"REPORT={plan.report_name}"] if plan.report_name != "default" else [])]
        command += [f"OVERRIDES={shlex.join(plan.overrides)}"] if plan.overrides else []
    context: Context = {
        "title": plan.report["title"],
        "name": plan.report_name or "",
        "command": shlex.join(command),
        "overrides": plan.overrides,
        "given": f"results/config/{plan.file_name}" if plan.overrides else "",
        "citation": provenance.citation(),
        "recorded": records.read(plan),
        "whole": plan.report["whole"],
        "graph": lineage.graph(plan),
        "runs": runs,
        "data": list(data.values()),
        "configuration": {Path(p).parts[2]: Path(p).read_text() for p in plan.configurations() if Path(p).is_file()},
        "versions": provenance.versions(),
        "machine": provenance.machine(),
        "git": provenance.git(),
        "benchmarks": [file for file in map(Path, plan.benchmarks()) if file.is_file()],
        "warnings": [(visit.name, said) for visit in lineage.jobs(plan) if (said := logs.warnings_in(visit.log_file))],
        "times": [ran for visit in lineage.jobs(plan) if (ran := clock.read(visit.log_file, visit.rule, visit.log))],
    }
    if partial and job.config["growing"]:
        context["growing"] = json.loads(Path(job.config["growing"]).read_text(encoding="utf-8"))
    elif partial:
        context["missing"] = missing(plan, [path for path in plan.exhibits() if path not in wanted])
    more = [] if partial else [job.input(path.removeprefix("results/")).parent for path in plan.other_seeds()]
    build([path.parent for path in exhibits], job.output("report"), context, more, [path.parent for path in recorded])


def _told_of(job: Job, recorded: Sequence[Path]) -> tuple[dict[str, RunFacts], dict[str, DataFacts]]:
    """What the page says of each run, made here or recorded, and of each dataset; of a partial report what is there."""
    from pathlib import Path

    plan, partial = job.plan, job.config["partial"]
    runs: dict[str, RunFacts] = {}
    data: dict[str, DataFacts] = {}
    for run in plan.runs:
        of_run = plan.config(run)
        name = of_run["data"]["name"]
        if partial and not Path(f"results/data/{name}/dataset.json").is_file():
            continue
        data[name] = _data_facts(job, of_run["data"])
        runs[run] = _run_facts(of_run)
    for study in plan.studies:  # a study may be on data of its own
        for variant in plan.study(study).variants:
            of_variant = plan.config(variant.run)["data"]
            name = of_variant["name"]
            if name not in data and (not partial or Path(f"results/data/{name}/dataset.json").is_file()):
                data[name] = _data_facts(job, of_variant)
    for run in dict.fromkeys(path.parts[-3] for path in recorded if path.parts[-4] == "runs"):
        if run not in runs:  # none of it is made here
            runs[run] = _run_facts(plan.config(run))
    return runs, data


def _data_facts(job: Job, data: dict[str, Any]) -> DataFacts:
    import json

    from cnnatomy.steps import provenance

    made = json.loads(job.input(f"data/{data['name']}/dataset.json").read_text())
    return {
        "name": made["name"],
        "classes": made["classes"],
        "channels": [one["name"] for one in made.get("channels") or ()],
        "splits": made["splits"],
        "licence": made["licence"],
        "citation": made["citation"],
        "sources": provenance.sources(data),
        "hashes": provenance.hashes(data),
    }


def _run_facts(run: dict[str, Any]) -> RunFacts:
    data, published = run["data"], run["published"]
    facts: RunFacts = {"title": run["title"], "data": data["name"], "kind": data["kind"]}
    if run.get("split"):
        facts["resplit"] = True
    return facts | {"published": published} if published else facts


if __name__ == "__main__":
    report()
