"""When a step began and ended and what it took: the last line of its log, and a table like Snakemake's benchmarks."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

try:
    import resource
except ImportError:  # on Windows
    resource = None  # type: ignore[assignment]

if TYPE_CHECKING:  # every step says its times, and need not import the report for it
    from cnnatomy.report.context import Time

_LINE = re.compile(
    r"^cnnatomy: (\S+Z) to (\S+Z), ([\d.]+) s of processor time, (\d+) MB$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Took:
    """What a process took: processor seconds, and peak memory and peak address space in MB."""

    cpu: float
    memory: float
    space: float


def say(began: float, costs: Path | None = None) -> None:
    """Write the line, for a step that `began` then (seconds since 1970) and ends now; and all it took to `costs`."""
    took, end = _took(), time.time()
    line = f"cnnatomy: {_stamp(began)} to {_stamp(end)}, {took.cpu:.1f} s of processor time, {took.memory:.0f} MB"
    print(line, file=sys.stderr, flush=True)
    if costs:
        costs.parent.mkdir(parents=True, exist_ok=True)
        costs.write_text(_table(end - began, took))


def include(costs: Iterable[Path]) -> None:
    """Count in what processes took that ran side by side, each of them in a file; the files go."""
    for file in costs:
        row = dict(zip(*(line.split("\t") for line in file.read_text().splitlines()), strict=True))
        _others.append(Took(float(row["cpu_time"]), float(row["max_rss"]), float(row["max_vms"])))
        file.unlink()


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


_others: list[Took] = []


def _took() -> Took:
    if resource is None:
        return Took(time.process_time(), 0.0, 0.0)
    own = resource.getrusage(resource.RUSAGE_SELF)
    memory, space = (_told("status", key) for key in ("VmHWM", "VmPeak"))  # KiB
    # Not ru_maxrss where there is better: it begins with that of the parent.
    took = Took(own.ru_utime + own.ru_stime, (memory or own.ru_maxrss) / 1024, space / 1024)
    if _others:  # they may be children of this process, or of the one that this one was forked from
        side_by_side = [took, *_others]
        return Took(*(sum(getattr(one, what) for one in side_by_side) for what in ("cpu", "memory", "space")))
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = took.cpu + children.ru_utime + children.ru_stime
    return Took(cpu, max(took.memory, children.ru_maxrss / 1024), took.space)


def _table(seconds: float, took: Took) -> str:
    """What Snakemake's `benchmark` would write. It looks at the children of a job's shell; a warm process's are none.

    NA as in Snakemake's for what nobody has looked at: how much of the memory is shared with other processes.
    """
    minutes, rest = divmod(int(seconds), 60)
    row = {
        "s": f"{seconds:.4f}",
        "h:m:s": f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}",
        "max_rss": f"{took.memory:.2f}",
        "max_vms": f"{took.space:.2f}",
        "max_uss": "NA",
        "max_pss": "NA",
        "io_in": f"{_told('io', 'read_bytes') / 2**20:.2f}",
        "io_out": f"{_told('io', 'write_bytes') / 2**20:.2f}",
        "mean_load": f"{100 * took.cpu / seconds if seconds else 0:.2f}",
        "cpu_time": f"{took.cpu:.2f}",
    }
    return "\t".join(row) + "\n" + "\t".join(row.values()) + "\n"


def _told(name: str, key: str) -> float:
    """A number that Linux tells of this process; 0 on other systems."""
    try:
        found = re.search(rf"^{key}:\s+(\d+)", Path("/proc/self", name).read_text(), re.MULTILINE)
    except OSError:
        return 0
    return float(found[1]) if found else 0
