"""Filter maximisation: exact where it can be checked, live, rescued and dead told apart, on any network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnnatomy.dissect.feature_visualisation.regularisers import box
from cnnatomy.exhibit import Grid
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection.layers import LayerNotFound
from cnnatomy.models.frequency import Frequency
from tests.unit.dissecting import shown
from tests.unit.small_data import hang, small
from tests.unit.test_dissect_configuration import shipped

CONFIG = shipped("filter_maximisation") | {"steps": 48, "starts": 2}


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(54, 3)
    ).eval()


def opened(net, data, **changes):
    return shown("filter_maximisation", net, data.split("test"), CONFIG | changes, training=data.split("train"), seed=0)


def of(exhibit, metric, subject=""):
    return {
        number.subject: number.value
        for number in exhibit.numbers
        if number.metric == metric and subject in number.subject
    }


def test_one_position_of_the_first_layer_reaches_its_exact_optimum(tmp_path):
    data, net = small(tmp_path, "images"), network()
    exhibit = opened(net, data)
    limits = box(data.split("test"))
    low, high = float(limits.low), float(limits.high)
    weights, bias = net[0].weight.detach().double().numpy(), net[0].bias.detach().double().numpy()
    optimum = (np.maximum(weights, 0) * high + np.minimum(weights, 0) * low).sum((1, 2, 3)) + bias
    for unit, best in enumerate(optimum):
        subject = f"layer=0;filter={unit}"
        assert of(exhibit, "optimum")[subject] == pytest.approx(best, rel=1e-3)
        assert of(exhibit, "plain_position")[subject] == pytest.approx(best, rel=1e-3)
        assert of(exhibit, "share_of_optimum")[subject] >= 0.99
    assert of(exhibit, "least_share_of_optimum")[""] >= 0.99
    assert not of(exhibit, "optimum", "layer=3")  # behind a ReLU nobody knows
    written = hang(exhibit, tmp_path / "exhibit")
    assert len([block for block in written["blocks"] if block["type"] == "grid"]) == 4


def test_batch_normalisation_is_part_of_the_value_and_of_the_optimum(tmp_path):
    data = small(tmp_path, "sounds")
    torch.manual_seed(0)
    net = Frequency((1, 16, 10), 3, (4, 5), (3, 2), 0.0).eval()
    for norm in (net.norm1, net.norm2):
        nn.init.uniform_(norm.running_mean, -1, 1)
        nn.init.uniform_(norm.running_var, 0.5, 2)
        nn.init.uniform_(norm.weight, -1, 1)
    exhibit = opened(net, data)
    limits = box(data.split("test"))
    scale = net.norm1.weight / (net.norm1.running_var + net.norm1.eps).sqrt()
    weights = (net.conv1.weight * scale[:, None, None, None]).detach()
    shift = (net.norm1.bias - net.norm1.running_mean * scale).detach()
    optimum = (weights.clamp_min(0) * limits.high + weights.clamp_max(0) * limits.low).sum((1, 2, 3)) + shift
    for unit in range(4):
        assert of(exhibit, "optimum")[f"layer=conv1;filter={unit}"] == pytest.approx(float(optimum[unit]), rel=1e-3)
    assert of(exhibit, "least_share_of_optimum")[""] >= 0.99
    hang(exhibit, tmp_path / "exhibit")


def test_made_inputs_beat_real_ones_and_values_are_those_of_the_network(tmp_path):
    data, net = small(tmp_path, "images"), network()
    exhibit = opened(net, data)
    assert of(exhibit, "beats_best_real_position")[""] == 1
    assert of(exhibit, "beats_best_real_map")[""] >= 0.9
    x = torch.from_numpy(np.asarray(data.split("test").inputs)).float() / 255
    sums = net[:2]((x - 0.2) / 0.3).flatten(2).sum(2).max(0).values
    for unit in range(4):
        assert of(exhibit, "real_map")[f"layer=0;filter={unit}"] == pytest.approx(float(sums[unit]), rel=1e-3)


def test_a_real_input_that_is_the_optimum_is_reached_and_not_beaten(tmp_path):
    """The data have rows that are as bright as can be: for a filter that asks for just that nothing is better."""
    data = small(tmp_path, "images")
    net = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU()).eval()
    with torch.no_grad():
        net[0].weight.zero_()
        net[0].bias.zero_()
        net[0].weight[0, 0, 1] = 1
    exhibit = opened(net, data)
    assert of(exhibit, "beats_best_real_position")[""] == 0
    assert of(exhibit, "reaches_best_real_position")[""] == 1
    grid = next(block for block in exhibit.blocks if block.name == "position-0")
    assert "Plain beats the best real input for 0 of 1 live ones and does as well for 1." in grid.caption["en"]


def test_live_rescued_and_dead_are_told_apart(tmp_path):
    data, net = small(tmp_path, "images"), network()
    with torch.no_grad():
        net[0].bias[0] = -1000.0  # nothing can make it fire
        net[0].weight[1], net[0].bias[1] = 0.1, -2.2  # only nine white pixels can; data have a row of them
        net[0].weight[2], net[0].bias[2] = 0.1, 1.0
    exhibit = opened(net, data, layers=["0"])
    states = {item.id: item.state for block in exhibit.blocks if isinstance(block, Grid) for item in block.items}
    assert [states[f"0/{unit} position"] for unit in (0, 1, 2)] == ["dead", "rescued", "live"]
    assert (of(exhibit, "dead")[""], of(exhibit, "rescued")[""]) == (1, 1)
    assert of(exhibit, "fires", "layer=0")["layer=0;filter=1"] == 0
    assert "layer=0;filter=0" not in of(exhibit, "share_of_optimum")  # an optimum below zero has no share


def test_little_ink_means_no_more_than_the_best_real_input_has(tmp_path):
    """The pixels drawn say so too: such an input is no brighter than the best real one."""
    data = small(tmp_path, "images")
    exhibit = opened(network(), data, layers=["3"])
    grid = next(block for block in exhibit.blocks if block.name == "map-3")
    background = float(np.median(np.asarray(data.split("test").inputs)))
    for item in grid.items:
        little, _, real = (np.abs(picture.astype(float) - background).mean() for picture in item.more)
        assert little <= real + 6  # levels of grey drawn are ten apart
        assert {picture.shape for picture in (item.pixels, *item.more)} == {(12, 12)}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    data, net = small(tmp_path, "images"), network()
    config = CONFIG | {"steps": 8}
    made = [
        shown("filter_maximisation", net, data.split("test"), config, training=data.split("train"), seed=seed)
        for seed in (0, 0, 1)
    ]
    for place, exhibit in enumerate(made):
        torch.rand(3)  # global state is none of its business
        hang(exhibit, tmp_path / str(place))
    files = [
        {file.name: file.read_bytes() for file in (tmp_path / str(place)).iterdir() if file.is_file()}
        for place in range(3)
    ]
    assert files[0] == files[1] != files[2]


def test_global_randomness_is_left_alone(tmp_path):
    data = small(tmp_path, "images")
    torch.manual_seed(5)
    expected = torch.rand(1)
    net = network()
    torch.manual_seed(5)
    opened(net, data, steps=2, layers=["0"])
    assert torch.equal(torch.rand(1), expected)


class Odd(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(1, 4, (2, 4), stride=(1, 2), padding=(1, 2))
        self.two = nn.Conv2d(4, 6, 3, padding=2, dilation=2, groups=2)
        self.relu = nn.ReLU(inplace=True)
        self.dense = nn.Linear(6, 3)

    def forward(self, x):
        x = self.relu(self.one(x))
        return self.dense(torch.relu(self.two(x)).mean((2, 3)))


@pytest.mark.parametrize("kind", ["images", "sounds"])
def test_it_runs_on_strides_dilations_groups_even_kernels_and_functional_calls(tmp_path, kind):
    torch.manual_seed(0)
    exhibit = opened(Odd().eval(), small(tmp_path, kind), steps=8)
    assert of(exhibit, "filters") == {"layer=one": 4, "layer=two": 6}
    hang(exhibit, tmp_path / "exhibit")


def test_a_convolution_along_one_axis_of_a_sound(tmp_path):
    class Along(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.relu, self.dense = nn.Conv1d(16, 5, 3), nn.ReLU(), nn.Linear(5, 3)

        def forward(self, x):
            return self.dense(self.relu(self.conv(x.squeeze(1))).amax(2))

    torch.manual_seed(0)
    exhibit = opened(Along().eval(), small(tmp_path, "sounds"))
    assert of(exhibit, "least_share_of_optimum")[""] >= 0.99
    hang(exhibit, tmp_path / "exhibit")


def test_too_much_work_is_cut_down_and_said(tmp_path):
    exhibit = opened(network(), small(tmp_path, "images"), work=2e6)
    assert of(exhibit, "looked_at")["layer=3"] < of(exhibit, "filters")["layer=3"]
    assert (of(exhibit, "starts")["layer=3"], of(exhibit, "steps")["layer=3"]) == (1, 24)
    grid = next(block for block in exhibit.blocks if block.name == "map-3")
    assert f"1 of {of(exhibit, 'filters')['layer=3']:g} filters were looked at" in grid.caption["en"]


def test_large_images_are_looked_at_through_windows(tmp_path):
    data = small(tmp_path, "images")
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)).eval()
    exhibit = opened(net, data, side=8)
    grid = next(block for block in exhibit.blocks if block.name == "map-0")
    assert grid.items[0].pixels.shape == (8, 8) and "windows of 8 × 8" in exhibit.caption["en"]
    grid = next(block for block in opened(network(), data, side=8).blocks if block.name == "map-0")
    assert grid.items[0].pixels.shape == (12, 12)  # a network that takes one size only


def test_what_cannot_be_done_is_said_first(tmp_path):
    data = small(tmp_path, "images")
    with pytest.raises(DoesNotApply, match="words can't be changed"):
        opened(network(), small(tmp_path, "texts"))
    with pytest.raises(LayerNotFound, match="no layer '33'"):
        opened(network(), data, layers=["33"])
    with pytest.raises(LayerNotFound, match="'6' is no convolution, so it has no filters. There are: 0, 3"):
        opened(network(), data, layers=["6"])
    with pytest.raises(ValueError, match=r"units: \[0, 4\] are not all filters of '0', which has 4"):
        opened(network(), data, units=[0, 4])


def test_without_training_data_and_with_two_photographs(tmp_path):
    data = small(tmp_path, "images", unlabelled=True)
    exhibit = shown("filter_maximisation", network(), data.split("test"), CONFIG | {"steps": 4}, training=None, seed=0)
    hang(exhibit, tmp_path / "exhibit")


def test_few_filters_of_many_layers_stand_in_one_grid_the_deepest_first(tmp_path):
    torch.manual_seed(0)
    body = [part for place in range(4) for part in (nn.Conv2d(4 if place else 1, 4, 3), nn.ReLU())]
    net = nn.Sequential(*body, nn.Flatten(), nn.Linear(64, 3)).eval()
    exhibit = opened(net, small(tmp_path, "images"), units=[0, 2], steps=4)
    grids = [block for block in exhibit.blocks if isinstance(block, Grid)]
    assert [grid.name for grid in grids] == ["map", "position"]
    assert [item.id.split()[0] for item in grids[0].items] == [f"{at}/{unit}" for at in (6, 4, 2, 0) for unit in (0, 2)]
    assert "8 filters of 4 layers are drawn" in grids[0].caption["en"]
    assert len({item.group["en"] for item in grids[0].items}) == 4
    hang(exhibit, tmp_path / "exhibit")
