"""Deep Dream: the layer really responds more, more than chance would make it, and the picture stays a picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.dissect.changed.inputs import box
from cnnatomy.dissect.dream.measure import Way, ascend, at_random, octaves
from cnnatomy.exhibit import Grid
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection.choosing import WrongSetting
from cnnatomy.inspection.depths import after_activation, at_depths, before_activation
from cnnatomy.inspection.layers import LayerNotFound, activations, trace
from cnnatomy.inspection.outputs import NoLogits
from cnnatomy.models.frequency import Frequency
from cnnatomy.models.sentence import Sentence
from tests.unit.dissecting import settings, shipped, shown
from tests.unit.small_data import WAV, hang, small

CONFIG = shipped("dream") | {"iterations": 5, "draws": 3, "smallest": 8}
SETTINGS = settings("dream", CONFIG)
PREPARE = {"spectrogram": {"range_db": 60}}


def image_network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True),
        nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(600, 3),
    ).eval()  # fmt: skip


def made(tmp_path, kind="images", network=None, config=CONFIG, **needs):
    samples = small(tmp_path, kind).split("test")
    return shown("dream", network or image_network(), samples, config, prepare=PREPARE, seed=0, **needs), samples


def by(exhibit, metric):
    return {number.subject: number.value for number in exhibit.numbers if number.metric == metric}


def test_the_layers_respond_more_and_more_than_to_chance(tmp_path):
    exhibit, _ = made(tmp_path)
    raised, chance = by(exhibit, "raised"), by(exhibit, "raised_by_chance")
    assert set(raised) == {"", "layer=2;sample=test/2", "layer=4;sample=test/2"}
    for subject in raised:
        assert raised[subject] > 1.05 and raised[subject] > chance[subject]
    hang(exhibit, tmp_path / "exhibit")


def test_the_numbers_are_those_of_the_pictures(tmp_path):
    network = image_network()
    exhibit, samples = made(tmp_path, network=network)
    facts = samples.facts
    x = to_tensor(facts, samples.inputs[2:3])
    low, high = box(facts, {})
    sizes = octaves(network, "4", x, SETTINGS)
    dreamt = ascend(network, "4", x, Way((low, high), sizes, SETTINGS, seed=0))
    assert (dreamt >= low).all() and (dreamt <= high).all()
    subject = "layer=4;sample=test/2"
    before, after = (float(network[:5](v).detach().norm()) for v in (x, dreamt))
    assert by(exhibit, "norm_before")[subject] == pytest.approx(before, rel=1e-3)
    assert by(exhibit, "norm_after")[subject] == pytest.approx(after, rel=1e-3)
    moved = ((dreamt - x) / (high - low)).square().mean().sqrt()
    assert by(exhibit, "moved")[subject] == pytest.approx(float(moved), rel=1e-3)
    sure = network(dreamt).softmax(1).max()
    assert by(exhibit, "probability_after")[subject] == pytest.approx(float(sure.detach()), rel=1e-3)


def test_random_changes_are_as_large_as_the_dream_after_what_is_cut_off(tmp_path):
    facts = small(tmp_path, "images").facts
    low, high = box(facts, {})
    start = low.expand(1, 1, 12, 12)  # all black, so that half of any change is cut off
    dreamt = start + (high - low) * 0.2 * torch.rand(1, 1, 12, 12, generator=torch.Generator().manual_seed(1))
    random = at_random(dreamt, start, Way((low, high), [(9, 9), (12, 12)], replace(SETTINGS, draws=4), seed=0))
    assert len(random) == 4 and (random >= low).all() and (random <= high).all()
    wanted = (dreamt - start).square().mean().sqrt()
    assert torch.allclose((random - start).square().mean((1, 2, 3)).sqrt(), wanted.expand(4), rtol=0.02)


def test_octaves_end_where_they_would_be_too_small_or_a_kernel_does_not_fit(tmp_path):
    network, x = image_network(), torch.zeros(1, 1, 12, 12)
    assert octaves(network, "2", x, SETTINGS) == [(9, 9), (12, 12)]
    assert octaves(network, "2", x, replace(SETTINGS, smallest=2)) == [(4, 4), (6, 6), (9, 9), (12, 12)]
    assert octaves(network, "6", x, SETTINGS) == [(12, 12)]  # a dense layer takes one size only
    spans = Frequency((1, 16, 10), 3, (4, 5), (3, 2), 0.0).eval()
    assert octaves(spans, "relu1", torch.zeros(1, 1, 16, 10), SETTINGS) == [(16, 10)]


def test_the_dream_of_one_linear_filter_is_what_the_filter_looks_for():
    network = nn.Sequential(nn.Conv2d(1, 1, 3, bias=False), nn.Flatten(), nn.Linear(100, 2)).eval()
    with torch.no_grad():
        network[0].weight[:] = torch.tensor([[1.0, 0, -1]] * 3)
    x = 0.5 + 0.01 * torch.randn(1, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    limits = torch.zeros(1, 1, 1), torch.ones(1, 1, 1)
    still = replace(SETTINGS, iterations=40, jitter=0, blur=0)
    dreamt = ascend(network, "0", x, Way(limits, [(12, 12)], still, seed=0))
    along, across = dreamt.diff(dim=2).abs().mean(), dreamt.diff(dim=3).abs().mean()
    assert across > 3 * along  # upright edges


def test_a_network_is_left_as_it_was(tmp_path):
    network = image_network().train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    made(tmp_path, network=network)
    assert network.training and all(parameter.grad is None for parameter in network.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_sounds_are_dreamt_within_their_range_and_the_clip_plays(tmp_path):
    network = Frequency((1, 16, 10), 3, (4, 5), (3, 2), 0.0)
    exhibit, _ = made(tmp_path, "sounds", network, sound=lambda name: WAV)
    (grid,) = (block for block in exhibit.blocks if isinstance(block, Grid))
    assert [item.sound for item in grid.items] == [WAV, None, None]
    hang(exhibit, tmp_path / "exhibit")


def test_without_labels_the_first_two_are_dreamt_of(tmp_path):
    samples = small(tmp_path, "images", unlabelled=True).split("test")
    exhibit = shown("dream", image_network(), samples, CONFIG, prepare={}, seed=0)
    assert {item.group for item in exhibit.blocks[0].items} == {"test/0", "test/1"}


def test_a_sample_that_is_named_twice_is_dreamt_of_once(tmp_path):
    exhibit, _ = made(tmp_path, config=CONFIG | {"sample": [3, 3, 1]})
    assert list(dict.fromkeys(item.group for item in exhibit.blocks[0].items)) == ["test/3", "test/1"]
    hang(exhibit, tmp_path / "exhibit")


def test_sentences_cannot_be_dreamt(tmp_path):
    network = Sentence(vocabulary=8, classes=2, dimensions=4, widths=(1, 3), filters=5, dropout=0.0)
    with pytest.raises(DoesNotApply, match="words can't be changed a little"):
        made(tmp_path, "texts", network)


def test_silent_layers_have_nothing_to_dream_of(tmp_path):
    network = image_network()
    with torch.no_grad():
        network[3].weight.zero_()
        network[3].bias.fill_(-1)
    with pytest.raises(DoesNotApply, match="the layers 4 are silent"):
        made(tmp_path, network=network, config=CONFIG | {"layers": ["4"]})
    exhibit, _ = made(tmp_path, network=network)
    assert set(by(exhibit, "raised")) == {"", "layer=2;sample=test/2"}
    hang(exhibit, tmp_path / "exhibit")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"layers": ["6x"]}, LayerNotFound, "no layer '6x'"),
        ({"sample": 40}, WrongSetting, "give one of 0 to 39"),
        ({"depths": []}, WrongSetting, "name at least one share of the depth"),
    ],
)
def test_wrong_settings_are_refused(tmp_path, changes, error, message):
    with pytest.raises(error, match=message):
        made(tmp_path, config=CONFIG | changes)


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    network = image_network()
    with torch.no_grad():
        network[3].weight[0] = torch.nan
    with pytest.raises(NoLogits, match="not finite in 3.weight"):
        made(tmp_path, network=network)


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    state = torch.get_rng_state()
    for name in ("one", "other"):
        hang(made(tmp_path, config=CONFIG)[0], tmp_path / name)
    assert torch.equal(state, torch.get_rng_state())
    files = sorted(file.name for file in (tmp_path / "one").iterdir())
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "other" / f).read_bytes() for f in files)


def test_layers_are_spread_over_the_depth_before_or_behind_their_activations():
    layers = trace(image_network(), torch.zeros(1, 1, 12, 12))
    assert [layer.name for layer in after_activation(layers)] == ["2", "4"]
    assert [layer.name for layer in before_activation(layers)] == ["1", "3"]
    found = at_depths(layers, after_activation(layers), None, [0.25, 0.5, 0.7])
    assert [layer.name for layer in found] == ["2", "4"]
    assert [layer.name for layer in at_depths(layers, [], ["5"], [])] == ["5"]


def test_a_functional_activation_leaves_the_convolutions_themselves():
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second, self.dense = nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 5, dilation=2), nn.Linear(8, 2)

        def forward(self, x):
            return self.dense(torch.relu(self.second(torch.relu(self.first(x)))).flatten(1))

    layers = trace(Functional(), torch.zeros(1, 1, 12, 12))
    assert [layer.name for layer in after_activation(layers)] == ["first", "second"]


def test_what_a_layer_holds_is_what_the_network_computes_in_place_or_not():
    network, x = image_network(), torch.randn(2, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    x.requires_grad_()
    held = activations(network, x, ["1", "2", "4"])
    assert [bool(torch.equal(h, network[: k + 1](x))) for h, k in zip(held, (0, 2, 4), strict=True)] == [
        False,
        True,
        True,
    ]
    assert torch.equal(held[0], network[1](network[0](x)))  # and not what ReLU made of it in place
    (gradient,) = torch.autograd.grad(held[2].sum(), x)
    (wanted,) = torch.autograd.grad(network[:5](x).sum(), x)
    assert np.allclose(gradient, wanted)
