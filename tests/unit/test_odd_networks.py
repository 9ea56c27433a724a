"""Networks as people write them, by every method: an exhibit, or one that says why there is none; never an error."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from cnnatomy import models
from cnnatomy.evaluation.predictions import predict
from tests.unit.dissecting import LITTLE, LITTLE_INSIDE, METHODS, dissected
from tests.unit.small_data import hang, small

HERE = "tests.unit.odd_networks"
IMAGES: dict[str, dict[str, Any]] = {
    name: {"_target_": f"{HERE}.{name}"}
    for name in (
        "Flat", "Perceptron", "Again", "Twice", "Views", "Named", "LSTMFirst", "Attending", "Beside", "Aux", "Mapped",
        "Pair", "Attributed", "Dataclassed", "Hooked", "Normed", "OldNormed", "Lazy", "Half", "Fixed", "Alex",
        "Residual", "Mobile", "Changing", "Parallel", "Upsampling", "Deep3d", "Keywords", "Listed", "Cut", "ByNumpy",
        "Overwritten", "Fourier", "OwnFunction", "Standardised", "Patched", "ByWeights", "Watched",
        "Quarters", "OneByOne", "Locked", "Autocast", "Energy",
    )
} | {end: {"_target_": f"{HERE}.Ending", "end": end} for end in ("softmax", "log_softmax", "sigmoid")}  # fmt: skip
TEXTS: dict[str, dict[str, Any]] = {
    "mean_of_words": {
        "_target_": "cnnatomy.models.mean_of_words.MeanOfWords",
        "dimensions": 4,
        "dropout": 0.0,
        "start": "random",
    }
} | {name: {"_target_": f"{HERE}.{name}"} for name in ("Dilated", "Read", "Recurrent", "Encoder", "Bag", "Masked")}
SOUNDS = {f"{name} of sounds": IMAGES[name] for name in ("Flat", "Again", "LSTMFirst", "Attending", "Lazy")}
SIGNALS: dict[str, dict[str, Any]] = {name: {"_target_": f"{HERE}.{name}"} for name in ("Across", "Beats")}
KINDS = dict.fromkeys(IMAGES, "images") | dict.fromkeys(TEXTS, "texts") | dict.fromkeys(SOUNDS, "sounds")
KINDS |= dict.fromkeys(SIGNALS, "signals")
#: Looked at always; the others with the slow tests.
FIRST = (
    "Flat",
    "Again",
    "Named",
    "LSTMFirst",
    "Lazy",
    "Mapped",
    "softmax",
    "Read",
    "Encoder",
    "Changing",
    "Cut",
    "Quarters",
)
#: Little of everything that only takes time.
MOST = {**LITTLE, "samples": 6, "compared": 4, "tested": 4, "ranked": 6, "curve": 6, "search": 6,
        "work": 1e8, "right": 1, "wrong": 1}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return {kind: small(tmp_path_factory.mktemp(kind), kind) for kind in ("images", "sounds", "texts", "signals")}


@pytest.mark.parametrize(
    "name", [name if name in FIRST else pytest.param(name, marks=pytest.mark.slow) for name in KINDS]
)
@pytest.mark.parametrize("method", METHODS)
def test_it_opens_up_or_says_why_not(name, method, data, tmp_path, monkeypatch):
    for inside, little in LITTLE_INSIDE.items():
        monkeypatch.setattr(inside, little, raising=False)
    kind = KINDS[name]
    networks = [
        models.build((IMAGES | TEXTS | SOUNDS | SIGNALS)[name], data[kind].facts, seed).eval() for seed in range(2)
    ]
    before = {key: value.clone() for key, value in networks[0].state_dict().items()}
    state = torch.random.get_rng_state()
    written = hang(dissected(method, networks, data[kind], MOST), tmp_path / "exhibit")
    if written["numbers"] and written["numbers"][0]["metric"] == "applies":
        assert set(written["caption"]) == {"en", "zh"}, "said in one language only"
    assert torch.equal(torch.random.get_rng_state(), state), "it drew from the global generator"
    after = networks[0].state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items()), "it changed the network"


@pytest.mark.parametrize("name", ["Autocast", "Energy"])
@pytest.mark.parametrize("method", ["structure", "feature_maps", "top_patches", "class_activation", "attribution"])
def test_what_forward_does_by_itself_takes_no_method_away(name, method, data, tmp_path):
    network = models.build(IMAGES[name], data["images"].facts, 0).eval()
    written = hang(dissected(method, [network, network], data["images"], MOST), tmp_path / "exhibit")
    assert not written["numbers"] or written["numbers"][0]["metric"] != "applies", written["caption"]["en"]
    assert predict(network, data["images"].split("test"))["confidence"].notna().all()
