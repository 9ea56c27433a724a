"""`cnnatomy new PATH`: look at data, say what is found and proposed, and write the configuration for them."""

from __future__ import annotations

import argparse
import logging
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from cnnatomy.config.errors import ConfigurationError

if TYPE_CHECKING:
    from cnnatomy.scaffold.proposal import Told

WIDTH = 110
COLUMNS = ("text", "label", "split", "recording", "time", "group")


def add_to(words: Any) -> None:
    """Add the word `new` to a parser's."""
    new = words.add_parser(
        "new",
        help="look at a folder or a table, and write the configuration for it",
        description="Look at your data: a folder with a folder of each class, files that say their class in their "
        "names, or a table. What is found and proposed is said; three small YAML files are written, to be read and "
        "changed.",
    )
    new.add_argument("path", type=Path, help="a folder of pictures, sounds, texts or signals; a table; an .npz")
    new.add_argument("--name", help="of the dataset, the run and the report (from the path)")
    new.add_argument(
        "--kind", choices=("images", "sounds", "texts", "signals"), help="where names of files leave it open"
    )
    new.add_argument("--labels", help='where folders say no class: a pattern of names, "{class}_*", or a table')
    new.add_argument(
        "--splits", help='which folders are splits, "{part1: train, part2: test}", or "false" where none is'
    )
    new.add_argument(
        "--column", action="append", default=[], metavar="WHAT=NAME", help=f"of a table: {', '.join(COLUMNS)}"
    )
    new.add_argument("--encoding", help="of tables and texts, such as cp1256, where it is guessed wrong")
    new.add_argument("--model", help="a network of your own, nets.Mine, in a module beside the configuration")
    new.add_argument("--weights", help="a file of its weights; they are taken as they are")
    new.add_argument("--replace", action="store_true", help="write over what an earlier call has written")
    new.add_argument("--report", action="store_true", help="make the report at once")
    new.set_defaults(do=new_, worded=worded)


def new_(told: argparse.Namespace) -> int:
    """Look, say, write; the exit status."""
    from cnnatomy.cli.main import home, use
    from cnnatomy.config.plan import Plan
    from cnnatomy.scaffold import looking, writing

    path = told.path.expanduser().resolve()
    logging.disable(logging.WARNING)  # what readers tell a log is told below
    try:
        proposal = looking.propose(path, _told(told), told.kind)
    finally:
        logging.disable(logging.NOTSET)
    name = told.name or writing.name_of(path)
    writing.check_name(name)
    print(f"{proposal.kind.capitalize()} at {path}:")
    _say([worded(found) for found in proposal.found])
    print("Proposed:")
    _say([*proposal.proposed, f"network: {told.model or proposal.model}, trained for as long as validation gains"])
    model = {"_target_": told.model} if told.model else None
    weights = str(Path(told.weights).expanduser().resolve()) if told.weights else None
    conf = home() / "conf"
    written = writing.write(conf, writing.files_of(proposal, name, model, weights), told.replace)
    use(home())
    try:
        Plan(name).check()
    except Exception:
        for file in written:
            file.unlink()
        raise
    print("Written, to be read and changed:")
    _say([str(file) for file in written])
    if told.report:
        from cnnatomy.cli.running import report

        return report(argparse.Namespace(name=name, overrides=[], profile=None))
    print(f"Now make the report:\n  cnnatomy report {name}")
    return 0


def worded(message: str) -> str:
    """A message about settings as one about this command's options."""
    for option in ("labels", "splits"):
        message = re.sub(rf"data\.fetch\.{option}: (\{{[^}}]*\}})", rf'--{option} "\1"', message)
        message = message.replace(f"data.fetch.{option}: ", f"--{option} ")
        message = message.replace(f"data.fetch.{option}", f"--{option}")
    message = re.sub(rf"data\.prepare\.({'|'.join(COLUMNS)})\b(?:=…)?", r"--column \1=…", message)
    message = message.replace("data.prepare.encoding=", "--encoding ").replace("data.prepare.encoding", "--encoding")
    message = message.replace("in data.fetch.path", "as the path").replace("data.fetch.path", "the path")
    return message


def _say(sentences: list[str]) -> None:
    for sentence in sentences:
        print(textwrap.fill(sentence, WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False))


def _splits(text: str | None) -> dict[str, str] | bool | None:
    if text is None:
        return None
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        found = text
    if found is False or isinstance(found, dict):
        return found
    raise ConfigurationError(f'--splits {text}: say which folder is what, "{{part1: train, part2: test}}", or "false"')


def _labels(text: str | None) -> str | dict[str, str] | None:
    """A pattern, the name of a table, or "{table: labels.csv, label: breed}"."""
    try:
        found = yaml.safe_load(text) if text and text.startswith("{") else None
    except yaml.YAMLError:
        return text
    return found if isinstance(found, dict) and "table" in found else text


def _told(told: argparse.Namespace) -> Told:
    from cnnatomy.scaffold.proposal import Told

    return Told(_splits(told.splits), _labels(told.labels), _columns(told.column), told.encoding)


def _columns(given: list[str]) -> dict[str, str]:
    columns = dict(one.partition("=")[::2] for one in given)
    for what, name in columns.items():
        if what not in COLUMNS or not name:
            raise ConfigurationError(f"--column {what}={name}: say --column WHAT=NAME, of {', '.join(COLUMNS)}")
    return columns
