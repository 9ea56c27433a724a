"""The one run that this process may be: the Snakefile says what it plans, the logger what becomes of it."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

from cnnatomy.progress import expected
from cnnatomy.progress.growing import Growing, build
from cnnatomy.progress.jobs import Job, Progress, name_of

progress = Progress()
_page: Growing | None = None
followed = False  # whether our logger is there, without which nobody would know what becomes of the jobs


def follow() -> Progress:
    """For the logger: the progress that it feeds."""
    global followed
    followed = True
    return progress


def begin(given: Path, workflow: Any) -> None:
    """What Snakemake's `workflow` is about to do; a page grows where the report is part of it.

    given: the file with the plan.
    """
    global _page
    if not followed:
        return
    dag, settings = workflow.dag, workflow.resource_settings
    slots = settings.cores if workflow.local_exec else settings.nodes
    wanted = [job for job in dag.needrun_jobs() if job.rule.output]
    progress.plan([_job(dag, job, workflow.local_exec) for job in wanted], slots or 1)
    if progress.plans("report") and progress.total > 1:
        _page = Growing(given, progress)
        _page.begin()


def _job(dag: Any, job: Any, local: bool) -> Job:
    log = str(job.log[0]) if job.log else ""
    return Job(
        dag.jobid(job),
        job.rule.name,
        name_of(job.rule.name, job.wildcards_dict),
        log,
        job.threads if local else 1,
        expected.seconds(job.rule.name, log),
        frozenset(dag.jobid(other) for other in dag.dependencies[job]),
    )


def end() -> None:
    """The page grows no more: the report is being made, or the run has failed and says what is missing."""
    global _page
    if _page is not None:
        _page.end()
        _page = None


def fail(given: Path) -> bool:
    """The run has failed: its page becomes that of a run that did. Whether it could be built."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all has ended but for this page, and who presses Ctrl-C twice
    end()
    return build(given).wait() == 0


def advice() -> str:
    """What to do after a run that has not made all; nothing where whoever stopped it knows."""
    failures = progress.failures
    if not failures and progress.stopped:
        return ""
    only_stopped = failures and all(failure.stopped for failure in failures)  # nothing is to be mended
    return f"{'Run' if only_stopped else 'Mend the cause and run'} the same command: it goes on from there."


def abandon() -> None:
    """The run has ended without a word: a page that still grows becomes that of a run that failed."""
    if _page is not None:
        fail(_page.given)
