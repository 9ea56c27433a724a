"""Weights in files: they come back whole, and what is damaged, foreign or dangerous is refused by name."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from cnnatomy.models import weights
from cnnatomy.models.weights import WeightsError


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 2))


def equal(a: nn.Module, b: nn.Module) -> bool:
    theirs = b.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in a.state_dict().items())


def test_weights_come_back_bit_for_bit(tmp_path):
    trained = network().to(memory_format=torch.channels_last)
    trained(torch.randn(4, 1, 4, 4))  # moves the statistics of the norm
    weights.save(trained, tmp_path / "model.safetensors", {"digest": "abc", "run": "mnist"})
    fresh = network()
    assert not equal(fresh, trained)
    weights.load(fresh, tmp_path / "model.safetensors")
    assert equal(fresh, trained)
    assert weights.metadata(tmp_path / "model.safetensors") == {"digest": "abc", "run": "mnist"}
    assert set(load_file(tmp_path / "model.safetensors")) == set(trained.state_dict()), "other tools read it, too"


@pytest.mark.slow
def test_equal_weights_make_equal_files_in_every_process(tmp_path):
    program = (
        "import sys, torch; from pathlib import Path; from cnnatomy.models import weights;"
        "torch.manual_seed(0); network = torch.nn.Linear(3, 2);"
        "weights.save(network, Path(sys.argv[1]), {name: name for name in 'digest run seed epoch'.split()})"
    )
    files = [tmp_path / f"{i}.safetensors" for i in range(3)]
    for seed, file in enumerate(files):
        environment = os.environ | {"PYTHONHASHSEED": str(seed)}
        subprocess.run([sys.executable, "-c", program, str(file)], check=True, env=environment)
    assert len({file.read_bytes() for file in files}) == 1


def test_a_state_dict_of_torch_is_read(tmp_path):
    trained, fresh = network(), network()
    torch.save(trained.state_dict(), tmp_path / "weights.pth")
    weights.load(fresh, tmp_path / "weights.pth")
    assert equal(fresh, trained)
    weights.load(other := network(), (tmp_path / "weights.pth").read_bytes(), "weights.pth")
    assert equal(other, trained)


def test_keys_that_do_not_fit_are_named(tmp_path):
    class Other(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = nn.Linear(2, 3)

    weights.save(Other(), tmp_path / "other.safetensors", {})
    told = r"it lacks '0\.weight', .* the network has no 'hidden\.bias', 'hidden\.weight'"
    with pytest.raises(WeightsError, match=told):
        weights.load(network(), tmp_path / "other.safetensors")


def test_sizes_that_do_not_fit_are_named(tmp_path):
    weights.save(nn.Sequential(nn.Linear(4, 2)), tmp_path / "small.safetensors", {})
    with pytest.raises(WeightsError, match=r"0\.weight.*\[2, 4\].*\[2, 5\]"):
        weights.load(nn.Sequential(nn.Linear(5, 2)), tmp_path / "small.safetensors")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(tmp_path, value):
    broken = network()
    with torch.no_grad():
        broken[3].weight[1, 5] = value
    with pytest.raises(WeightsError, match=r"1 of 24 weights of '3\.weight'"):
        weights.save(broken, tmp_path / "broken.safetensors", {})
    assert not (tmp_path / "broken.safetensors").exists()
    torch.save(broken.state_dict(), tmp_path / "broken.pth")
    fresh = network()
    before = {name: value.clone() for name, value in fresh.state_dict().items()}
    with pytest.raises(WeightsError, match="broken.pth: 1 of 24 weights"):
        weights.load(fresh, tmp_path / "broken.pth")
    assert all(torch.equal(before[name], value) for name, value in fresh.state_dict().items())


class Dangerous:
    def __init__(self, mark: str) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (self.mark,)


def test_a_pickle_that_tries_more_than_tensors_is_refused(tmp_path):
    mark = tmp_path / "was here"
    torch.save({"0.weight": Dangerous(str(mark))}, tmp_path / "bad.pth")
    (tmp_path / "worse.pth").write_bytes(pickle.dumps(Dangerous(str(mark)), protocol=2))
    for name in ("bad.pth", "worse.pth"):
        with pytest.raises(WeightsError, match=name):
            weights.load(network(), tmp_path / name)
    assert not mark.exists()


def test_what_is_no_state_dict_is_refused(tmp_path):
    torch.save({"epoch": 3, "state_dict": network().state_dict()}, tmp_path / "checkpoint.pth")
    with pytest.raises(WeightsError, match="no state dict"):
        weights.load(network(), tmp_path / "checkpoint.pth")


@pytest.mark.parametrize("name", ["model.safetensors", "model.pth"])
def test_a_damaged_file_is_refused(tmp_path, name):
    file = tmp_path / name
    if file.suffix == ".pth":
        torch.save(network().state_dict(), file)
    else:
        weights.save(network(), file, {"digest": "abc"})
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(WeightsError, match=name):
        weights.load(network(), file)
    file.write_bytes(b"<!DOCTYPE html>")
    with pytest.raises(WeightsError, match=name):
        weights.load(network(), file)
    with pytest.raises(WeightsError, match=name):
        weights.metadata(file)
    with pytest.raises(WeightsError, match="missing"):
        weights.load(network(), tmp_path / "missing")
