"""What may stand in a command: names of the configuration, told by --help and offered by the Tab key."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from cnnatomy.config import folders

#: The group of the configuration that the value of a word's argument is of.
GROUPS = {
    ("report", "name"): "report",
    ("dissect", "run"): "run",
    ("dissect", "method"): "dissect",
    ("export", "run"): "run",
    ("study", "name"): "study",
}
WIDTH = 100
_TITLE = re.compile(r'^title: .*?\ben: *(?:"([^"]*)"|([^",}]+))', re.MULTILINE)
_CODES = re.compile(r" \([A-Z]\d+\w?(?:, [A-Z]\d+\w?)*\)")  # of the project's plan


class Teaching(argparse.ArgumentParser):
    """A parser whose --help lists the names that its arguments may be, each with what it stands for."""

    def format_help(self) -> str:
        groups = [group for (word, _), group in GROUPS.items() if word == self.prog.split()[-1]]
        listed = [_listed(group) for group in groups]
        return "\n".join([super().format_help(), *listed])


def _listed(group: str) -> str:
    names = folders.options(group)
    wide = max(map(len, names)) + 2
    rest = WIDTH - wide - 2
    lines = [f"  {name:<{wide}}{textwrap.shorten(_said_of(group, name), rest, placeholder=' …')}" for name in names]
    what = {"dissect": "method"}.get(group, group)
    return "\n".join([f"{what}:", *lines, ""])


def _said_of(group: str, name: str) -> str:
    """The title in a YAML file, or the first sentence of the comment that it begins with."""
    text = folders.find(group, name).read_text(encoding="utf-8")
    if title := _TITLE.search(text):
        return title[1] or title[2]
    comment = " ".join(re.findall(r"^# ?(.*)$", text.partition("\n\n")[0], re.MULTILINE))
    return re.split(r"\.(?: |$)", _CODES.sub("", comment))[0]


def candidates(parser: argparse.ArgumentParser, words: Sequence[str]) -> list[str]:
    """What the last of `words`, which is unfinished, may become; nothing where it is a file or a value."""
    *before, begun = words or [""]
    known = _words(parser)
    if not before:
        return [name for name in known if name.startswith(begun)]
    if before[0] not in known:
        return []
    return [name for name in _after(known[before[0]], before, begun) if name.startswith(begun)]


def _words(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    return next(dict(action.choices) for action in parser._actions if isinstance(action, argparse._SubParsersAction))


def _after(word: argparse.ArgumentParser, before: Sequence[str], begun: str) -> Sequence[str]:
    options = word._option_string_actions
    valued = options.get(before[-1])
    if valued is not None and valued.nargs != 0:
        return _values(before[0], valued)
    if begun.startswith("-"):
        return list(options)
    given = sum(not one.startswith("-") and not _takes(options.get(last)) for last, one in pairwise(before))
    positional = [action for action in word._actions if not action.option_strings]
    return _values(before[0], positional[given]) if given < len(positional) else []


def _takes(option: argparse.Action | None) -> bool:
    return option is not None and option.nargs != 0


def _values(word: str, action: Any) -> Sequence[str]:
    group = GROUPS.get((word, action.dest))
    return folders.options(group) if group else list(action.choices or [])
