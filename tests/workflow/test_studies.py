"""A study of four small trainings, as a user makes it, breaks it off, widens it and gets it wrong."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from tests.conftest import OWN, PROJECT, Checkout, jobs, with_own

EXHIBIT = "results/studies/widths/exhibit.json"
RUNS = [f"results/runs/widths-{level}/seed{seed}" for seed in (0, 1) for level in ("few", "many")]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A checkout in which the study is made, by its name."""
    checkout = with_own(tmp_path_factory.mktemp("made") / "checkout")
    answer = checkout.snakemake(EXHIBIT)
    assert answer.returncode == 0, answer.stdout
    return checkout


def copy_of(made: Checkout, folder) -> Checkout:
    shutil.copytree(made.folder, folder, symlinks=True)
    return Checkout(folder, made.environment | {"PYTHONPATH": f"{folder / 'src'}{os.pathsep}{OWN}"})


def times(checkout: Checkout) -> dict[str, int]:
    """When each network was written."""
    return {
        str(file.relative_to(checkout.folder)): file.stat().st_mtime_ns
        for file in sorted(checkout.folder.glob("results/runs/widths-*/seed*/model.safetensors"))
    }


def test_a_study_is_made_by_its_name_and_a_second_time_nothing_runs(made):
    document = json.loads((made.folder / EXHIBIT).read_text())
    numbers = {(n["metric"], n.get("subject", "")): n["value"] for n in document["numbers"]}
    assert document["kind"] == "study" and numbers["verdict", ""] in (-1, 0, 1)
    assert numbers["trainings", ""] == 4
    # Both sides were asked the same samples, so that there is an interval over these, too, and what it is made of.
    compared = "of=many;than=few;metric=test_accuracy"
    assert numbers["difference", f"{compared};over=samples"] == pytest.approx(numbers["difference", compared])
    units = pd.read_csv((made.folder / EXHIBIT).with_name("differences.csv"))
    assert units.groupby("over")["n"].sum()["seed"] == 2 * 2  # seeds of both comparisons
    assert all((made.folder / run / "measures.json").is_file() for run in RUNS)
    assert jobs(made.snakemake(EXHIBIT).stdout) == []
    # On another number of cores neither.
    assert jobs(made.run(sys.executable, "-m", "snakemake", "--cores", "1", EXHIBIT).stdout) == []


def test_a_variant_is_a_run_like_any_other_and_training_it_alone_gives_the_same_bytes(made, tmp_path):
    out = tmp_path / "out"
    answer = made.step("train", "run=widths-many", "seed=1", f"out={out}")
    assert answer.returncode == 0, answer.stdout
    alone = (out / "runs/widths-many/seed1/model.safetensors").read_bytes()
    assert alone == (made.folder / RUNS[3] / "model.safetensors").read_bytes()
    shown = made.snakemake("results/exhibits/widths-many/seed0/kernels/exhibit.json")
    assert shown.returncode == 0 and "train" not in jobs(shown.stdout), shown.stdout


def test_another_seed_trains_only_itself(made, tmp_path):
    checkout = copy_of(made, tmp_path / "checkout")
    before = times(checkout)
    answer = checkout.snakemake(EXHIBIT, "--config", 'overrides=["studies.widths.seeds=3"]')
    assert answer.returncode == 0, answer.stdout
    assert set(jobs(answer.stdout)) == {"trials", "study"}
    after = times(checkout)
    assert {name: after[name] for name in before} == before
    assert len(after) == 6


def test_another_measure_is_taken_of_the_networks_that_stand(made, tmp_path):
    checkout = copy_of(made, tmp_path / "checkout")
    own = checkout.folder / "own"
    shutil.copytree(OWN / "conf", own)
    checkout.environment["CNNATOMY_CONF"] = str(own)
    before = times(checkout)
    study = own / "study/widths.yaml"
    measure = "measures: [{_target_: cnnatomy.studies.measures.shifts.moved, by: [0, 1], samples: 50}]\n"
    study.write_text(study.read_text() + measure)
    answer = checkout.snakemake(EXHIBIT)
    assert answer.returncode == 0, answer.stdout
    assert times(checkout) == before
    assert "shift=1" in (checkout.folder / EXHIBIT).read_text()


def test_broken_off_a_study_keeps_what_is_finished(made, tmp_path):
    checkout = with_own(tmp_path / "checkout")
    command = [sys.executable, "-m", "snakemake", "--cores", "2", EXHIBIT]
    options = {"cwd": checkout.folder, "env": checkout.environment, "stdin": subprocess.DEVNULL}
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, **options
    )
    deadline = time.monotonic() + 240
    while not list(checkout.folder.glob("results/runs/widths-*/seed*/measures.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    finished = {
        str(file.parent.relative_to(checkout.folder)): (file.parent / "model.safetensors").stat().st_mtime_ns
        for file in checkout.folder.glob("results/runs/widths-*/seed*/measures.json")
    }
    assert finished
    checkout.snakemake("--unlock")
    answer = checkout.snakemake(EXHIBIT, "--rerun-incomplete")
    assert answer.returncode == 0, answer.stdout
    for run, when in finished.items():
        assert (checkout.folder / run / "model.safetensors").stat().st_mtime_ns == when
    mine, theirs = ((c.folder / EXHIBIT).read_bytes() for c in (checkout, made))
    assert mine == theirs


def test_asked_to_end_a_study_stops_and_goes_on_later(made, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "cnnatomy.steps.trials", "study=widths", "workers=2", f"out={out}"]
    process = subprocess.Popen(
        [*command, "training.max_epochs=400"],  # minutes a network
        cwd=made.folder,
        env=made.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while len(list(out.glob("state/*/*/*/last.ckpt"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    began = set(out.glob("state/*.lock"))
    process.terminate()  # the one that waits for both
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1, said
    assert said.count("Stopped: asked to end after epoch") == 2 and "TrialFailed" not in said
    assert set(out.glob("state/*.lock")) == began, "neither went on to the next network"
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)  # nobody works on
    assert not list(out.glob("runs/*/*/model.safetensors"))
    assert len(list(out.glob("state/*/*/*/last.ckpt"))) == 2


def test_cut_into_jobs_a_study_ends_with_the_same_bytes(made, tmp_path):
    checkout = with_own(tmp_path / "checkout")
    config = ("--config", 'overrides=["study_jobs=3"]')
    answer = checkout.snakemake(EXHIBIT, *config)
    assert answer.returncode == 0, answer.stdout
    assert sorted(jobs(answer.stdout)) == ["fetch", "prepare", "share", "share", "share", "study", "trials"]
    trained = {
        share: (checkout.folder / f"results/logs/share/widths-{share}-of-3.log").read_text().count("test accuracy")
        for share in (1, 2, 3)
    }
    assert trained == {1: 2, 2: 1, 3: 1}, "each network is trained by one of them"
    assert "test accuracy" not in (checkout.folder / "results/logs/trials/widths.log").read_text()
    mine, theirs = ((c.folder / EXHIBIT).read_bytes() for c in (checkout, made))
    assert mine == theirs
    assert jobs(checkout.snakemake(EXHIBIT, *config).stdout) == []
    wrong = made.step("trials", "study=widths", "share=4-of-3")
    assert wrong.returncode != 0 and "share=4-of-3: wants which of how many, as in 2-of-4" in wrong.stdout


def test_a_training_that_fails_takes_no_other_with_it(made, tmp_path):
    checkout = with_own(tmp_path / "checkout")
    own = checkout.folder / "own"
    shutil.copytree(OWN / "conf", own)
    checkout.environment["CNNATOMY_CONF"] = str(own)
    study = own / "study/widths.yaml"
    study.write_text(study.read_text().replace("    many:", "    wrong: [training.learning_rate=1e30]\n    many:"))
    answer = checkout.snakemake("--config", "report=widths")
    assert answer.returncode != 0
    assert "Diverged" in answer.stdout and "widths-wrong" in answer.stdout
    assert not (checkout.folder / EXHIBIT).exists()
    partial = (checkout.folder / "results/report/partial.html").read_text()
    assert "trials widths" in partial and "widths-wrong seed 0: Diverged" in partial
    shutil.copy(OWN / "conf/study/widths.yaml", study)
    before = times(checkout)
    assert len(before) == 4
    answer = checkout.snakemake("--config", "report=widths")
    assert answer.returncode == 0, answer.stdout
    assert times(checkout) == before
    assert "Eight filters read stripes better" in (checkout.folder / "results/report/index.html").read_text()


def test_by_hand_other_values_need_a_folder_of_their_own(made, tmp_path):
    refused = made.step("trials", "study=widths", "training.max_epochs=2")
    assert refused.returncode != 0 and "out=" in refused.stdout
    out = f"out={tmp_path / 'out'}"
    for step in ("trials", "study"):
        answer = made.step(step, "study=widths", "study.seeds=3", "training.max_epochs=2", out)
        assert answer.returncode == 0, answer.stdout
    assert len(list(tmp_path.glob("out/runs/widths-*/seed*/measures.json"))) == 6
    foreign = made.step("study", "study=widths", "study.seeds=3", out)
    assert foreign.returncode != 0 and "made with other values" in foreign.stdout


def test_a_study_that_cannot_be_is_refused_before_the_first_job(made):
    answer = made.snakemake(EXHIBIT, "--config", 'overrides=["studies.widths.base=stripe"]')
    assert answer.returncode != 0
    assert "study widths: base: no run 'stripe'. Did you mean 'stripes'?" in answer.stdout
    assert jobs(answer.stdout) == []


def test_what_a_study_costs_beside_its_trainings_is_measured(made):
    script = PROJECT / "benchmarks/studies.py"
    answer = made.run(sys.executable, str(script), "--smoke", "--study", "widths")
    assert answer.returncode == 0, answer.stdout
    assert "4 trainings: " in answer.stdout and "importing: " in answer.stdout and "planning: " in answer.stdout
