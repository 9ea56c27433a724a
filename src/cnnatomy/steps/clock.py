"""When a step began and ended and what it took: written as the last line of its log, read by the report."""

from __future__ import annotations

import re
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # every step says its times, and need not import the report for it
    from cnnatomy.report.context import Time

_LINE = re.compile(
    r"^cnnatomy: (\S+Z) to (\S+Z), ([\d.]+) s of processor time, (\d+) MB$",
    re.MULTILINE,
)


def say(began: float) -> None:
    """Write the line, for a step that `began` then (seconds since 1970) and ends now."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    memory = max(_peak(own.ru_maxrss), children.ru_maxrss) / 1024
    line = f"cnnatomy: {_stamp(began)} to {_stamp(time.time())}, {cpu:.1f} s of processor time, {memory:.0f} MB"
    print(line, file=sys.stderr, flush=True)


def read(log: Path, rule: str, job: str) -> Time | None:
    """What the last line of that kind in a log says; None where there is none."""
    try:
        found = list(_LINE.finditer(log.read_text(encoding="utf-8", errors="replace")))
    except OSError:
        return None
    if not found:
        return None
    start, end, cpu, memory = found[-1].groups()
    return {"rule": rule, "job": job, "start": start, "end": end, "cpu": float(cpu), "memory": float(memory)}


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _peak(otherwise: float) -> float:
    """Peak memory of this process in KiB. Not ru_maxrss where there is better: it begins with that of the parent."""
    try:
        found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    except OSError:  # other systems than Linux
        found = None
    return float(found[1]) if found else otherwise
