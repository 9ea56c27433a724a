"""Where configuration lives: the project's `conf/`, and a folder of the user's own beside it."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from cnnatomy.config.errors import ConfigurationError, nearest

PROJECT = Path(__file__).resolve().parents[3]
CONF = PROJECT / "conf"

#: The groups of which the user selects one option a run, and those whose options are all there, each under its name.
CHOSEN = ("data", "model", "training", "run", "report", "study")
COLLECTED = ("dissect", "lesson")


def users() -> Path | None:
    """The user's own configuration folder, named by CNNATOMY_CONF; it has the same groups as `conf/`."""
    named = os.environ.get("CNNATOMY_CONF")
    if not named:
        return None
    folder = Path(named).resolve()
    if not folder.is_dir():
        raise ConfigurationError(f"CNNATOMY_CONF names {named!r}, which is no folder.")
    _refuse_doubles(folder)
    return folder


@cache
def _refuse_doubles(own: Path) -> None:
    """Refuse a file of the user's with the name of one of the project's: the project's would silently be taken."""
    if not CONF.is_dir() or own.samefile(CONF):
        return
    for group in (*CHOSEN, *COLLECTED):
        for file in sorted((own / group).glob("*.yaml")):
            ours = CONF / group / file.name
            if ours.is_file() and not ours.samefile(file):
                raise ConfigurationError(
                    f"{file} has the name of a file of the project's, {ours}: {group}={file.stem} could mean either. "
                    f"Rename yours, and what names it"
                )


def search_path() -> list[Path]:
    """The folders that are searched for configuration: the project's, then the user's."""
    own = users()
    return [CONF] if own is None else [CONF, own]


def options(group: str) -> list[str]:
    """Names of the YAML files in a group, the user's and the project's."""
    return sorted({file.stem for folder in search_path() for file in (folder / group).glob("*.yaml")})


def find(group: str, option: str) -> Path:
    """The YAML file of one option. Raises ConfigurationError where there is none."""
    for folder in search_path():
        file = folder / group / f"{option}.yaml"
        if file.is_file():
            return file
    raise ConfigurationError(f"{group}={option}: no such {group}. {nearest(option, options(group))}")
