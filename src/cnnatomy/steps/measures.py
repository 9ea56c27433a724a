"""What was measured of the trained networks of a study."""

from __future__ import annotations

import json

from cnnatomy.exhibit import Number
from cnnatomy.steps.job import Job
from cnnatomy.studies.measures.answers import Answered

FILE = "runs/{run}/seed{seed}/measures.json"


def trial_of(job: Job, run: str, seed: int) -> Job:
    """The measuring of one variant, trained with one seed, as a job of its own in the study's job."""
    return Job("measure", run, {**job.plan.config(run), "seed": seed, "out": job.config["out"]}, job.plan)


def measured(trial: Job) -> list[Number]:
    """The numbers that were measured of a trial. Raises ConfigurationError where other values or code made them."""
    file = trial.input(FILE.format(run=trial.run, seed=trial.seed))
    told = json.loads(file.read_text())
    trial.accept(file, told["digest"], "measure")
    return [(Answered if "right" in number else Number)(**number) for number in told["numbers"]]
