"""Where configuration lives: the project's `conf/`, and a folder of the user's own beside it."""

from __future__ import annotations

import os
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
    return folder


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
