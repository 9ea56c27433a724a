"""The names of a module's calls in a forward pass: its own name for the first, `#2`, `#3` … behind it from then on."""

from __future__ import annotations

import re
from collections import Counter

_CALL = re.compile(r"(.+)#(\d+)", re.DOTALL)


def called(name: str, count: int) -> str:
    """The name of a module's call, which counts from 1. A module whose own name ends so has `#1` behind it, too."""
    return name if count == 1 and not _CALL.fullmatch(name) else f"{name}#{count}"


def module_of(call: str) -> str:
    """The name of the module of a call."""
    found = _CALL.fullmatch(call)
    return found[1] if found else call


def number_of(call: str) -> int:
    """Which call of its module it is, from 1."""
    found = _CALL.fullmatch(call)
    return int(found[2]) if found else 1


def next_call(name: str, counts: Counter[str]) -> str:
    """The name of the call that a module begins, counted in `counts`."""
    counts[name] += 1
    return called(name, counts[name])
