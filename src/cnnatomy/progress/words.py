"""How the progress of jobs is said in plain lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cnnatomy.progress.jobs import Failure, Progress

PAGE = Path("results/report/index.html")
LINES = 50  # of the end of a failed job's log


def took(seconds: float) -> str:
    """A time that has passed: "4.2 s", "1 min 05 s", "1 h 20 min"."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def about(seconds: float | None) -> str:
    """A time that is guessed: "about 4 min left"; empty where nothing is known."""
    if seconds is None:
        return ""
    if seconds < 60:
        return "less than a minute left"
    minutes = round(seconds / 60)
    return f"about {minutes} min left" if minutes < 60 else f"about {minutes // 60} h {minutes % 60:02d} min left"


def finished(progress: Progress, name: str, seconds: float) -> str:
    """The line of a job that is done."""
    return f"[{progress.done:>{len(str(progress.total))}}/{progress.total}] {name}  {took(seconds)}"


def warned(warning: str, name: str = "") -> str:
    """A warning of a job that ended well, below the job's line, or by its `name` where it has none."""
    return f"{name or '   '} WARNING: {warning}"


def failed(failure: Failure, said: str, logs: Sequence[str], show_logs: bool) -> str:
    """A failure in full: the job, what Snakemake or the cluster says (`said`), its logs and the end of each."""
    if failure.stopped:
        return f"STOPPED: {failure.job.name}, after {took(failure.seconds)}"
    parts = [f"FAILED: {failure.job.name}, after {took(failure.seconds)}"]
    parts += [f"    {line}" for line in said.splitlines()]
    return "\n".join([*parts, *_of_logs(logs, show_logs)])


def failed_group(name: str, logs: Sequence[str], show_logs: bool) -> str:
    """The heading of the failures of jobs that were sent together, with the group's own logs."""
    return "\n".join([f"FAILED: a job of the group {name}", *_of_logs(logs, show_logs)])


def _of_logs(logs: Sequence[str], show: bool) -> list[str]:
    parts = []
    for log in logs:
        parts.append(f"    log: {log}")
        if show:
            parts += [f"    | {line}" for line in _end(Path(log))]
    return parts


def _end(log: Path) -> list[str]:
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ["(there is no such file)"]
    if not lines:
        return ["(it is empty)"]
    return [*(["…"] if len(lines) > LINES else []), *lines[-LINES:]]


def nothing() -> str:
    """The line of a run that has nothing to do."""
    return "Nothing to do: what was asked for is there." + (f" The report: {PAGE}" if PAGE.is_file() else "")


def closing(progress: Progress) -> str:
    """The last lines of a run: what was done in which time and where the report is, or each job that failed with its
    message and its log, and those that were stopped."""
    jobs = f"{progress.done} job{'' if progress.done == 1 else 's'}"
    failed = [failure for failure in progress.failures if not failure.stopped]
    stopped = [failure.job.name for failure in progress.failures if failure.stopped]
    if not failed and (progress.stopped or stopped):
        return f"Stopped; {progress.done} of {progress.total} jobs are done."
    if not failed:
        page = f". The report: {PAGE}" if progress.plans("report") and progress.done == progress.total else ""
        return f"{jobs} in {took(progress.seconds)}{page}"
    beside = f", {len(stopped)} stopped ({', '.join(stopped)})" if stopped else ""
    lines = [f"{jobs} done{beside}, {len(failed)} failed:"]
    for failure in failed:
        lines.append(f"  {failure.job.name}: {failure.message}")
        if failure.job.log:
            lines.append(f"    {failure.job.log}")
    return "\n".join(lines)
