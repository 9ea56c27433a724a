"""Records on disk: what was measured with other values, or is damaged, is measured anew; all else is only drawn."""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from cnnatomy.config.compose import compose
from cnnatomy.config.plan import Plan
from cnnatomy.config.slices import digest_of_measuring
from cnnatomy.dissect import kernels
from cnnatomy.inspection.layers import Layer
from cnnatomy.steps import measured as measuring
from cnnatomy.steps.job import Job
from cnnatomy.steps.measured import NotKept, measured, packed, unpacked
from tests.unit.small_data import hang, small


@dataclass(frozen=True)
class Record:
    """Something of each kind that records hold."""

    array: np.ndarray
    tensor: torch.Tensor
    table: pd.DataFrame
    layer: Layer
    number: np.float64
    named: dict[str, tuple[int, ...]]


@pytest.fixture(autouse=True)
def everything_is_worth_a_file(monkeypatch):
    monkeypatch.setattr(measuring, "WORTH", 0.0)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return small(tmp_path_factory.mktemp("data"), "images")


def job(folder: Path, *overrides: str, method: str = "kernels") -> Job:
    """A step that dissects into `folder`."""
    asked = ["run=mnist", f"method={method}", f"out={folder}", *overrides]
    return Job("dissect", "mnist", compose(asked), Plan(None))


class Counting:
    """The method's measure, on a network of its own, that counts how often it is asked and reads some settings."""

    def __init__(self, data, *reads: str) -> None:
        torch.manual_seed(0)
        self.network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2)).eval()
        self.samples, self.reads, self.times = data.split("test"), reads, 0

    def __call__(self, settings):
        self.times += 1
        for name in self.reads:
            getattr(settings, name)
        return kernels.measure(self.network, self.samples, settings)


def made(job: Job, data, measure: Counting, folder: Path) -> dict[str, bytes]:
    """What the step would write."""
    settings = kernels.Settings(**job.config["dissect"]["kernels"])
    found = measured(job, "kernels", settings, measure, data)
    hang(kernels.show(found, data.split("test"), settings), folder)
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_another_column_is_drawn_of_what_was_measured_and_gives_the_same_bytes(data, tmp_path, capsys):
    measure = Counting(data, "symmetric")
    first = made(job(tmp_path), data, measure, tmp_path / "first")
    assert made(job(tmp_path), data, measure, tmp_path / "again") == first
    narrow = made(job(tmp_path, "dissect.kernels.columns=2"), data, measure, tmp_path / "narrow")
    assert measure.times == 1 and "Nothing is measured" in capsys.readouterr().err
    anew = made(job(tmp_path / "anew", "dissect.kernels.columns=2"), data, measure, tmp_path / "fresh")
    assert measure.times == 2 and narrow == anew != first


@pytest.mark.parametrize(
    "changed",
    ["dissect.kernels.symmetric=false", "seed=1", "training.max_epochs=2", "model.units=50", "threads.dissect=2"],
)
def test_a_setting_that_was_read_another_network_or_other_data_measure_anew(data, tmp_path, changed):
    measure = Counting(data, "symmetric")
    for asked in ([], [changed], [changed]):
        made(job(tmp_path, *asked), data, measure, tmp_path / "made")
    assert measure.times == 2


def damage(file: Path, how: str) -> None:
    content = file.read_bytes()
    changed = bytearray(content)
    changed[-20] ^= 1
    file.write_bytes({"cut": content[:-9], "flipped": bytes(changed), "empty": b"", "other": b"{}\n"}[how])


@pytest.mark.parametrize("how", ["cut", "flipped", "empty", "other"])
def test_a_damaged_record_is_measured_anew_and_the_log_says_so(data, tmp_path, capsys, how):
    measure = Counting(data)
    first = made(job(tmp_path), data, measure, tmp_path / "made")
    damage(next(tmp_path.rglob("*.record")), how)
    assert made(job(tmp_path), data, measure, tmp_path / "made") == first
    assert measure.times == 2 and "measured anew" in capsys.readouterr().err
    made(job(tmp_path), data, measure, tmp_path / "made")
    assert measure.times == 2


def test_what_is_measured_in_a_moment_leaves_no_file(data, tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "WORTH", 60.0)
    made(job(tmp_path), data, Counting(data), tmp_path / "made")
    assert not list(tmp_path.rglob("*.record"))


def test_a_record_that_no_file_can_hold_is_shown_and_not_kept(data, tmp_path, capsys):
    assert measured(job(tmp_path), "kernels", None, lambda settings: os.getcwd)() == os.getcwd()
    assert "not kept" in capsys.readouterr().err and not list(tmp_path.rglob("*.record"))


def test_a_record_comes_back_as_it_was_but_for_its_modules(data):
    layer = Layer("conv", nn.Conv2d(1, 1, 1), (1, 2, 2), None, (), ())
    table = pd.DataFrame([["a", 1, 0.1], ["b", 2, 0.3]], columns=["one", "two", "two"])
    record = Record(np.arange(6).reshape(2, 3).T, torch.eye(2), table, layer, np.float64(0.1), {"a": (1, 2)})
    back = unpacked(packed(record, data), data)
    assert (back.array == record.array).all() and torch.equal(back.tensor, record.tensor)
    pd.testing.assert_frame_equal(back.table, table)
    assert (back.number, back.named, back.layer.name, back.layer.module) == (0.1, {"a": (1, 2)}, "conv", None)


def test_samples_are_not_copied_into_a_record(data, tmp_path_factory):
    content = packed([data.split("test")], data)
    assert len(content) < 200
    (back,) = unpacked(content, data)
    assert back.facts is data.facts and (back.inputs == data.split("test").inputs).all()
    with pytest.raises(NotKept):
        packed([small(tmp_path_factory.mktemp("other"), "images").split("test")], data)


class Bad:
    def __reduce__(self):
        return os.mkdir, ("executed",)


@pytest.mark.parametrize("content", [pickle.dumps(Bad()), b"cos\ngetcwd\n.", pickle.dumps(np.load), pickle.dumps(eval)])
def test_nothing_that_a_record_names_is_executed(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotKept):
        unpacked(content, None)
    assert not list(tmp_path.iterdir())


def test_a_setting_is_no_part_of_the_digest_and_the_code_that_measures_is(monkeypatch):
    def digest(*overrides: str) -> str:
        config = compose(["run=mnist", "method=kernels", *overrides])
        return digest_of_measuring("dissect", "mnist", "kernels", config, method="kernels")

    assert digest() == digest("dissect.kernels.columns=2") != digest("model.units=50")
