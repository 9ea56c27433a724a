"""The error that a user's configuration can cause, and the nearest right name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

SHOWN = 40  # names in a message


class ConfigurationError(Exception):
    """Something in the configuration is wrong; the message names the key and the nearest right one."""


def nearest(name: str, names: Iterable[str]) -> str:
    """A hint for a misspelt name: the nearest of `names`, or what there is where none is near."""
    known = sorted(set(names))
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]!r}?"
    more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return f"There are: {', '.join(known[:SHOWN])}{more}." if known else "There are none."
