"""What a user overrides: the list, and the run that each entry is meant for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING as DEFAULT
from dataclasses import fields

from omegaconf import MISSING

from cnnatomy.config import schema
from cnnatomy.config.errors import ConfigurationError, nearest

#: What a report decides for each job, so that an override of it would hold for none or for all.
_DECIDED = {
    "run": "choose runs with the report: report.runs=[mnist,speech]",
    "seed": "choose how many with the report: report.seeds=5",
    "method": "choose methods with the report: report.methods=[kernels]",
    "out": "a report is written to results/; out= is for a step run by hand",
    "given": "it is the workflow's own",
    "report": "choose it with REPORT=full (make) or --config report=full (snakemake)",
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


def check(overrides: Iterable[str], runs: Sequence[str], studies: Sequence[str]) -> None:
    """Refuse overrides that cannot mean what they say for the selected runs and all studies.

    Raises ConfigurationError.
    """
    for override in overrides:
        key = key_of(override)
        group = key.partition("@")[0]
        if group in _DECIDED or group.startswith("hydra"):
            raise ConfigurationError(
                f"{override}: not an override of a report; {_DECIDED.get(group, 'Hydra is set up by the steps')}."
            )
        if group in ("model", "data") and len(runs) > 1:
            raise ConfigurationError(
                f"{override} would hold for all selected runs ({', '.join(runs)}), which do not share their {group}: "
                f"name one, as in runs.{runs[0]}.{override}"
            )
        for several, kind, known, selected, example in (
            ("runs.", "run", runs, " is selected", "training.max_epochs=3"),
            ("studies.", "study", studies, "", "seeds=2"),
        ):
            if not group.startswith(several):
                continue
            named = group.split(".")[1]
            if named not in known:
                raise ConfigurationError(f"{override}: no {kind} {named!r}{selected}. {nearest(named, known)}")
            if group.count(".") == 1:
                raise ConfigurationError(
                    f"{override}: name what of the {kind} to change, as in {several}{named}.{example}"
                )


def for_run(overrides: Iterable[str], run: str) -> list[str]:
    """The overrides that hold for one run: those for all, and those under `runs.<run>.` with that prefix taken off."""
    return [o for o in _named(overrides, f"runs.{run}.", "") if not _key(o).startswith(("studies.", "study."))]


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
