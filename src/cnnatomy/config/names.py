"""What runs, datasets, reports, lessons, studies and methods may be called: names become paths, addresses and words of
command lines."""

from __future__ import annotations

import re

#: A name, as a regular expression; letters are those of any script.
PATTERN = r"[^\W_][\w-]*"
MOST = 50  # characters: with what stands beside it in the name of a log or of a temporary file, below 255 bytes
RULE = f"a name is letters, digits, - and _, begins with a letter or a digit, and has at most {MOST} characters"

#: Addresses in the report's page that are its own (report/build.py), which no run may take.
ADDRESSES = ("top", "main", "plan", "plan-body", "find", "missing", "growing", "made", "lessons", "studies", "hover")

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_TAKEN = ("null", "true", "false", "nan", "inf")  # words that Hydra takes for values


def is_name(text: object) -> bool:
    return isinstance(text, str) and len(text) <= MOST and re.fullmatch(PATTERN, text) is not None


def shown(said: object) -> str:
    """What somebody wrote, short and on one line, for a message."""
    text = str(said)
    return repr(text if len(text) <= MOST else f"{text[:MOST]}…")


def choosing(group: str, option: str) -> str:
    """The Hydra override that chooses an option of a group, quoted where Hydra would not take its name for a text."""
    plain = _PLAIN.fullmatch(option) and option.lower() not in _TAKEN
    return f"{group}={option}" if plain else f"{group}='{option}'"
