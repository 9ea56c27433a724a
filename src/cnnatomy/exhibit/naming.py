"""Names of files and ids out of what things are called: a layer may have any name, a file may not."""

from __future__ import annotations

import hashlib
import re

LONGEST = 100  # of a block's name: names of files, and of those made of it, stay below what file systems take
LONGEST_ID = 200  # as the schema has it

_VALID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FOREIGN = re.compile(r"[^A-Za-z0-9._-]+")


def file_name(name: str) -> str:
    """A name that can be one of a file and a part of an address: the same where it can, else as much of it as can.

    Different names stay different: what was changed has a part of the name's hash behind it.
    """
    if _VALID.fullmatch(name) and len(name) <= LONGEST:
        return name
    kept = _FOREIGN.sub("-", name).lstrip("._-")[: LONGEST - 9].rstrip("._-")
    return f"{kept or 'name'}-{_hash(name)}"


def short_id(name: str) -> str:
    """An id that the page can hold: the same where it can, else its beginning and a part of its hash."""
    return name if len(name) <= LONGEST_ID else f"{name[: LONGEST_ID - 10]}… {_hash(name)}"


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
