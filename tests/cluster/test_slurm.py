"""The workflow on a real Slurm: the same numbers as here, and what goes wrong is said."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import Checkout
from tests.workflow.test_end_to_end import jobs, with_own

# Two cores are all that the node has. Without Slurm's accounting the plugin must ask squeue; a test needs no patience.
QUICK = ["--cores", "2", "--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2"]
QUICK += ["--latency-wait", "5", "--config", "report=stripes"]
NETWORK = "results/runs/stripes/seed0/model.safetensors"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/slurm", *QUICK, *arguments]


def snakemake(cluster: Checkout, *arguments: str) -> subprocess.CompletedProcess[str]:
    return cluster.run(*command(*arguments), timeout=400)


def log_of(checkout: Checkout, name: str) -> str:
    file = checkout.folder / "results/logs" / name
    return file.read_text() if file.is_file() else ""


@pytest.fixture(scope="module")
def made(slurm, tmp_path_factory) -> tuple[Checkout, str, list[dict[str, str]]]:
    """A checkout whose report was made on Slurm, what Snakemake said of it, and what Slurm wrote of its jobs."""
    own = with_own(tmp_path_factory.mktemp("cluster") / "checkout")
    mine = {key: slurm.environment[key] for key in ("SLURM_CONF", "PATH")}
    checkout = Checkout(own.folder, own.environment | mine)
    answer = snakemake(checkout)
    assert answer.returncode == 0, answer.stdout
    return checkout, answer.stdout, slurm.finished()


def copied(made: tuple[Checkout, str, list], folder: Path) -> Checkout:
    checkout = made[0]
    shutil.copytree(checkout.folder, folder, symlinks=True)
    path = checkout.environment["PYTHONPATH"].replace(str(checkout.folder), str(folder))
    return Checkout(folder, checkout.environment | {"PYTHONPATH": path})


def test_the_numbers_are_those_of_a_run_without_slurm(made, tmp_path):
    checkout, _, _ = made
    here = with_own(tmp_path / "here")
    assert here.snakemake("--config", "report=stripes").returncode == 0
    for file in ("results.csv", "exhibits.zip"):
        assert (checkout.folder / "results/report" / file).read_bytes() == (
            here.folder / "results/report" / file
        ).read_bytes()


def test_heavy_jobs_go_to_slurm_short_ones_together_and_light_ones_stay(made):
    _, said, finished = made
    assert {job["JobState"] for job in finished} == {"COMPLETED"}
    # One training, and the five exhibits in one.
    assert len(finished) == 2
    for rule in ("fetch", "prepare", "report"):
        assert f"localrule {rule}:" in said


def test_what_was_made_on_slurm_need_not_be_made_again_here(made, tmp_path):
    checkout = copied(made, tmp_path / "checkout")
    answer = checkout.snakemake("--config", "report=stripes", "--dry-run")
    assert jobs(answer.stdout) == [], answer.stdout


def test_a_failing_job_shows_its_log_and_leaves_a_partial_report(made, tmp_path):
    checkout = copied(made, tmp_path / "checkout")
    answer = snakemake(checkout, 'overrides=["dissect.feature_maps.sample=5000"]', "--retries", "0")
    assert answer.returncode != 0
    assert "give one of 0 to 199" in answer.stdout
    assert "dissect stripes seed0 feature_maps" in (checkout.folder / "results/report/partial.html").read_text()


LONG = 'overrides=["training.max_epochs=100000"]'


def begun(checkout: Checkout, slurm) -> subprocess.Popen[str]:
    """A run of which a long training is at work on the node."""
    before = set(slurm.queued())
    run = subprocess.Popen(
        command(LONG, "--retries", "0", "--", NETWORK),
        cwd=checkout.folder,
        env=checkout.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    for _ in range(600):
        if set(slurm.queued()) - before and list((checkout.folder / "results/state").rglob("*.ckpt")):
            return run
        assert run.poll() is None, run.communicate()[0]
        time.sleep(0.1)
    run.kill()
    raise AssertionError("no training came to work")


def test_one_interrupt_cancels_all_jobs_and_the_next_run_goes_on(slurm, cluster):
    run = begun(cluster, slurm)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    assert run.returncode != 0
    for _ in range(100):
        if not slurm.queued():
            break
        time.sleep(0.1)
    assert slurm.queued() == [] and not (cluster.folder / NETWORK).exists()
    again = begun(cluster, slurm)
    try:
        for _ in range(300):
            if log_of(cluster, "train/stripes-seed0.log").startswith("going on after epoch"):
                break
            time.sleep(0.1)
        else:
            pytest.fail(log_of(cluster, "train/stripes-seed0.log")[:500])
    finally:
        again.send_signal(signal.SIGINT)
        again.communicate(timeout=60)


def test_a_job_over_its_time_fails_the_run_and_says_so(slurm, cluster):
    run = begun(cluster, slurm)
    (job,) = slurm.queued()
    slurm.command("scontrol", "update", f"JobId={job}", "TimeLimit=1")
    said, _ = run.communicate(timeout=200)
    assert run.returncode != 0 and "Error in rule train" in said
    assert slurm.finished()[-1]["JobState"] == "TIMEOUT"


def test_a_training_on_a_gpu_asks_for_one_and_slurm_gives_each_job_its_own(slurm, cluster):
    dry = snakemake(cluster, 'overrides=["training.accelerator=gpu"]', "--dry-run", "--", NETWORK)
    assert "gpu=1" in dry.stdout
    # The node's GPUs are pretended, so that the trainings ask for them without using them.
    tell = "import os, time\n    print('GPUS', os.environ.get('CUDA_VISIBLE_DEVICES'), flush=True)\n    time.sleep(4)"
    head = "def train(job: Job) -> None:\n"
    cluster.edit("src/cnnatomy/steps/train.py", head, f"{head}    {tell}\n")
    targets = [NETWORK, NETWORK.replace("seed0", "seed1")]
    answer = snakemake(cluster, "--set-resources", "train:gpu=1", "--", *targets)
    assert answer.returncode == 0, answer.stdout
    given = [log_of(cluster, f"train/stripes-seed{seed}.log").partition("GPUS ")[2].split()[0] for seed in (0, 1)]
    assert sorted(given) == ["0", "1"], given


def test_jobs_are_sent_as_arrays(slurm, cluster):
    targets = [NETWORK, NETWORK.replace("seed0", "seed1")]
    answer = snakemake(cluster, "--slurm-array-jobs", "train", "--", *targets)
    assert answer.returncode == 0, answer.stdout
    assert "Submitted array job" in answer.stdout
    assert all((cluster.folder / target).is_file() for target in targets)


def test_a_training_in_two_processes_works_inside_a_job(slurm, cluster):
    answer = snakemake(cluster, 'overrides=["training.devices=2"]', "--retries", "0", "--", NETWORK)
    assert answer.returncode == 0, answer.stdout
    log = log_of(cluster, "train/stripes-seed0.log")
    assert "MEMBER: 1/2" in log and "MEMBER: 2/2" in log and log.count("epoch 3 of 3") == 1


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (["--default-resources", "slurm_partition=nowhere"], "invalid partition specified: nowhere"),
        (["--set-resources", "train:mem_mb=9000000"], "Memory specification can not be satisfied"),
    ],
)
def test_what_the_cluster_does_not_have_is_an_error_that_names_it(slurm, cluster, wrong, says):
    answer = snakemake(cluster, *wrong, "--retries", "0", "--", NETWORK)
    assert answer.returncode != 0 and says in answer.stdout
