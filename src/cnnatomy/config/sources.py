"""What source files say to `code`, kept from one process to the next: parsing them took a third of planning.

Kept by content, in the user's cache. A file that can't be read is made anew, one that can't be written is done without.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cnnatomy.config import modules
from cnnatomy.data.errors import DataError
from cnnatomy.data.files import new_file

#: Beyond so many sources, those that this process did not read are let go: of other checkouts, or edited since.
MOST = 4000


class Source(NamedTuple):
    """The names that a module's source has in imports, relative ones begin with a dot, and a digest of what it does."""

    names: tuple[str, ...]
    digest: str


class Sources:
    """Sources by the SHA-256 of their bytes; `keep` writes down those that were not there yet."""

    def __init__(self, place: Path | None) -> None:
        self._place = place
        self._known: dict[str, Source] | None = None
        self._used: set[str] = set()
        self._new = False

    def of(self, file: Path) -> Source:
        """What a file says. Raises SyntaxError, with the file's name, where it does not parse."""
        content = file.read_bytes()
        key = hashlib.sha256(content).hexdigest()
        if self._known is None:
            self._known = self._written()
        self._used.add(key)
        if key not in self._known:
            self._known[key] = parsed(content, file)
            self._new = True
        return self._known[key]

    def keep(self) -> None:
        """Write down what is new, with what other processes wrote since; nothing where that can't be done."""
        if not self._new or self._place is None or self._known is None:
            return
        self._new = False
        known = self._written() | self._known
        if len(known) > MOST:
            known = {key: source for key, source in known.items() if key in self._used}
        with suppress(DataError, OSError), new_file(self._place) as file:
            file.write(json.dumps({"by": BY, "sources": known}).encode())

    def _written(self) -> dict[str, Source]:
        """What lies in the file, if it was written by this code and this Python."""
        if self._place is None:
            return {}
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            kept = json.loads(self._place.read_bytes())
            if kept["by"] == BY:
                return {key: Source(tuple(names), digest) for key, (names, digest) in kept["sources"].items()}
        return {}


def parsed(content: bytes, file: Path) -> Source:
    """What a file's content says: comments, docstrings and layout do not count."""
    tree = modules.syntax_tree(content, file)
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            between = "." if node.module else ""
            names.add(base)
            names.update(f"{base}{between}{alias.name}" for alias in node.names)
        elif isinstance(node, _WITH_DOCSTRINGS) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return Source(tuple(sorted(names)), hashlib.sha256(ast.unparse(tree).encode()).hexdigest())


def place() -> Path | None:
    """The file in the user's cache; None for a user without a home."""
    folder = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(folder) / "cnnatomy/sources.json" if os.path.isabs(folder) else None


_WITH_DOCSTRINGS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
#: Whose work is kept: another Python writes trees otherwise, and another version of this file may read them otherwise.
BY = f"{sys.version} {hashlib.sha256(Path(__file__).read_bytes()).hexdigest()}"
