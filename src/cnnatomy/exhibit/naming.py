"""What things are called, as names of files, as ids and as UTF-8: a layer may have any name, a file may not."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

LONGEST = 100  # of a block's name: names of files, and of those made of it, stay below what file systems take
LONGEST_ID = 200  # as the schema has it

_VALID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FOREIGN = re.compile(r"[^A-Za-z0-9._-]+")
_ESCAPED = re.compile("[\udc80-\udcff]")


def file_name(name: str) -> str:
    """A name that can be one of a file and a part of an address: the same where it can, else as much of it as can.

    Different names stay different: what was changed has a part of the name's hash behind it.
    """
    if _VALID.fullmatch(name) and len(name) <= LONGEST:
        return name
    kept = _FOREIGN.sub("-", name).lstrip("._-")[: LONGEST - 9].rstrip("._-")
    return f"{kept or 'name'}-{_hash(name)}"


def short_id(name: str) -> str:
    """An id that the page can hold: the same where it can, else its beginning, a part of its hash, and its end."""
    written = _utf8(name)
    if written == name and 0 < len(name) <= LONGEST_ID:
        return name
    return f"{written[:120]}…{_hash(name)}…{written[120:][-70:]}"


def writable(value: Any) -> Any:
    """The same value with texts that UTF-8 can hold."""
    if isinstance(value, str):
        return value if value.isascii() else _utf8(value)
    if isinstance(value, Mapping):
        return {writable(key): writable(entry) for key, entry in value.items()}
    return [writable(entry) for entry in value] if isinstance(value, list) else value


def in_bytes(text: str) -> bytes:
    """A text in UTF-8; what it can't hold becomes a sign."""
    return text.encode(errors="replace")


def _utf8(text: str) -> str:
    """A text that UTF-8 can hold; what stands for undecodable bytes, as in the name of an old file, becomes a sign."""
    return text.encode(errors="surrogateescape" if _ESCAPED.search(text) else "replace").decode(errors="replace")


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
