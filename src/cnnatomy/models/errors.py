"""What a user reads when his own network can't be built or used."""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence
from pathlib import Path

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class NetworkError(ValueError):
    """A network can't be built; the message says why and where."""


def some(keys: Sequence[str]) -> str:
    """Names in quotes, the first eight of them."""
    return ", ".join(map(repr, keys[:8])) + (f" and {len(keys) - 8} more" if len(keys) > 8 else "")


def told(error: BaseException) -> str:
    """An error of a network's code in one line: its class, what it says, and the last line that is no library's."""
    said = _ADDRESS.sub("", " ".join(str(error).split()))
    what = f"{type(error).__name__}: {said}" if said else type(error).__name__
    lines = [f for f in traceback.extract_tb(error.__traceback__) if not _is_library(f.filename)]
    return f"{what} ({Path(lines[-1].filename).name}, line {lines[-1].lineno})" if lines else what


def _is_library(file: str) -> bool:
    path = Path(file)
    ours = Path(__file__).parents[1]
    checking = path.is_relative_to(ours) and not path.is_relative_to(ours / "models")
    return checking or path == ours / "models" / "__init__.py" or "site-packages" in path.parts or file.startswith("<")
