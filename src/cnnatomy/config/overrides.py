"""What a user overrides: the list, and the run that each entry is meant for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING as DEFAULT
from dataclasses import fields
from typing import Any

from omegaconf import MISSING

from cnnatomy.config import schema
from cnnatomy.config.errors import ConfigurationError, nearest

#: What a report decides for each job, so that an override of it would hold for none or for all.
_DECIDED = {
    "run": "choose runs with the report: report.runs=[mnist,speech]",
    "seed": "choose how many with the report: report.seeds=5",
    "method": "choose methods with the report: report.methods=[kernels]",
    "out": "a report is written to results/; out= is for a step run by hand",
    **dict.fromkeys(("given", "workers", "share", "partial", "growing"), "it is the workflow's own"),
    "report": "choose it with REPORT=full (make), --config report=full (snakemake) or its name behind cnnatomy report",
}
_OVERRIDE = re.compile(r"^(?P<sign>\+\+|\+|~)?(?P<key>[^=]+?)(?:=(?P<value>.*))?$", re.DOTALL)


def key_of(override: str) -> str:
    """The key or group that a Hydra override names, without its sign. Raises ConfigurationError for anything else."""
    found = _OVERRIDE.match(override)
    if not found or (found["value"] is None and found["sign"] != "~"):
        raise ConfigurationError(f"{override!r} is no override: write key=value, such as training.max_epochs=3.")
    return found["key"]


def added(override: str) -> str:
    """An override of a key that a YAML file may leave out, as one that also adds it (`++`)."""
    group, _, name = key_of(override).partition(".")
    left_out = group in schema.CLASSES and any(
        field.name == name and (field.default is not MISSING or field.default_factory is not DEFAULT)
        for field in fields(schema.CLASSES[group])
    )
    return f"++{override}" if left_out and not override.startswith(("+", "~")) else override


def said(override: str) -> str:
    """An override as the user wrote it, without the sign of `added`."""
    bare = override.removeprefix("++")
    return bare if added(bare) == override else override


def form(override: str) -> str:
    """How an override that can't be read should be written."""
    key, _, value = override.partition("=")
    if override.startswith("-"):
        return "leave out the --"
    if key != key.rstrip() or value != value.lstrip():
        return "leave no blank beside the ="
    if re.search(r"[,;]\s*[\w.]+=", value):
        return "write a blank between two of them"
    if value.startswith("(") and value.endswith(")"):
        return f"a list is [{value[1:-1]}]"
    return 'a text with signs or spaces wants quotes of its own, as in OVERRIDES="title.en=\\"\'a; b\'\\""'


def check(overrides: Sequence[str], report: Mapping[str, Any], known: Mapping[str, Sequence[str]], whole: bool) -> None:
    """Refuse overrides that cannot mean what they say, or mean nothing, for what a report selects.

    known: the names of all options of a group. whole: whether the report is what is made; else any study, lesson or
    method may be. Raises ConfigurationError.
    """
    runs = report["runs"]
    seen: dict[str, str] = {}
    for override in overrides:
        key = key_of(override)
        if key in seen:
            raise ConfigurationError(f"{override}: {key} is given twice, as {seen[key]} too; leave one")
        seen[key] = override
        for several, kind, names, selected, example in (
            ("runs.", "run", runs, " is selected", "training.max_epochs=3"),
            ("studies.", "study", known["study"], "", "seeds=2"),
        ):
            if not key.startswith(several):
                continue
            named = key.split(".")[1]
            if named not in names:
                raise ConfigurationError(f"{override}: no {kind} {named!r}{selected}. {nearest(named, names)}")
            if key.count(".") == 1:
                raise ConfigurationError(
                    f"{override}: name what of the {kind} to change, as in {several}{named}.{example}"
                )
        if (key if not key.startswith("runs.") else key.split(".", 2)[2]).partition("@")[0] in ("model", "data"):
            _check_choice(override, key, runs)
        if why := _without_effect(key, report, known, whole):
            raise ConfigurationError(f"{override}: not an override of a report that has an effect; {why}")


def _check_choice(override: str, key: str, runs: Sequence[str]) -> None:
    if len(runs) > 1 and not key.startswith("runs."):
        raise ConfigurationError(
            f"{override} would hold for all selected runs ({', '.join(runs)}), which do not share their "
            f"{key.partition('@')[0]}: name one, as in runs.{runs[0]}.{override}"
        )


def _without_effect(key: str, report: Mapping[str, Any], known: Mapping[str, Sequence[str]], whole: bool) -> str:
    """Why an override of this key would change nothing, and what would; nothing where it may change something."""
    parts = key.split(".")
    of_run = parts[0] == "runs"
    prefix = ".".join(parts[:2]) + "." if of_run else ""
    group, name = [*(parts[2:] if of_run else parts), ""][:2]
    group = group.partition("@")[0]
    if group in _DECIDED and not (group == "report" and name):
        return _DECIDED[group]
    if group.startswith("hydra"):
        return "Hydra is set up by the steps"
    if of_run and group in ("report", "studies", "study", "study_jobs", "lesson"):
        return f"it is none of a run's; without {prefix} it may be what you mean"
    if not whole:
        return ""
    for of, selected in (("dissect", "methods"), ("lesson", "lessons"), ("studies", "studies")):
        own = {one for methods in report["methods_of"].values() for one in methods} if of == "dissect" else set()
        if group == of and name in known.get(of, known["study"]) and name not in {*report[selected], *own}:
            listed = ",".join([*report[selected], name])
            return f"{name} is none of this report's {selected}; add it with report.{selected}=[{listed}]"
    if group in ("study", "study_jobs") and not report["studies"]:
        return "this report has no study; select one, as in report.studies=[direction_quick]"
    trains = report["runs"] or (group == "training" and report["studies"])
    if group in ("data", "model", "split", "title", "published", "training") and not trains:
        return "this report has no run; select one, as in report.runs=[mnist]"
    return ""


def for_run(overrides: Iterable[str], run: str) -> list[str]:
    """The overrides that hold for one run: those for all, then those under `runs.<run>.` with that prefix taken off."""
    ordered = sorted(overrides, key=lambda override: _key(override).startswith("runs."))
    return [o for o in _named(ordered, f"runs.{run}.", "") if not _key(o).startswith(("studies.", "study."))]


def for_study(overrides: Iterable[str], study: str) -> list[str]:
    """The overrides that hold for one study and all its variants, `studies.<study>.seeds=2` as `study.seeds=2`.

    Of those for all runs only how to train, and in how many jobs: networks and data are what a study compares. Its
    networks train side by side, each on one device.
    """
    mine = [o.replace("study.study_jobs=", "study_jobs=") for o in _named(overrides, f"studies.{study}.", "study.")]
    wanted = [o for o in mine if _key(o).startswith(("study.", "study_jobs=", "training.", "threads."))]
    return [o for o in wanted if not _key(o).startswith("training.devices=")]


def _named(overrides: Iterable[str], prefix: str, instead: str) -> Iterator[str]:
    """Those that name none of several, and those of the one that `prefix` names, with `instead` in its place."""
    several = prefix.partition(".")[0] + "."
    for override in overrides:
        rest = _key(override)
        if not rest.startswith(several):
            yield override
        elif rest.startswith(prefix):
            yield override[: len(override) - len(rest)] + instead + rest.removeprefix(prefix)


def _key(override: str) -> str:
    return override.lstrip("+~")
