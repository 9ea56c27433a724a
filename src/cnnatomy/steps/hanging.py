"""Writing an exhibit where the report looks for it."""

from __future__ import annotations

from dataclasses import replace

from cnnatomy.exhibit import Exhibit
from cnnatomy.steps.job import Job


def hang(job: Job, exhibit: Exhibit, method: str) -> None:
    """Write an exhibit about the job's run, with the slice and the digest that made it."""
    whole = replace(exhibit, kind="run", name=job.run, method=method, seed=job.seed)
    whole.write(job.output(f"exhibits/{job.run}/seed{job.seed}/{method}"), job.slice, {job.step: job.digest})


def hang_study(job: Job, exhibit: Exhibit) -> None:
    """Write a study's exhibit, with the slice and the digest that made it."""
    whole = replace(exhibit, kind="study", name=job.subject, method="", seed=0)
    whole.write(job.output(f"studies/{job.subject}"), job.slice, {job.step: job.digest})


def hang_lesson(job: Job, exhibit: Exhibit) -> None:
    """Write a lesson's exhibit, with the slice and the digest that made it."""
    whole = replace(exhibit, kind="lesson", name=str(job.method), method="", seed=0)
    whole.write(job.output(f"lessons/{job.method}"), job.slice, {job.step: job.digest})
