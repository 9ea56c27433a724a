"""A network as an ONNX file: answered by another program as by torch, and refused in a sentence where that can't be."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from torch import nn

from cnnatomy.models import answering, exporting
from cnnatomy.models.errors import NetworkError
from cnnatomy.models.lecture import Lecture

ONNX = [pytest.importorskip(name, reason="files of ONNX are of the extra `export`") for name in exporting.PACKAGES]


class Tokens(nn.Module):
    """Words in, a softmax in a dictionary out; a way through it that depends on how many there are."""

    def __init__(self) -> None:
        super().__init__()
        self.vectors = nn.Embedding(40, 8)
        self.conv = nn.Conv1d(8, 6, 3)
        self.dense = nn.Linear(6, 3)

    def forward(self, x):
        found = self.conv(self.vectors(x).transpose(1, 2)).relu().amax(2)
        return {"odds": self.dense(found).softmax(1)}


def answers(file, x: torch.Tensor) -> np.ndarray:
    session = ONNX[2].InferenceSession(str(file), providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_inputs()] == ["input"]
    return session.run(["logits"], {"input": x.numpy()})[0]


def test_a_file_answers_as_torch_does_however_many_samples_it_gets(tmp_path):
    torch.manual_seed(0)
    network = Lecture(shape=(1, 28, 28), classes=10, filters=[5, 7], units=20, dropout=0.5).eval()
    samples = torch.randn(1000, 1, 28, 28)
    apart = exporting.export(network, samples, {"run": "mnist"}, tmp_path / "network.onnx")
    assert 0 <= apart < 1e-5
    with torch.no_grad():
        for many in (1, 3, 1000):
            ours = network(samples[:many]).numpy()
            theirs = answers(tmp_path / "network.onnx", samples[:many])
            np.testing.assert_allclose(ours, theirs, atol=1e-5 * np.ptp(ours))
    model = ONNX[0].load(tmp_path / "network.onnx")
    assert [(one.key, one.value) for one in model.metadata_props] == [("run", "mnist")]
    assert b"site-packages" not in (tmp_path / "network.onnx").read_bytes(), "it names places of this machine"
    assert [file.name for file in tmp_path.iterdir()] == ["network.onnx"], "its weights lie in it"


def test_what_it_gives_are_logits_whatever_the_network_gives(tmp_path):
    torch.manual_seed(0)
    network, words = Tokens().eval(), torch.randint(0, 40, (12, 9))
    odds = network(words)["odds"].detach().numpy()
    answering.read(network, words, 3)
    exporting.export(network, words, {}, tmp_path / "network.onnx")
    logits = answers(tmp_path / "network.onnx", words)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(shares, odds, atol=1e-6)


class Odd(nn.Module):
    def __init__(self, work) -> None:
        super().__init__()
        self.dense, self.work = nn.Linear(4, 4), work

    def forward(self, x):
        return self.work(self.dense(x))


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (
            lambda x: torch.linalg.matrix_exp(x.reshape(-1, 2, 2)).flatten(1),
            "it has nothing for aten.linalg_matrix_exp",
        ),
        (lambda x: x if float(x.detach().sum()) > 0 else -x, "the network can't be written as ONNX: "),
    ],
    ids=["an operation that ONNX lacks", "a way that depends on the values"],
)
def test_what_stands_in_the_way_is_said(tmp_path, work, said):
    with pytest.raises(NetworkError, match=re.escape(said)) as refused:
        exporting.export(Odd(work).eval(), torch.randn(6, 4), {}, tmp_path / "network.onnx")
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 300
    assert not list(tmp_path.iterdir())


def test_a_file_that_answers_otherwise_is_not_kept(tmp_path, monkeypatch):
    network, other = (nn.Sequential(nn.Flatten(), nn.Linear(6, 3)).eval() for _ in range(2))
    written = exporting._written  # an exporter that gets something wrong comes to the same as one that gets another
    monkeypatch.setattr(exporting, "_written", lambda _, samples: written(other, samples))
    with pytest.raises(NetworkError, match="answers otherwise than in torch: logits are up to .* of their range apart"):
        exporting.export(network, torch.randn(20, 2, 3), {}, tmp_path / "network.onnx")
    assert not list(tmp_path.iterdir())


def test_a_network_that_wants_to_know_how_many_samples_there_are_is_refused(tmp_path):
    network = Odd(lambda x: x * 2 if len(x) == 2 else x).eval()
    with pytest.raises(NetworkError, match="answers batches of 2 only"):
        exporting.export(network, torch.randn(6, 4), {}, tmp_path / "network.onnx")
    assert not list(tmp_path.iterdir())


def test_packages_that_are_lacking_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "find_spec", lambda name: None if name == "onnxscript" else object())
    with pytest.raises(NetworkError, match=re.escape("wants onnxscript: pip install 'cnnatomy[export]'")):
        exporting.export(nn.Linear(2, 2), torch.zeros(1, 2), {}, tmp_path / "network.onnx")
