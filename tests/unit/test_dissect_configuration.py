"""The configuration as it is shipped runs every dissection on every kind of data."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from torch import nn

from cnnatomy.evaluation import predict
from cnnatomy.models.frequency import Frequency
from cnnatomy.models.sentence import Sentence
from cnnatomy.models.signal import Signal
from tests.unit.dissecting import evaluated, given, shown
from tests.unit.small_data import hang, small

CONF = Path(__file__).resolve().parents[2] / "conf" / "dissect"


def shipped(method: str) -> dict:
    return OmegaConf.to_container(OmegaConf.load(CONF / f"{method}.yaml"))


def network_for(kind: str) -> nn.Module:
    torch.manual_seed(0)
    if kind == "sounds":
        return Frequency((1, 16, 10), 3, (4, 5), (3, 2), 0.0)
    if kind == "signals":
        return Signal((2, 24), 3, (4, 5), (5, 3), 2)
    if kind == "texts":
        return Sentence(vocabulary=8, classes=2, dimensions=4, widths=(1, 3), filters=5, dropout=0.0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(320, 3))


@pytest.mark.parametrize("kind", ["images", "sounds", "texts", "signals"])
def test_every_method_runs_as_shipped(tmp_path, kind):
    data, network = small(tmp_path, kind), network_for(kind)
    test = data.split("test")
    made = {
        "samples": given(data, shipped("samples")),
        "evaluation": evaluated(predict(network, test), None, test, shipped("evaluation")),
        "kernels": shown("kernels", network, test, shipped("kernels")),
        "feature_maps": shown("feature_maps", network, test, shipped("feature_maps")),
    }
    for method, exhibit in made.items():
        written = hang(exhibit, tmp_path / method)
        assert written["numbers"] and written["blocks"] and set(written["caption"]) == {"en", "zh"}


def test_every_method_runs_on_unlabelled_photographs_in_colour(tmp_path):
    """Three channels, no labels, two samples: as the ImageNet network's photographs are."""
    import numpy as np
    import pandas as pd

    from cnnatomy.data import prepared
    from cnnatomy.data.prepared import Axis, Facts, Normalise

    axes = [Axis("row", "px", list(range(20))), Axis("column", "px", list(range(20)))]
    classes = [f"class {i}" for i in range(1000)]
    facts = Facts("photos", "images", classes, (3, 20, 20), axes, Normalise([0.5] * 3, [0.5] * 3), "", "", "", "")
    table = pd.DataFrame({"split": "test", "label": -1, "id": ["test/china", "test/flower"]})
    inputs = np.random.default_rng(0).integers(0, 255, (2, 3, 20, 20)).astype(np.uint8)
    prepared.write(tmp_path / "photos", facts, inputs, table)
    data = prepared.load(tmp_path / "photos")
    network = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU6(), nn.Flatten(), nn.Linear(324, 1000))
    test = data.split("test")
    hang(given(data, shipped("samples")), tmp_path / "samples")
    hang(evaluated(predict(network, test), None, test, shipped("evaluation")), tmp_path / "evaluation")
    written = hang(shown("kernels", network, test, shipped("kernels")), tmp_path / "kernels")
    assert "a colour is what the filter looks for" in written["blocks"][0]["caption"]["en"]
    hang(shown("feature_maps", network, test, shipped("feature_maps")), tmp_path / "feature_maps")
