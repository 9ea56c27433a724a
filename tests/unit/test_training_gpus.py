"""GPUs of one machine, pretended by their names alone: no two trainings on one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cnnatomy.training import gpus

PROGRAM = """
import os, sys
from pathlib import Path
from cnnatomy.training import gpus
gpus.SECONDS, gpus.FOLDER = 0.05, Path(os.environ["LOCKS"])
gpus.hold({"accelerator": sys.argv[1], "devices": int(sys.argv[2]), "max_epochs": int(sys.argv[3])})
print(os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
sys.stdin.read()
"""


class Training(subprocess.Popen):
    """A process that holds GPUs until its input is closed."""

    def __init__(
        self, environment: dict[str, str], accelerator: str = "gpu", devices: int = 1, epochs: int = 3
    ) -> None:
        super().__init__(
            [sys.executable, "-c", PROGRAM, accelerator, str(devices), str(epochs)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def says(self) -> str:
        return self.stdout.readline().strip()

    def end(self) -> None:
        self.kill()
        self.communicate()


@pytest.fixture
def two(tmp_path) -> dict[str, str]:
    """The environment of a machine with two GPUs."""
    kept = {name: value for name, value in os.environ.items() if name not in ("SLURM_JOB_ID", "LOCAL_RANK")}
    return kept | {"CUDA_VISIBLE_DEVICES": "0,GPU-5a", "LOCKS": str(tmp_path)}


def test_each_training_has_its_own_and_the_next_one_waits_for_it(two):
    first, second = Training(two), Training(two)
    assert {first.says(), second.says()} == {"0", "GPU-5a"}
    third = Training(two)
    assert third.says() == "waiting for 1 of the 2 GPUs here: other trainings hold them"
    first.end()  # by SIGKILL: nothing is left behind that holds it
    free = third.says()
    assert free in ("0", "GPU-5a")
    for process in (second, third):
        process.end()


def test_who_wants_two_holds_none_while_it_waits(two):
    first, both = Training(two), None
    assert first.says() == "0"
    both = Training(two, devices=2)
    assert both.says().startswith("waiting for 2 of the 2 GPUs")
    other = Training(two)
    assert other.says() == "GPU-5a"
    first.end()
    other.end()
    assert both.says() == "0,GPU-5a"
    both.end()


def test_more_than_there_are_is_an_error_at_once(two):
    asked = Training(two, devices=3)
    out, _ = asked.communicate()
    assert "TrainingError: training.devices=3, but there are 2 GPUs here (0, GPU-5a)" in out


def test_jobs_of_a_cluster_that_numbers_the_gpus_of_each_from_0_dont_wait_for_each_other(two):
    one = {"CUDA_VISIBLE_DEVICES": "0"}
    first, second = (Training(two | one | {"SLURM_JOB_ID": job}) for job in ("7", "8"))
    assert (first.says(), second.says()) == ("0", "0")
    first.end()
    second.end()


@pytest.mark.parametrize("changes", [{"accelerator": "cpu"}, {"epochs": 0}])
def test_training_on_the_processor_or_not_at_all_takes_none(two, changes):
    first = Training(two, devices=2, **changes)
    assert first.says() == two["CUDA_VISIBLE_DEVICES"]
    first.end()


def test_there_is_a_place_for_each_gpu_that_is_seen(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,GPU-5a")
    assert gpus.places({"accelerator": "gpu", "max_epochs": 3}) == 2
    assert gpus.places({"accelerator": "cpu", "max_epochs": 3}) is None
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpus.places({"accelerator": "gpu", "max_epochs": 3}) is None
