"""Writing an exhibit where the report looks for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cnnatomy.exhibit import Exhibit
from cnnatomy.exhibit.checks import ABSOLUTE
from cnnatomy.steps.job import Job


def without_places(value: Any) -> Any:
    """The same configuration, of a path of this machine the last part only: nobody else has that place."""
    if isinstance(value, dict):
        return {key: without_places(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [without_places(entry) for entry in value]
    if isinstance(value, str) and ABSOLUTE.match(value):
        return f"…/{value.replace(chr(92), '/').rstrip('/').rpartition('/')[2]}"
    return value


def hang(job: Job, exhibit: Exhibit, method: str) -> None:
    """Write an exhibit about the job's run, with the slice and the digest that made it."""
    whole = replace(exhibit, kind="run", name=job.run, method=method, seed=job.seed)
    whole.write(
        job.output(f"exhibits/{job.run}/seed{job.seed}/{method}"), without_places(job.slice), {job.step: job.digest}
    )


def hang_study(job: Job, exhibit: Exhibit) -> None:
    """Write a study's exhibit, with the slice and the digest that made it."""
    whole = replace(exhibit, kind="study", name=job.subject, method="", seed=0)
    whole.write(job.output(f"studies/{job.subject}"), without_places(job.slice), {job.step: job.digest})


def hang_lesson(job: Job, exhibit: Exhibit) -> None:
    """Write a lesson's exhibit, with the slice and the digest that made it."""
    whole = replace(exhibit, kind="lesson", name=str(job.method), method="", seed=0)
    whole.write(job.output(f"lessons/{job.method}"), without_places(job.slice), {job.step: job.digest})
