"""Writing an exhibit where the report looks for it."""

from __future__ import annotations

from typing import Any

from cnnatomy.exhibit import Exhibit, Showing
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


def publish(job: Job, made: Showing | Exhibit, method: str) -> None:
    """Write an exhibit about the job's run, with the slice and the digest that made it."""
    exhibit = Exhibit.of(made, "run", job.run, method, job.seed)
    _write(job, exhibit, f"exhibits/{job.run}/seed{job.seed}/{method}")


def publish_study(job: Job, made: Showing | Exhibit) -> None:
    """Write a study's exhibit, with the slice and the digest that made it."""
    _write(job, Exhibit.of(made, "study", job.subject), f"studies/{job.subject}")


def publish_lesson(job: Job, made: Showing | Exhibit) -> None:
    """Write a lesson's exhibit, with the slice and the digest that made it."""
    _write(job, Exhibit.of(made, "lesson", str(job.method)), f"lessons/{job.method}")


def _write(job: Job, exhibit: Exhibit, place: str) -> None:
    exhibit.write(job.output(place), without_places(job.slice), {job.step: job.digest})
