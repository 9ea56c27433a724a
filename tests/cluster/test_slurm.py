"""The workflow on a real Slurm: the same numbers as here, and what goes wrong is said."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from tests.cluster.conftest import at
from tests.conftest import PROJECT, Checkout, copied, jobs

# Two cores are all that the node has. Without Slurm's accounting the plugin must ask squeue; a test needs no patience.
QUICK = ["--cores", "2", "--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2"]
QUICK += ["--latency-wait", "5"]
NETWORK = "results/runs/stripes/seed0/model.safetensors"


def command(*arguments: str) -> list[str]:
    asked = ["--workflow-profile", "profiles/slurm", *QUICK, "--config", "report=stripes", *arguments]
    return [sys.executable, "-m", "snakemake", *asked]


def snakemake(cluster: Checkout, *arguments: str) -> subprocess.CompletedProcess[str]:
    return cluster.run(*command(*arguments), timeout=400)


def log_of(checkout: Checkout, name: str) -> str:
    file = checkout.folder / "results/logs" / name
    return file.read_text() if file.is_file() else ""


@pytest.fixture(scope="module")
def sent(slurm, tmp_path_factory) -> tuple[Checkout, str, list[dict[str, str]]]:
    """A checkout whose report was made on Slurm, what Snakemake said of it, and what Slurm wrote of its jobs."""
    checkout = at(slurm, tmp_path_factory.mktemp("cluster") / "checkout")
    # What `make report PROFILE=slurm REPORT=stripes` runs.
    make = [sys.executable, "-m", "cnnatomy.launch", *QUICK]
    answer = checkout.run(*make, timeout=400, PROFILE="slurm", REPORT="stripes")
    assert answer.returncode == 0, answer.stdout
    return checkout, answer.stdout, slurm.finished()


def test_the_numbers_are_those_of_a_run_without_slurm(sent, made):
    checkout, _, _ = sent
    for file in ("results.csv", "exhibits.zip"):
        assert (checkout.folder / "results/report" / file).read_bytes() == (
            made.folder / "results/report" / file
        ).read_bytes()


def test_heavy_jobs_go_to_slurm_short_ones_together_and_light_ones_stay(sent):
    _, said, finished = sent
    assert {job["JobState"] for job in finished} == {"COMPLETED"}
    # One training, and the five exhibits in one.
    assert len(finished) == 2
    for rule in ("fetch", "prepare", "report"):
        assert f"localrule {rule}:" in said


def test_what_was_made_on_slurm_need_not_be_made_again_here(sent, tmp_path):
    checkout = copied(sent[0], tmp_path / "checkout")
    answer = checkout.snakemake("--config", "report=stripes", "--dry-run")
    assert jobs(answer.stdout) == [], answer.stdout


def test_a_failing_job_shows_its_log_and_leaves_a_partial_report(sent, tmp_path):
    checkout = copied(sent[0], tmp_path / "checkout")
    answer = snakemake(checkout, 'overrides=["dissect.feature_maps.sample=5000"]', "--retries", "0")
    assert answer.returncode != 0
    assert "give one of 0 to 199" in answer.stdout
    assert "dissect stripes seed0 feature_maps" in (checkout.folder / "results/report/partial.html").read_text()


LONG = 'overrides=["training.max_epochs=100000"]'


def begun(checkout: Checkout, slurm, *arguments: str) -> subprocess.Popen[str]:
    """A run of which a long training is at work on the node."""
    before = set(slurm.queued())
    run = subprocess.Popen(
        command(LONG, "--retries", "0", *(arguments or ("--", NETWORK))),
        cwd=checkout.folder,
        env=checkout.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    for _ in range(1800):
        if set(slurm.queued()) - before and list((checkout.folder / "results/state").rglob("*.ckpt")):
            return run
        assert run.poll() is None, run.communicate()[0]
        time.sleep(0.1)
    run.kill()
    raise AssertionError("no training came to work")


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.1)


def interrupted(run: subprocess.Popen[str]) -> None:
    """Interrupt a run, and wait until it has ended. Once, on a busy machine, Snakemake did not hear the first."""
    for _ in range(3):
        run.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.communicate(timeout=60)
            return
    run.kill()
    raise AssertionError("the run did not end")


def goes_on(checkout: Checkout, seed: str = "seed0") -> None:
    """Wait until the training has taken up where an earlier one was stopped."""
    until(lambda: log_of(checkout, f"train/stripes-{seed}.log").startswith("going on after epoch"), 180)


def test_one_interrupt_cancels_all_jobs_and_the_next_run_goes_on(slurm, cluster):
    # Two trainings, of which one must wait: the node has two processors.
    run = begun(cluster, slurm, "--set-threads", "train=2", "--", NETWORK, NETWORK.replace("seed0", "seed1"))
    until(lambda: len(slurm.queued()) == 2)  # Snakemake hands them over one after the other
    interrupted(run)
    assert run.returncode != 0
    until(lambda: not slurm.queued())
    assert not (cluster.folder / NETWORK).exists()
    # Both were sent at once: which of them Slurm took first is seen from the state it left.
    (begun_first,) = (folder.name for folder in (cluster.folder / "results/state/stripes").iterdir())
    again = begun(cluster, slurm, "--", NETWORK.replace("seed0", begun_first))
    try:
        goes_on(cluster, begun_first)
    finally:
        interrupted(again)


def test_a_job_over_its_time_fails_the_run_and_says_so(slurm, cluster):
    run = begun(cluster, slurm)
    (job,) = slurm.queued()
    # Its time is over now, not after the minute that is the least to ask for; slurmctld looks twice a minute.
    slurm.command("scontrol", "update", f"JobId={job}", "EndTime=now+1")
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


@pytest.fixture(scope="module")
def refused(slurm, tmp_path_factory) -> str:
    """What is said of four jobs, each of which asks for something else that there is not, and is tried twice."""
    checkout = at(slurm, tmp_path_factory.mktemp("refused") / "checkout")
    targets = ["results/trials/widths.json", "results/exhibits/stripes/seed0/samples/exhibit.json"]
    targets += ["results/lessons/convolution/exhibit.json", NETWORK]
    wrong = ["trials:slurm_partition=nowhere", "samples:slurm_partition=main", "samples:mem_mb=9000000"]
    wrong += ["lesson:slurm_partition=main", "lesson:gpu=3"]
    # Of a group that sbatch refuses Snakemake leaves the reason out: another `groups` takes the place of the profile's.
    options = ["--retries", "1", "--groups", "study=alone", "--set-resources", *wrong]
    slurm.command("scontrol", "update", "PartitionName=main", "Default=NO")
    try:
        answer = snakemake(checkout, *options, "--", *targets)
    finally:
        slurm.command("scontrol", "update", "PartitionName=main", "Default=YES")
    assert answer.returncode != 0
    return answer.stdout


@pytest.mark.parametrize(
    "words",
    [
        "No partition specified or system default partition",
        "invalid partition specified: nowhere",
        "Memory specification can not be satisfied",
        "Requested node configuration is not available",
    ],
)
def test_what_the_cluster_does_not_have_is_refused_in_words_of_which_the_docs_say_what_to_change(refused, words):
    assert words in refused, refused
    assert "docs/cluster.md, What goes wrong" in refused
    assert words.replace("nowhere", "…") in (PROJECT / "docs/cluster.md").read_text()


def test_a_job_that_is_tried_again_asks_for_more(refused):
    calls = re.findall(r"sbatch .*--comment '?rule_lesson.*", refused)
    asked = [re.search(r"-t (\d+) .*--mem (\d+)", call) for call in calls]
    assert [a and a.groups() for a in asked] == [("10", "1000"), ("20", "2000")], calls


def test_of_a_dead_node_the_user_hears_and_the_run_goes_on_when_it_is_back(slurm, cluster):
    (node,) = slurm.command("sinfo", "-h", "-o", "%n").split()
    run = begun(cluster, slurm)
    (job,) = slurm.queued()
    processes = [int(line.split()[0]) for line in slurm.command("scontrol", "listpids", job).splitlines()[1:]]
    os.kill(int((slurm.place / "slurmd.pid").read_text()), signal.SIGKILL)
    try:
        # What slurmctld does itself when a node has not answered for SlurmdTimeout.
        slurm.command("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        assert slurm.finished()[-1]["JobState"] == "NODE_FAIL"
        assert run.stdout is not None
        said = next((line for line in run.stdout if line.startswith("Slurm keeps")), "")
        assert f"job {job} (rule_train_wildcards_stripes_0)" in said and "DOWN" in said and "`sinfo -R`" in said, said
        slurm.command("slurmd")
        goes_on(cluster)
    finally:
        if slurm.command("sinfo", "-h", "-o", "%t").strip().startswith("down"):
            slurm.command("slurmd")
        interrupted(run)
