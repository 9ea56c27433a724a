"""One training of a study: held by one process, trained as any run is, measured, written."""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Collection, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from pathlib import Path

from hydra.utils import instantiate

from cnnatomy import locks
from cnnatomy.config.errors import ConfigurationError
from cnnatomy.models import weights
from cnnatomy.steps.datasets import dataset
from cnnatomy.steps.job import Job, is_plain, said_of
from cnnatomy.steps.measures import FILE, measured, trial_of
from cnnatomy.steps.networks import network
from cnnatomy.steps.training import train_job
from cnnatomy.steps.writing import replaced
from cnnatomy.studies.measures.always import always
from cnnatomy.training import gpus
from cnnatomy.training.errors import Stopped


class TrialFailed(RuntimeError):
    """Trainings of a study ended with an error; the message names them. All others are finished."""


def work_off(job: Job, wanted: Collection[str]) -> None:
    """Train and measure what is missing; what another process holds is waited for when all else is done.

    wanted: of the study's networks, by `<run>/seed<k>`.
    Raises TrialFailed at the end, and Stopped as soon as the process is asked to end.
    """
    left = [(v, seed) for v, seed in job.plan.study(job.subject).trials() if f"{v.run}/seed{seed}" in wanted]
    failed: dict[str, str] = {}
    for wait in (False, True):
        held = []
        for variant, seed in left:
            trial = trial_of(job, variant.run, seed)
            if not _is_measured(trial):  # before it is held: who waits for a GPU must keep nothing from others
                gpus.hold(trial.config["training"])
            with _holding(trial, wait) as mine:
                if not mine:
                    held.append((variant, seed))
                    continue
                try:
                    _finish(trial)
                except Stopped:
                    raise
                except Exception as error:  # of any kind: the others are worth finishing
                    said = f"{type(error).__name__}: {said_of(error)}"
                    print(f"{_name(trial)}: {said}", file=sys.stderr, flush=True)
                    if not is_plain(error):
                        traceback.print_exc()
                    failed[_name(trial)] = " ".join(said.split())
        left = held
    if failed:
        first, said = next(iter(failed.items()))
        others = f"; {', '.join(list(failed)[1:])} failed too, see the log" if len(failed) > 1 else ""
        raise TrialFailed(f"{first}: {said}{others}; all else is finished")


def _name(job: Job) -> str:
    return f"{job.run} seed {job.seed}"


def _finish(job: Job) -> None:
    """Train and measure, unless it was done."""
    if _is_measured(job):
        return
    started = time.monotonic()
    training = Job("train", job.run, job.config, job.plan)
    if not _stands(training):
        log = training.output(f"logs/train/{job.run}-seed{job.seed}.log")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as file, redirect_stdout(file):
            train_job(training, keeps=False)
    data = dataset(training)
    trained = network(training, data.facts)
    numbers = always(trained, data, seed=job.seed)
    for measure in job.slice["measures"]:
        numbers += instantiate(measure, _partial_=True, _convert_="all")(trained, data, seed=job.seed)
    with replaced(job.output(FILE.format(run=job.run, seed=job.seed))) as part:
        part.write_text(json.dumps({"digest": job.digest, "numbers": [asdict(number) for number in numbers]}) + "\n")
    accuracy = next(number.value for number in numbers if number.metric == "test_accuracy")
    print(f"{_name(job)}: test accuracy {accuracy:.4f}, {time.monotonic() - started:.1f} s", flush=True)


def _is_measured(job: Job) -> bool:
    """Whether the numbers are there, of a network trained with these values by this code."""
    try:
        measured(job)
        return True
    except (ConfigurationError, ValueError, KeyError, TypeError):
        return False


def _stands(job: Job) -> bool:
    """Whether the network is there, trained with these values by this code."""
    file = job.output(f"runs/{job.run}/seed{job.seed}/model.safetensors")
    try:
        return file.is_file() and weights.metadata(file)["digest"] == job.digest
    except (weights.WeightsError, KeyError):
        return False


@contextmanager
def _holding(job: Job, wait: bool) -> Iterator[bool]:
    """Hold a trial against other processes: whether it is held, which with `wait` it always is in the end."""
    lock: Path = job.output(f"state/{job.run}-seed{job.seed}.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    held = locks.take(lock, wait)
    if held is None:
        yield False
        return
    with held:
        yield True  # closing the file lets go, and so does the end of the process, whatever ends it
