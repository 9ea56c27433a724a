"""First-layer kernels: every filter drawn in its own units, structure told from chance, nothing made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from cnnatomy.dissect.kernels.measure import components, likeness, smoothness
from cnnatomy.drawing.kernels import drawn
from cnnatomy.drawing.showing import ZERO
from cnnatomy.exhibit import Figure, Grid
from cnnatomy.inspection.layers import LayerNotFound
from cnnatomy.models.sentence import Sentence
from tests.unit.dissecting import shown
from tests.unit.small_data import hang, small

CONFIG = {"columns": 8, "symmetric": True}


def numbers(exhibit, metric):
    return {number.subject: number for number in exhibit.numbers if number.metric == metric}


def image_network(filters=6):
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, filters, 3), nn.ReLU(), nn.Flatten(), nn.Linear(filters * 100, 3))


def test_every_filter_is_drawn_and_named_as_its_map_will_be(tmp_path):
    exhibit = shown("kernels", image_network(), small(tmp_path, "images").split("test"), CONFIG)
    (grid,) = (block for block in exhibit.blocks if isinstance(block, Grid))
    assert [item.id for item in grid.items] == [f"0/{index}" for index in range(6)]
    assert all(item.pixels.shape == (3, 3, 3) for item in grid.items)
    hang(exhibit, tmp_path / "exhibit")


def test_norms_are_those_of_the_weights(tmp_path):
    network = image_network()
    found = numbers(shown("kernels", network, small(tmp_path, "images").split("test"), CONFIG), "norm")
    for index, kernel in enumerate(network[0].weight):
        assert found[f"layer=0;filter={index}"].value == pytest.approx(float(kernel.detach().norm()), rel=1e-3)


def test_the_numbers_of_the_whole_come_first_and_are_those_of_the_weights(tmp_path):
    network = image_network(filters=7)
    with torch.no_grad():
        network[0].weight[2] *= 1e-8
    exhibit = shown("kernels", network, small(tmp_path, "images").split("test"), CONFIG)
    whole = [number for number in exhibit.numbers if not number.subject]
    assert exhibit.numbers[: len(whole)] == whole and len(whole) <= 6
    values = {number.metric: number.value for number in whole}
    assert (values["filters"], values["weights"]) == (7, 63)
    assert values["idle"] == pytest.approx(1 / 7)
    flat = nn.functional.normalize(network[0].weight.detach()[[0, 1, 3, 4, 5, 6]].flatten(1).double())
    cosines = (flat @ flat.T).abs().fill_diagonal_(0).amax(1)
    assert values["likeness"] == pytest.approx(float(cosines.mean()), rel=1e-3)


def test_an_untrained_layer_is_not_said_to_have_structure(tmp_path):
    network = image_network(filters=60)
    exhibit = shown("kernels", network, small(tmp_path, "images").split("test"), CONFIG)
    band = numbers(exhibit, "smoothness_untrained")["layer=0"]
    assert band.ci_low < numbers(exhibit, "smoothness")["layer=0"].value < band.ci_high
    assert "no more than chance" in exhibit.blocks[0].caption["en"]
    assert "Look for" not in exhibit.caption["en"] and "no more than chance" in exhibit.caption["en"]


def test_smooth_filters_are_told_from_chance(tmp_path):
    network = image_network(filters=20)
    with torch.no_grad():
        network[0].weight.copy_(torch.linspace(-1, 1, 3).expand(20, 1, 3, 3) + 0.5 + 0.1 * torch.randn(20, 1, 3, 3))
    exhibit = shown("kernels", network, small(tmp_path, "images").split("test"), CONFIG)
    assert numbers(exhibit, "smoothness")["layer=0"].value > numbers(exhibit, "smoothness_untrained")["layer=0"].ci_high
    assert numbers(exhibit, "likeness")["layer=0"].value > 0.9


def test_a_filter_without_weight_is_dead_and_shown_as_zero(tmp_path):
    network = image_network()
    with torch.no_grad():
        network[0].weight[2] *= 1e-8
    exhibit = shown("kernels", network, small(tmp_path, "images").split("test"), CONFIG)
    item = exhibit.blocks[0].items[2]
    assert item.state == "dead"
    assert (item.pixels == ZERO).all()
    assert numbers(exhibit, "idle_filters")["layer=0"].value == 1
    with torch.no_grad():
        network[0].weight.zero_()
    hang(shown("kernels", network, small(tmp_path, "images").split("test"), CONFIG), tmp_path / "dead")


def test_smoothness_is_one_for_equal_minus_one_for_alternating_weights():
    board = np.indices((3, 3)).sum(0) % 2 * 2.0 - 1
    weights = np.stack([np.ones((3, 3)), board, np.zeros((3, 3))])[:, None]
    assert smoothness(weights, [2, 3]) == pytest.approx([1, -1, 0])


def test_likeness_and_components_of_known_filters():
    first, second = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
    assert likeness(np.stack([first, second, -3 * first])) == pytest.approx([1, 0, 1])
    assert components(np.stack([first, 2 * first, -first])) == 1
    assert components(np.eye(4)) == 4


def test_colour_kernels_show_the_colour_they_look_for(tmp_path):
    facts = replace(small(tmp_path, "images").facts, shape=(3, 12, 12))
    red = np.zeros((3, 2, 2))
    red[0, 0, 0] = 2.0
    pixels = drawn(red, facts)
    assert pixels[0, 0].tolist() == [255, 128, 128]
    assert pixels[1, 1].tolist() == [128, 128, 128]


def test_kernels_on_sounds_hang_with_frequency_upward(tmp_path):
    kernel = np.zeros((1, 4, 3))
    kernel[0, 3] = 1.0  # its highest band
    pixels = drawn(kernel, small(tmp_path, "sounds").facts)
    assert (pixels[0] != ZERO).any() and (pixels[1:] == ZERO).all()


@pytest.mark.parametrize("channels", [2, 5])
def test_any_number_of_channels_is_drawn_side_by_side(tmp_path, channels):
    pixels = drawn(np.ones((channels, 3, 3)), small(tmp_path, "images").facts)
    assert pixels.shape == (3, 4 * channels - 1, 3)


def test_all_widths_of_a_sentence_network_are_shown_with_the_norm_of_each_word(tmp_path):
    network = Sentence(vocabulary=8, classes=2, dimensions=4, widths=(1, 3), filters=5, dropout=0.0)
    exhibit = shown("kernels", network, small(tmp_path, "texts").split("test"), CONFIG)
    grids = [block for block in exhibit.blocks if isinstance(block, Grid)]
    assert [grid.name for grid in grids] == ["kernels-conv1", "kernels-conv3"]
    (profile,) = (block for block in exhibit.blocks if isinstance(block, Figure))
    assert profile.data["mean"].sum() == pytest.approx(100)
    item = grids[1].items[0]
    norms = network.conv3.weight[0].norm(dim=0).tolist()
    assert [item.values[f"norm of word {place}"] for place in (1, 2, 3)] == pytest.approx(norms, rel=1e-3)
    assert "layer=conv1" not in numbers(exhibit, "smoothness")  # one word has no neighbour
    hang(exhibit, tmp_path / "exhibit")


def test_without_a_convolution_it_says_so(tmp_path):
    network = nn.Sequential(nn.Flatten(), nn.Linear(144, 3))
    with pytest.raises(LayerNotFound, match="the network has no convolution"):
        shown("kernels", network, small(tmp_path, "images").split("test"), CONFIG)


def test_the_same_network_gives_the_same_bytes(tmp_path):
    samples = small(tmp_path, "sounds").split("test")
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, (5, 10)), nn.ReLU(), nn.Flatten(), nn.Linear(48, 3))
    for name in ("one", "other"):
        hang(shown("kernels", network, samples, CONFIG), tmp_path / name)
    assert (tmp_path / "one/exhibit.json").read_bytes() == (tmp_path / "other/exhibit.json").read_bytes()
