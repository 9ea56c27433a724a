"""Each benchmark runs to its end in its smoke mode, on next to nothing, in a process of its own."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from cnnatomy.data import prepared
from cnnatomy.data.prepared import Axis, Facts, Normalise
from cnnatomy.models import weights
from cnnatomy.models.lecture import Lecture
from cnnatomy.report import build
from tests import gallery

pytestmark = pytest.mark.slow
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Three hundred pictures of noise in the shape of MNIST, a third of them for testing."""
    folder = tmp_path_factory.mktemp("data") / "mnist"
    random, n = np.random.default_rng(0), 300
    axes = [Axis("row", "px", list(range(28))), Axis("column", "px", list(range(28)))]
    facts = Facts(
        name="mnist",
        kind="images",
        classes=[str(digit) for digit in range(10)],
        shape=(1, 28, 28),
        axes=axes,
        normalise=Normalise(0.5, 0.3),
        licence="none",
        citation="Nobody 2000, Nothing",
        raw="mnist",
        digest="",
    )
    table = pd.DataFrame({"split": np.where(np.arange(n) < 200, "train", "test"), "label": np.arange(n) % 10})
    table["id"] = [f"{split}/{k}" for k, split in enumerate(table["split"])]
    prepared.write(folder, facts, random.integers(0, 256, (n, 1, 28, 28)).astype(np.uint8), table)
    return folder


def ran(name: str, *arguments: str, folder: Path) -> str:
    """What `python benchmarks/<name>.py --smoke` prints, run in a folder."""
    command = [sys.executable, str(PROJECT / f"benchmarks/{name}.py"), "--smoke", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def test_training_compares_a_step_with_a_bare_loop_and_its_kernels(digits, tmp_path):
    said = ran("training", "--data", str(digits), "--csv", str(tmp_path / "t.csv"), "--threads", "1", folder=tmp_path)
    measured = {row["measure"]: float(row["value"]) for row in rows(tmp_path / "t.csv")}
    assert len(measured) == 4 and all(value > 0 for value in measured.values())
    assert "conv2 backward, weights" in said


def test_every_benchmark_of_the_workflow_says_a_figure(tmp_path):
    assert "nothing to do" in ran("workflow", "--tables", str(tmp_path), folder=PROJECT)
    figures = {row["figure"]: float(row["value"]) for row in rows(tmp_path / "workflow.csv")}
    assert 0 < figures["make report, nothing to do"] < figures["make report, all of it"]


def test_what_a_large_workflow_costs_is_measured(tmp_path):
    ran("scaling", "--csv", str(tmp_path / "s.csv"), folder=PROJECT)
    figures = rows(tmp_path / "s.csv")
    planning = [float(row["value"]) for row in figures if "dry run of" in row["figure"] and row["unit"] == "s"]
    assert len(planning) == 3 and all(0 < seconds < 60 for seconds in planning)
    assert {"overhead a job, both"} < {row["figure"] for row in figures}


def test_made_inputs_are_timed(digits, tmp_path):
    torch.manual_seed(0)
    weights.save(Lecture((1, 28, 28), 10, filters=(25, 50), units=100, dropout=0.25), tmp_path / "m.safetensors", {})
    arguments = ("--data", str(digits), "--weights", str(tmp_path / "m.safetensors"), "--csv", str(tmp_path / "m.csv"))
    ran("maximisation", *arguments, folder=tmp_path)
    (row,) = rows(tmp_path / "m.csv")
    assert float(row["value"]) > 0 and row["met"] == "True"


def test_building_and_opening_the_page_are_measured(tmp_path):
    if shutil.which("chromium") is None:
        pytest.skip("there is no Chromium to open the page in")
    build(gallery.write(tmp_path, gallery.exhibits()), tmp_path / "report", gallery.context(tmp_path))
    zipped = ("--exhibits", str(tmp_path / "report/exhibits.zip"))
    ran("report", *zipped, "--csv", str(tmp_path / "r.csv"), folder=tmp_path)
    once, twice = rows(tmp_path / "r.csv")
    assert 2 * int(once["exhibits"]) == int(twice["exhibits"])
    assert all(float(row["interactive, s"]) > 0 and float(row["build, processor s"]) > 0 for row in (once, twice))


def test_memory_is_measured_of_every_step(tmp_path):
    ran("memory", "--csv", str(tmp_path / "m.csv"), folder=tmp_path)
    found = {row["step"]: float(row["anonymous_mb"]) for row in rows(tmp_path / "m.csv")}
    assert set(found) == {"fetch", "prepare", "train"} and all(peak > 10 for peak in found.values())


def test_exhibits_of_any_network_are_made_and_timed(tmp_path):
    lines = [line.split() for line in ran("any_network", folder=tmp_path).splitlines()]
    assert [line[:2] for line in lines] == [["small", "kernels"], ["small", "structure"]]
    for line in lines:
        assert 0.5 < float(line[2]) < 60 and "met" in line  # no import of torch takes less
        assert line[-1] == "numbers" and int(line[-2]) > 0


def test_the_templates_are_measured_against_simple_rules(tmp_path):
    said = ran("templates", "--keep", str(tmp_path / "kept"), "--csv", str(tmp_path / "t.csv"), folder=PROJECT)
    (row,) = rows(tmp_path / "t.csv")
    assert (row["set"], row["kind"], row["n"], row["classes"]) == ("digits", "images", "1797", "10")
    assert float(row["low"]) < float(row["template"]) < float(row["high"])
    assert 0.9 < float(row["rule_accuracy"]) < 1 and row["rule"] in said
    assert (tmp_path / "kept/conf/run/digits.yaml").is_file()
