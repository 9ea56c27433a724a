"""A network in a notebook: what is shown is what the workflow shows, and nothing of the reader's is touched."""

from __future__ import annotations

import gc
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

import cnnatomy
from cnnatomy import open_up
from cnnatomy.config.errors import ConfigurationError
from cnnatomy.data.batches import to_tensor
from cnnatomy.data.errors import DataError
from cnnatomy.models.sentence import Sentence
from cnnatomy.models.signal import Signal
from tests.unit.dissecting import shown
from tests.unit.small_data import VOCABULARY, small


def picture_network(channels: int = 1, side: int = 12) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(channels, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * ((side - 2) // 2) ** 2, 3)
    )


def pictures(n: int = 30) -> tuple[torch.Tensor, torch.Tensor]:
    chance = torch.Generator().manual_seed(1)
    return torch.rand(n, 1, 12, 12, generator=chance) * 3 - 1, torch.arange(n) % 3


def test_each_kind_is_opened_up_and_shows_itself(tmp_path):
    torch.manual_seed(0)
    words = np.random.default_rng(0).integers(2, len(VOCABULARY), (24, 9))
    given = {
        "images": (picture_network(), *pictures(), {}),
        "signals": (Signal((2, 24), 3, [8, 8], [5, 5], 2), torch.randn(30, 2, 24), torch.arange(30) % 3, {}),
        "texts": (
            Sentence(len(VOCABULARY), 2, 8, [1, 2], 4, 0.0, "random", ["max"]),
            words,
            np.arange(24) % 2,
            {"vocabulary": VOCABULARY},
        ),
    }
    for kind, (network, x, y, more) in given.items():
        train = (x, y)
        found = open_up(network, x, y, train=train, **more)
        assert "evaluation" in found and "structure" in found, kind
        accuracy = found["evaluation"].numbers.set_index("metric")["value"]["test_accuracy"]
        with torch.no_grad():
            said = network.eval()(torch.as_tensor(np.asarray(x))).argmax(1).numpy()
        assert accuracy == pytest.approx((said == np.asarray(y)).mean()), kind
        page = found["structure"]._repr_html_()
        assert page.startswith("<iframe srcdoc=") and "&lt;svg" in page
        assert set(found.numbers["method"]) == set(found)
    saved = found.save(tmp_path / "page")
    assert saved.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (tmp_path / "page/results.csv").is_file()


def test_an_exhibit_is_there_for_as_long_as_it_is_held():
    shown = open_up(picture_network(), *pictures(), methods=["structure"])["structure"]
    gc.collect()
    assert len(shown.numbers) and shown._repr_html_().startswith("<iframe")
    assert "TemporaryDirectory" not in repr(shown)


def test_its_numbers_are_those_of_the_workflow(tmp_path):
    data = small(tmp_path, "signals")
    torch.manual_seed(0)
    network = Signal((2, 24), 3, [8, 8], [5, 5], 2).eval()
    test, train = data.split("test"), data.split("train")
    given = [(to_tensor(data.facts, part.inputs), part.labels) for part in (test, train)]
    found = open_up(network, *given[0], train=given[1], rate=100, methods=["kernels", "filter_ablation"])
    for method in found:
        from cnnatomy.config.compose import compose

        settings = compose(["run=mnist"])["dissect"][method]
        theirs = shown(method, network, test, settings, training=train, others=[], seed=0).numbers
        ours = found[method].numbers
        assert ours["metric"].tolist() == [number.metric for number in theirs]
        # Signals are kept in single precision here, and normalised again there.
        assert ours["value"].to_numpy() == pytest.approx(
            [one.describe()["value"] for one in theirs], rel=1e-3, abs=1e-3
        )


def test_the_network_stays_as_it_was_and_gets_what_it_was_given():
    """In training mode, with its own hooks; images within half of one of 255 steps, bytes exactly."""
    seen: list[torch.Tensor] = []

    class Watching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inside = picture_network()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x.detach().clone())
            return self.inside(x)

    network = Watching().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    x, y = pictures()
    open_up(network, x, y, methods=["evaluation"])
    assert network.training and not network._forward_hooks
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    step = float(x.max() - x.min()) / 255
    assert (torch.cat(seen[-1:])[: len(x)] - x).abs().max() <= step / 2 + 1e-5
    seen.clear()
    bytes_ = (x * 50 + 60).to(torch.uint8)
    open_up(network, bytes_, y, methods=["evaluation"])
    assert torch.allclose(seen[-1], bytes_.float(), atol=1e-3)


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        ({"methods": ["kernel"]}, ConfigurationError, "'kernel'. Did you mean 'kernels'"),
        ({"settings": {"kernels": {"column": 3}}}, ConfigurationError, "no 'column'"),
    ],
)
def test_what_there_is_not_is_named(more, error, said):
    with pytest.raises(error, match=said.replace("'", ".")):
        open_up(picture_network(), *pictures(), **more)


def test_arrays_of_no_kind_are_refused():
    with pytest.raises(DataError, match="Give images as"):
        open_up(picture_network(), torch.rand(5), torch.zeros(5))
    with pytest.raises(DataError, match="vocabulary="):
        open_up(picture_network(), torch.zeros(5, 7, dtype=torch.long), torch.zeros(5))


def test_the_name_alone_imports_no_torch():
    code = (
        "import sys, cnnatomy; assert 'torch' not in sys.modules; cnnatomy.open_up; assert callable(cnnatomy.open_up)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError):
        _ = cnnatomy.nothing
