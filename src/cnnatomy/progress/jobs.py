"""The jobs of a run of the workflow: which wait, run, are done, have failed."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from cnnatomy.progress.left import Task, left
from cnnatomy.steps import logs

#: What a step that ended well writes last (steps/clock.py).
_ENDED_WELL = re.compile(r"^cnnatomy: \S+Z to \S+Z, ")
PRIOR = 30.0  # processor seconds at the expected pace, which the first jobs of a run are weighed against


@dataclass(frozen=True)
class Job:
    """One job: Snakemake's number for it, its rule, its name for people, its log, threads, and the jobs it waits for.

    seconds: the processor time that it is expected to take; None where nothing like it is known.
    """

    number: int
    rule: str
    name: str
    log: str = ""
    threads: int = 1
    seconds: float | None = None
    needs: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Failure:
    """A job that failed, the cause in one line, and the seconds after which it did.

    stopped: whether it was asked to end, by whoever stops the run or the machine; then nothing is to be mended.
    """

    job: Job
    message: str
    seconds: float
    stopped: bool = False


def name_of(rule: str, wildcards: Mapping[str, object]) -> str:
    """A job's name for people: "dissect mnist kernels"; of seeds the first, 0, goes without saying."""
    words = [rule]
    for key, value in wildcards.items():
        if key == "seed":
            words += [] if str(value) == "0" else [f"seed {value}"]
        else:
            words.append(str(value))
    return " ".join(words)


def message_of(log: str, said: str = "") -> str:
    """The cause of a failure in one line: the last line of the job's log that names an error, else what is `said`
    beside it, else how the log ends."""
    lines = logs.lines_of(log)
    if lines and _ENDED_WELL.match(lines[-1]):
        return said.strip() or "its own work ended well; what came after it failed"
    last = f"no error in its log, which ends with: {lines[-1].strip()}" if lines else "no log; was it killed?"
    return (logs.error_in(lines) or next(iter(said.strip().splitlines()), "") or last).strip()


class Progress:
    """The jobs of one run and what became of each; fed from one thread, read from any.

    slots: how many threads run at once; clock: seconds since whenever.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.slots = 1
        self.stopped = False  # by the user
        self._seen = False
        self._clock = clock
        self._lock = threading.RLock()
        self._jobs: dict[int, Job] = {}
        self._began: dict[int, float] = {}
        self._took: dict[int, float] = {}
        self._failures: dict[int, Failure] = {}
        self._start = clock()

    def plan(self, jobs: Iterable[Job], slots: int) -> None:
        """What the run is going to do."""
        with self._lock:
            self._jobs |= {job.number: job for job in jobs}
            self.slots = slots
            self._start = self._clock()

    def begin(self, job: Job) -> None:
        """A job begins, or begins again after it failed; one that was planned stays as it was planned."""
        with self._lock:
            self._jobs.setdefault(job.number, job)
            self._began[job.number] = self._clock()
            self._failures.pop(job.number, None)
            self._seen = True

    def finish(self, number: int) -> tuple[Job, float] | None:
        """A job is done: the job, and the seconds it took; None for one that was not begun."""
        with self._lock:
            if number not in self._began:
                return None
            self._took[number] = self._clock() - self._began.pop(number)
            return self._jobs[number], self._took[number]

    def fail(self, job: Job, said: str = "", ended_by: str = "") -> Failure:
        """A job failed; `said` is what is known beside its log, `ended_by` the signal that asked it to end."""
        with self._lock:
            job = self._jobs.setdefault(job.number, job)
            seconds = self._clock() - self._began.pop(job.number, self._clock())
            message = f"stopped by {ended_by}" if ended_by else message_of(job.log, said)
            self._failures[job.number] = failure = Failure(job, message, seconds, bool(ended_by))
            return failure

    def drop(self, number: int) -> None:
        """A job was interrupted."""
        with self._lock:
            self._began.pop(number, None)

    def name(self, number: str) -> str:
        """A job's name by its number, as Snakemake writes it; what has none is a group of them."""
        return self._jobs[int(number)].name if number.isdecimal() and int(number) in self._jobs else "the group"

    @property
    def done(self) -> int:
        return len(self._took)

    @property
    def total(self) -> int:
        return len(self._jobs)

    @property
    def seen(self) -> bool:
        """Whether any job was begun."""
        return self._seen

    @property
    def seconds(self) -> float:
        """How long the run has been at work."""
        return self._clock() - self._start

    @property
    def failures(self) -> list[Failure]:
        with self._lock:
            return list(self._failures.values())

    def running(self) -> list[tuple[Job, float]]:
        """The jobs at work, longest first, with the seconds that each has been at it."""
        with self._lock:
            now = self._clock()
            return [(self._jobs[n], now - began) for n, began in sorted(self._began.items(), key=lambda e: e[1])]

    def plans(self, rule: str) -> bool:
        """Whether a job of this rule is part of the run."""
        with self._lock:
            return any(job.rule == rule for job in self._jobs.values())

    def left(self) -> float | None:
        """About how many seconds the rest takes; None where it has a job of which nothing is known."""
        with self._lock:
            pace = self._pace()
            now = self._clock()
            tasks = {}
            for number, job in self._jobs.items():
                if number in self._took or number in self._failures:
                    continue
                if job.seconds is None:
                    return None
                seconds = job.seconds * pace / job.threads
                begun = now - self._began[number] if number in self._began else None
                if begun is not None:  # over its time: nobody knows; a tenth of what it has taken
                    seconds = max(seconds - begun, begun / 10)
                tasks[number] = Task(seconds, min(job.threads, self.slots), job.needs, begun is not None)
            hopeless = set(self._failures)
        return left(tasks, self.slots, hopeless)

    def _pace(self) -> float:
        """How much longer this machine takes than expected, by what is done."""
        known = [(self._jobs[n], took) for n, took in self._took.items() if self._jobs[n].seconds is not None]
        took = sum(seconds * job.threads for job, seconds in known)
        return (took + PRIOR) / (sum(job.seconds or 0 for job, _ in known) + PRIOR)
