"""`cnnatomy new ~/photos`, `cnnatomy report photos`, `cnnatomy show`: the command and its words."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cnnatomy.cli import doctor, new, running
from cnnatomy.config import folders

MINE = folders.mine()  # where `new` puts what it writes, unless CNNATOMY_CONF names another place
EPILOG = """From pictures to a report:
  cnnatomy new ~/photos
  cnnatomy report photos
  cnnatomy show
Each word has a --help of its own. All of docs/ holds for what these commands make."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit status."""
    told = parser().parse_args(arguments)
    if not os.environ.get("CNNATOMY_CONF") and folders.is_own(MINE / "conf"):
        use(MINE)
    try:
        return int(told.do(told))
    except Exception as error:
        if not type(error).__module__.startswith("cnnatomy."):
            raise
        print(f"{type(error).__name__}: {told.worded(str(error)) if 'worded' in told else error}", file=sys.stderr)
        return 1


def use(folder: Path) -> None:
    """Have this process, and what it starts, find a user's configuration and Python in a folder."""
    os.environ["CNNATOMY_CONF"] = str(folder / "conf")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)


def parser() -> argparse.ArgumentParser:
    """All words and their options."""
    whole = argparse.ArgumentParser(
        prog="cnnatomy",
        description="Train small convolutional networks, open them up, and read what they learned.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words = whole.add_subparsers(title="what to do", metavar="WORD", required=True)
    new.add_to(words)
    running.add_to(words)
    doctor.add_to(words)
    return whole


def home() -> Path:
    """The folder of the user's own configuration and Python: beside CNNATOMY_CONF, or where `folders.mine` says."""
    named = os.environ.get("CNNATOMY_CONF")
    return Path(named).expanduser().resolve().parent if named else MINE
