"""A network's code builds the network: run where nothing of ours is known, it has the same shapes and answers."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from cnnatomy.inspection.listing import listing, run
from cnnatomy.models.article import Article
from cnnatomy.models.board import Board
from cnnatomy.models.frequency import Frequency
from cnnatomy.models.frequency_lstm import FrequencyLSTM
from cnnatomy.models.lecture import Lecture
from cnnatomy.models.photograph import EfficientNetLite0
from cnnatomy.models.sentence import Sentence
from cnnatomy.models.signal import Signal

OWN = {
    "lecture": (lambda: Lecture((1, 28, 28), 10, (25, 50), 100, 0.25), torch.rand(2, 1, 28, 28)),
    "article": (
        lambda: Article((1, 28, 28), 10, (4, 4), (9, 8), "linear", "sigmoid", "average"),
        torch.rand(2, 1, 28, 28),
    ),
    "frequency": (lambda: Frequency((1, 40, 44), 10, (32, 64), (8, 5), 0.3), torch.rand(2, 1, 40, 44)),
    "lstm": (lambda: FrequencyLSTM((1, 40, 44), 5, (8, 8), (8, 5), 8, (2, 2), 16, 0.3), torch.rand(2, 1, 40, 44)),
    "signal": (lambda: Signal((2, 24), 3, (4, 5), (5, 3), 2), torch.rand(2, 2, 24)),
    "sentence": (lambda: Sentence(30, 2, 8, (1, 2, 3), 5, 0.5), torch.randint(1, 30, (2, 9))),
    "both pools": (lambda: Sentence(30, 2, 8, (2,), 5, 0.5, pooling=["max", "mean"]), torch.randint(1, 30, (2, 9))),
    "board": (lambda: Board((3, 9, 9), 81, 8, 3, [2], "point"), torch.rand(2, 3, 9, 9)),
    "photograph": (lambda: EfficientNetLite0(10, 0.2), torch.rand(2, 3, 64, 64)),
}


@pytest.mark.parametrize("name", OWN)
def test_the_code_of_each_of_our_networks_runs_and_answers_the_same(name):
    build, x = OWN[name]
    torch.manual_seed(0)
    network = build().eval()
    found = listing(network, x)
    assert found.runs and found.difference == 0 and "cnnatomy" not in found.code
    other = run(found.code).eval()
    assert {key: value.shape for key, value in other.state_dict().items()} == {
        key: value.shape for key, value in network.state_dict().items()
    }
    other.load_state_dict(network.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(other(x), network(x), rtol=0, atol=0)


def test_the_code_needs_nothing_but_torch(tmp_path):
    build, x = OWN["sentence"]
    (tmp_path / "network.py").write_text(listing(build(), x).code, encoding="utf-8")
    subprocess.run([sys.executable, "-I", "-W", "ignore", tmp_path / "network.py"], check=True, cwd=tmp_path)


def test_arguments_that_are_as_usual_are_left_out():
    network = nn.Sequential(
        nn.Conv2d(1, 2, (3, 3), stride=(1, 2)), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(26, 2, bias=False)
    )
    code = listing(network, torch.rand(1, 1, 4, 56)).code
    for layer in (
        "nn.Conv2d(1, 2, 3, stride=(1, 2))",
        "nn.MaxPool2d(2)",
        "nn.Flatten()",
        "nn.Linear(26, 2, bias=False)",
    ):
        assert layer in code


class Changed(nn.Module):
    """Computes with what its code can't be told: a tensor that is no parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(4, 2)
        self.scale = torch.tensor([2.0, 3.0])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dense(x) * self.scale


class Tied(nn.Sequential):
    """Two layers with the same weights."""

    def __init__(self) -> None:
        first, second = nn.Linear(4, 4), nn.Linear(4, 4)
        second.weight = first.weight
        super().__init__(first, second)


@pytest.mark.parametrize("build", [Changed, Tied])
def test_what_cannot_be_written_is_printed(build):
    network = build()
    found = listing(network, torch.rand(2, 4))
    assert not found.runs and found.code == repr(network)


def test_a_listing_leaves_the_network_and_chance_as_they_were():
    network, x = OWN["lecture"][0]().train(), OWN["lecture"][1]
    before = {key: value.clone() for key, value in network.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    listing(network, x)
    assert torch.equal(torch.rand(3), expected) and network.training
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
