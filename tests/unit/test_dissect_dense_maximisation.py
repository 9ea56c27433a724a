"""Dense maximisation: hidden layers only, exact on a linear network, and what a shift costs a dense unit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnnatomy.dissect.feature_visualisation.regularisers import box
from cnnatomy.exhibit import Figure
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection.layers import LayerNotFound
from cnnatomy.models.frequency import Frequency
from tests.unit.dissecting import shown
from tests.unit.small_data import hang, small
from tests.unit.test_dissect_configuration import shipped

CONFIG = shipped("dense_maximisation") | {"steps": 48}


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(100, 7), nn.ReLU(), nn.Linear(7, 3)
    ).eval()


def opened(net, data, **changes):
    return shown("dense_maximisation", net, data.split("test"), CONFIG | changes, training=data.split("train"), seed=0)


def of(exhibit, metric):
    return {number.subject: number.value for number in exhibit.numbers if number.metric == metric}


def test_every_hidden_unit_and_no_class(tmp_path):
    exhibit = opened(network(), small(tmp_path, "images"))
    assert of(exhibit, "units") == {"layer=4": 7}
    assert sum(subject.startswith("layer=4;unit=") for subject in of(exhibit, "plain_position")) == 7
    assert of(exhibit, "beats_best_real")[""] == 1
    hang(exhibit, tmp_path / "exhibit")


def test_a_unit_on_the_pixels_themselves_reaches_its_exact_optimum(tmp_path):
    torch.manual_seed(0)
    data = small(tmp_path, "images")
    net = nn.Sequential(nn.Flatten(), nn.Linear(144, 5), nn.ReLU(), nn.Linear(5, 3)).eval()
    exhibit = opened(net, data)
    limits = box(data.split("test"))
    weights = net[1].weight.detach()
    best = (weights.clamp_min(0) * limits.high.item() + weights.clamp_max(0) * limits.low.item()).sum(1) + net[1].bias
    found = [of(exhibit, "plain_position")[f"layer=1;unit={unit}"] for unit in range(5)]
    assert found == pytest.approx(best.tolist(), rel=1e-3)
    assert "kept_by_filters" not in {number.metric for number in exhibit.numbers}


def test_a_shift_costs_a_dense_unit_more_than_a_filter(tmp_path):
    exhibit = opened(network(), small(tmp_path, "images"))
    assert of(exhibit, "kept_by_dense")[""] < of(exhibit, "kept_by_filters")[""]
    figure = next(block for block in exhibit.blocks if isinstance(block, Figure))
    table = figure.data
    assert (table[table["shift"] == 0]["mean"] == 1).all()


def test_a_dense_layer_that_has_the_same_weight_everywhere_keeps_everything(tmp_path):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(144, 2), nn.ReLU(), nn.Linear(2, 3)).eval()
    with torch.no_grad():
        net[1].weight.fill_(0.1)
    assert of(opened(net, small(tmp_path, "images")), "kept_by_dense")[""] == pytest.approx(1, abs=1e-3)


def test_rescued_and_dead_units(tmp_path):
    net = network()
    with torch.no_grad():
        net[4].bias[0], net[4].bias[1] = -1000.0, -5.0
    exhibit = opened(net, small(tmp_path, "images"))
    grid = next(block for block in exhibit.blocks if block.name == "units-4")
    assert grid.items[0].state == "dead" and grid.items[2].state == "live"
    assert np.isfinite([number.value for number in exhibit.numbers]).all()


def test_where_there_is_no_hidden_dense_layer_it_says_so(tmp_path):
    with pytest.raises(DoesNotApply, match="no dense layer but the last"):
        opened(Frequency((1, 16, 10), 3, (4, 5), (3, 2), 0.0), small(tmp_path, "sounds"))
    with pytest.raises(DoesNotApply, match="words"):
        opened(network(), small(tmp_path, "texts"))


def test_bad_settings_are_refused(tmp_path):
    data = small(tmp_path, "images")
    with pytest.raises(LayerNotFound, match="no layer 'dens'"):
        opened(network(), data, layers=["dens"])
    with pytest.raises(LayerNotFound, match="'0' is not a dense layer of units; there are: 4, 6"):
        opened(network(), data, layers=["0"])
    with pytest.raises(ValueError, match=r"units: \[7\] are not all units of '4', which has 7"):
        opened(network(), data, units=[7])


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    data = small(tmp_path, "images")
    for name in ("one", "two"):
        hang(opened(network(), data, steps=6), tmp_path / name)
    files = [
        {file.name: file.read_bytes() for file in (tmp_path / name).iterdir() if file.is_file()}
        for name in ("one", "two")
    ]
    assert files[0] == files[1]
