"""`cnnatomy new ~/photos`, `cnnatomy report photos`, `cnnatomy show`: the command and its words."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cnnatomy.cli import completion, doctor, known, new, running
from cnnatomy.config import folders

MINE = folders.mine()  # where `new` puts what it writes, unless CNNATOMY_CONF names another place
EPILOG = """The default report (digits, speech, film reviews, photographs), and reading it:
  cnnatomy doctor
  cnnatomy report
  cnnatomy show
From pictures of yours to a report:
  cnnatomy new ~/photos
  cnnatomy report photos
One exhibit, of other values:
  cnnatomy report photos training.max_epochs=3
  cnnatomy dissect photos kernels
Each word has a --help of its own, with the names that it takes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not os.environ.get("CNNATOMY_CONF") and folders.is_own(MINE / "conf"):
        use(MINE)
    told = argparse.Namespace()
    try:
        if given[:2] == ["completion", "--"]:
            return completion.complete(parser(), given[2:])
        told = parser().parse_args(given)
        status = int(told.do(told))
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # `cnnatomy doctor | head` has seen enough; at its end Python would write once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
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
    whole = known.Teaching(
        prog="cnnatomy",
        description="Train small convolutional networks, open them up, and read what they learned.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words = whole.add_subparsers(title="what to do", metavar="WORD", required=True, parser_class=known.Teaching)
    new.add_to(words)
    running.add_to(words)
    doctor.add_to(words)
    completion.add_to(words)
    return whole


def home() -> Path:
    """The folder of the user's own configuration and Python: beside CNNATOMY_CONF, or where `folders.mine` says."""
    named = os.environ.get("CNNATOMY_CONF")
    return Path(named).expanduser().resolve().parent if named else MINE
