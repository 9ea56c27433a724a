"""Where the project's files lie, in a checkout or installed; where results go; and a folder of the user's own."""

from __future__ import annotations

import os
import shlex
from functools import cache
from pathlib import Path

from cnnatomy.config import names
from cnnatomy.config.errors import ConfigurationError, nearest

_PACKAGE = Path(__file__).resolve().parents[1]
#: Where a wheel carries what lies beside the package in a checkout (setup.py puts it there).
_CARRIED = _PACKAGE / "project"
IS_INSTALLED = _CARRIED.is_dir()

#: The folder of conf/, workflow/, profiles/, docs/results and CITATION.cff: the checkout, or what was installed.
PROJECT = _CARRIED if IS_INSTALLED else _PACKAGE.parents[1]
CONF = PROJECT / "conf"

#: The groups of which the user selects one option a run, and those whose options are all there, each under its name.
CHOSEN = ("data", "model", "training", "run", "report", "study")
COLLECTED = ("dissect", "lesson")


def work() -> Path:
    """The folder whose results/ and resources/ are filled: the checkout; where one is, of an installed program."""
    return Path.cwd() if IS_INSTALLED else PROJECT


def mine() -> Path:
    """The folder of the user's own conf/ and Python unless CNNATOMY_CONF names another: that of results/, or `mine`."""
    return Path.cwd() if IS_INSTALLED else PROJECT / "mine"


def snakefile() -> Path:
    """What Snakemake runs in `work()`: of a checkout its own, which sees to it that the package is its own too."""
    return PROJECT / "workflow/Snakefile" if IS_INSTALLED else Path("Snakefile")


def by_snakemake(target: str) -> str:
    """The command that makes one file in `work()`."""
    rules = f" --snakefile {shlex.quote(str(snakefile()))}" if IS_INSTALLED else ""
    return f"snakemake --cores all{rules} {target}"


def profile(name: str) -> Path:
    """How Snakemake runs in `work()`: by a folder in profiles/ there, else by one that was installed."""
    here = Path("profiles") / name
    return PROJECT / here if IS_INSTALLED and not here.is_dir() else here


def users() -> Path | None:
    """The user's own configuration folder, named by CNNATOMY_CONF; it has the same groups as `conf/`."""
    named = os.environ.get("CNNATOMY_CONF")
    if not named:
        return None
    return _users(named)


@cache
def _users(named: str) -> Path:
    folder = Path(named).expanduser()
    if not folder.is_dir():
        where = "" if folder.is_absolute() else f" (which is {folder.absolute()})"
        raise ConfigurationError(
            f"CNNATOMY_CONF={named}{where}: there is no such folder; name the one of your data/, run/ and report/"
        )
    folder = folder.resolve()
    groups = (*CHOSEN, *COLLECTED)
    if not any((folder / group).is_dir() for group in groups):
        inside = "conf" if (folder / "conf").is_dir() else ""
        hint = f"did you mean {folder / inside}?" if inside else f"make one of {', '.join(groups)} in it"
        raise ConfigurationError(f"CNNATOMY_CONF={named}: holds no group of the configuration; {hint}")
    _refuse_doubles(folder)
    return folder


def is_own(folder: Path) -> bool:
    """Whether a folder may be a user's configuration: it has a group of it, and is not a checkout's `conf/`."""
    return any((folder / group).is_dir() for group in (*CHOSEN, *COLLECTED)) and not (folder / "base.yaml").exists()


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
    found = {file.stem for folder in search_path() for file in (folder / group).glob("*.yaml")}
    return sorted(name for name in found if not name.startswith("."))


def at(path: str) -> Path:
    """The file at a path below the folders, in the first that has it."""
    return next((folder / path for folder in search_path() if os.path.isfile(folder / path)), CONF / path)


def find(group: str, option: str) -> Path:
    """The YAML file of one option. Raises ConfigurationError where there is none."""
    for folder in search_path():
        file = folder / group / f"{option}.yaml"
        if os.path.isfile(file):  # of a name too long for a disk it says no, where Path.is_file raises
            return file
    raise no_such(group, option)


def no_such(group: str, option: str, key: str = "") -> ConfigurationError:
    """What to say of an option that is not there; `key` names it (`report.runs`), else the group does."""
    known = options(group)
    own = users()
    ends = (".yml", ".yaml", ".yaml.txt", ".yml.txt", ".json", "")
    if own is not None:
        wanted = {f"{option}{end}".lower() for end in ends}
        alike = sorted(file.name for file in (own / group).glob("*") if file.name.lower() in wanted)
    else:
        alike = []
    what = "method" if group == "dissect" else group  # as users know it
    said = f"{key}: no {what} {names.shown(option)}" if key else f"{group}={option}: no such {what}"
    hint = nearest(option, known)
    if hint.startswith("Did you mean") and not alike:
        return ConfigurationError(f"{said}. {hint}")
    if own is None:
        return ConfigurationError(
            f"{said}. {hint} CNNATOMY_CONF is not set: if the {what} is yours, "
            f"export CNNATOMY_CONF=<the folder that has your {group}/>"
        )
    where = f"rename {alike[0]} to {option}.yaml" if alike else f"your own are looked for in {own / group}"
    return ConfigurationError(f"{said}. {hint} CNNATOMY_CONF={own}: {where}")
