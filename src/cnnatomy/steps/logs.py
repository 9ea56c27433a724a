"""What a step's log says: how it ends, the error that ended it, its warnings."""

from __future__ import annotations

import re
from pathlib import Path

#: How a line begins that names an error, as Python and our steps write it: "DataError: …", "torch.OutOfMemoryError: …".
_ERROR = re.compile(r"^(?:[a-z_]\w*\.)*[A-Z][a-z]\w*: ")
WARNING = "WARNING: "  # how steps begin what they warn of (steps/job.py)
LONGEST = 240  # characters of a warning; the rest is in the log
MOST = 5  # warnings of one job


def lines_of(log: str | Path) -> list[str]:
    """The lines of a log that are not empty; none where there is no log."""
    try:
        text = Path(log).read_text(encoding="utf-8", errors="replace") if str(log) else ""
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()]


def error_in(lines: list[str]) -> str:
    """The last line that names an error; empty where none does."""
    return next((line.strip() for line in reversed(lines) if _ERROR.match(line)), "")


def warnings_in(log: str | Path) -> list[str]:
    """What a step warned of, each once and short; the last line counts those beyond a few."""
    found = [line.removeprefix(WARNING).strip() for line in lines_of(log) if line.startswith(WARNING)]
    once = list(dict.fromkeys(found))
    shown = [text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…" for text in once[:MOST]]
    return [*shown, *([f"and {len(once) - MOST} more in {log}"] if len(once) > MOST else [])]
