"""The page that grows: while jobs run, the report's step is asked again and again for a page of what there is.

It is built beside the jobs and takes little of the processors' time; what goes wrong with it stops no job, and is in
`.snakemake/cnnatomy-growing.log`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from cnnatomy.progress.jobs import Progress

FOLDER = Path("results/report")
FACTS = Path(".snakemake/cnnatomy-growing.json")
LOG = Path(".snakemake/cnnatomy-growing.log")
#: Seconds: the least between two pages, the most while nothing changes but the time, and what the browser waits.
LEAST, MOST, RELOAD = 15.0, 120.0, 30
TICK = 1.0  # seconds between two looks at the jobs
SHARE = 20  # the least seconds between two pages for each second of processor time that one takes


def build(given: Path, *more: str) -> subprocess.Popen[bytes]:
    """Begin to build `partial.html` of what there is."""
    with LOG.open("wb") as log:
        # Inherited is the lock of `make report`, so that a page of a killed run is done before the next run begins.
        return subprocess.Popen(
            [sys.executable, "-m", "cnnatomy.steps.report", "partial=true", *more, f"given={given}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            close_fds=False,
        )


class Growing:
    """The growing page of a run whose plan is in the file `given`."""

    def __init__(self, given: Path, progress: Progress) -> None:
        self.given = given
        self._progress = progress
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._grow, daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """No page is built after this, and none is half written."""
        self._stop.set()
        self._thread.join()

    def _grow(self) -> None:
        cost, shown, began = 0.0, None, -MOST
        while not self._stop.wait(TICK):
            waited, news = time.monotonic() - began, self._progress.done + len(self._progress.failures)
            if waited < max(LEAST, SHARE * cost) or (news == shown and waited < MOST):
                continue
            began, shown = time.monotonic(), news
            try:
                FACTS.write_text(json.dumps(facts(self._progress, next_in=max(MOST, SHARE * cost))), encoding="utf-8")
                cost = self._wait(build(self.given, f"growing={FACTS}"))
            except OSError:  # a full disk stops the jobs, and they say so
                continue

    def _wait(self, process: subprocess.Popen[bytes]) -> float:
        """Wait for a build, or end it when the page has ended: the processor seconds it took."""
        while True:
            number, _, usage = os.wait4(process.pid, os.WNOHANG)
            if number:
                process.returncode = 0  # it has been waited for
                return usage.ru_utime + usage.ru_stime
            if self._stop.wait(0.1):
                process.kill()
                process.wait()
                for part in FOLDER.glob(".partial.html.*"):
                    part.unlink(missing_ok=True)
                return 0.0


def facts(progress: Progress, next_in: float) -> dict[str, Any]:
    """How far a run is, for the page: jobs `done` of `total`, those that are `running` with their seconds, those that
    `failed` with what they said, the seconds that are `left` or None, the time `at` which this was so, after how many
    seconds to `reload`, and after how many minutes without a newer page the run is `stale`."""
    return {
        "done": progress.done,
        "total": progress.total,
        "running": [[job.name, seconds] for job, seconds in progress.running()],
        "failed": [[failure.job.name, failure.message] for failure in progress.failures],
        "left": progress.left(),
        "at": datetime.now().astimezone().isoformat(timespec="seconds"),
        "reload": RELOAD,
        "stale": round(3 * next_in / 60),
    }
