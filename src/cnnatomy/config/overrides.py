"""What a user overrides: the list, and the run that each entry is meant for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

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


def check(overrides: Iterable[str], runs: Sequence[str]) -> None:
    """Refuse overrides that cannot mean what they say for the selected `runs`. Raises ConfigurationError."""
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
        if group.startswith("runs."):
            named = group.split(".")[1]
            if named not in runs:
                raise ConfigurationError(f"{override}: no run {named!r} is selected. {nearest(named, runs)}")
            if group.count(".") == 1:
                raise ConfigurationError(
                    f"{override}: name what of the run to change, as in runs.{named}.training.max_epochs=3"
                )


def for_run(overrides: Iterable[str], run: str) -> list[str]:
    """The overrides that hold for one run: those for all, and those under `runs.<run>.` with that prefix taken off."""
    mine = []
    for override in overrides:
        rest = override.lstrip("+~")
        if not rest.startswith("runs."):
            mine.append(override)
        elif rest.startswith(f"runs.{run}."):
            mine.append(override[: len(override) - len(rest)] + rest.removeprefix(f"runs.{run}."))
    return mine
