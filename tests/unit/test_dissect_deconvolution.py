"""Deconvolution is the explicit transposed pass, and refuses what it would do wrong."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from cnnatomy.data.batches import to_tensor
from cnnatomy.dissect.deconvolution.measure import reconstructions, with_shuffled_weights
from cnnatomy.exhibit import Grid
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection.layers import LayerNotFound, trace
from cnnatomy.inspection.patches import sources, strongest
from cnnatomy.inspection.rectifiers import FunctionalReLU
from cnnatomy.models.frequency import Frequency
from cnnatomy.models.sentence import Sentence
from tests.unit.dissecting import shown
from tests.unit.small_data import hang, small

CONFIG = {"layers": None, "patches": 3, "kilobytes": 70}


def network(inplace=False, relu=nn.ReLU):
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        relu(inplace),
        nn.MaxPool2d(2, stride=1),
        nn.Conv2d(4, 6, 3, stride=2, padding=1),
        relu(inplace),
        nn.Flatten(),
        nn.Linear(150, 3),
    )
    net[1].running_mean += 0.1
    net[1].weight.data = torch.tensor([1.0, -0.5, 2.0, 0.3])
    return net.eval()


def patches_of(net, samples, name):
    looked_at, _ = sources(samples.facts, trace(net, to_tensor(samples.facts, samples.inputs[:1])))
    source = next(source for source in looked_at if source.name == name)
    rows = strongest(net, samples, [source], 3)[name].patches
    pairs = [(channel, patch) for channel, row in zip(source.filters, rows, strict=True) for patch in row]
    return source, [channel for channel, _ in pairs], [patch for _, patch in pairs]


def numbers(exhibit):
    return {(number.metric, number.subject): number.value for number in exhibit.numbers}


@pytest.mark.parametrize(("inplace", "relu"), [(False, nn.ReLU), (True, nn.ReLU), (True, nn.ReLU6)])
def test_it_is_the_transposed_pass_step_by_step(tmp_path, inplace, relu):
    """Transposed filters, unpooling at the switches, ReLU on the way back, begun with the activation (Zeiler 2014)."""
    samples, net = small(tmp_path, "images").split("test"), network(inplace, relu)
    source, channels, patches = patches_of(net, samples, "4")
    found = reconstructions(net, samples, source, channels, patches)
    conv1, norm, conv2 = net[0], net[1], net[4]
    for channel, patch, back in zip(channels, patches, found, strict=True):
        x = to_tensor(samples.facts, samples.inputs[patch.sample : patch.sample + 1])
        with torch.no_grad():
            rectified = functional.relu6(norm(conv1(x))) if relu is nn.ReLU6 else norm(conv1(x)).relu()
            pooled, switches = functional.max_pool2d(rectified, 2, 1, return_indices=True)
            maps = conv2(pooled).relu()
            seed = torch.zeros_like(maps)
            seed[(0, channel, *patch.unit)] = maps[(0, channel, *patch.unit)]
            down = functional.conv_transpose2d(seed, conv2.weight, stride=2, padding=1, output_padding=0)
            down = functional.pad(down, (0, pooled.shape[3] - down.shape[3], 0, pooled.shape[2] - down.shape[2]))
            # Unpooling adds up where windows overlap and share their maximum.
            unpooled = torch.zeros_like(rectified).flatten(2)
            unpooled.scatter_add_(2, switches.flatten(2), down.flatten(2))
            unpooled = unpooled.reshape(rectified.shape).relu()
            scaled = unpooled * (norm.weight / (norm.running_var + norm.eps).sqrt()).reshape(1, -1, 1, 1)
            expected = functional.conv_transpose2d(scaled, conv1.weight)[0]
        assert np.abs(back - expected.numpy()).max() < 1e-5


def test_it_is_captums_scaled_by_the_activation(tmp_path):
    captum = pytest.importorskip("captum.attr", reason="captum is not installed")
    samples, net = small(tmp_path, "images").split("test"), network()
    source, channels, patches = patches_of(net, samples, "4")
    found = reconstructions(net, samples, source, channels, patches)
    body = network()[:6]  # up to the last ReLU, which the one activation passes unchanged
    for channel, patch, back in zip(channels, patches, found, strict=True):
        x = to_tensor(samples.facts, samples.inputs[patch.sample : patch.sample + 1])
        one = captum.Deconvolution(body).attribute(x.requires_grad_(), target=(channel, *patch.unit))
        expected = one.detach().numpy()[0] * max(0.0, patch.value)
        assert np.abs(back - expected).max() < 1e-5 * max(1.0, np.abs(expected).max())


def test_in_the_first_layer_it_is_the_filter_times_its_activation(tmp_path):
    samples = small(tmp_path, "images").split("test")
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(400, 3)).eval()
    source, channels, patches = patches_of(net, samples, "0")
    for channel, patch, back in zip(
        channels, patches, reconstructions(net, samples, source, channels, patches), strict=True
    ):
        (top, bottom), (left, right) = patch.window
        expected = max(0.0, patch.value) * net[0].weight[channel, 0].detach().numpy()
        assert np.allclose(back[0, top:bottom, left:right], expected, atol=1e-5)
    found = numbers(shown("deconvolution", net, samples, CONFIG, seed=0))
    assert found["same_filter_other_patch", ""] == pytest.approx(1)


def test_nothing_lies_outside_of_the_window(tmp_path):
    for kind, net in (("images", network()), ("sounds", Frequency((1, 16, 10), 3, (4, 5), (3, 2), 0.0).eval())):
        assert (
            numbers(shown("deconvolution", net, small(tmp_path, kind).split("test"), CONFIG, seed=0))[
                "inside_the_window", ""
            ]
            == 1
        )


def test_patches_stand_above_their_reconstructions(tmp_path):
    samples, net = small(tmp_path, "images").split("test"), network()
    exhibit = shown("deconvolution", net, samples, CONFIG, seed=0)
    first = exhibit.blocks[0]
    assert isinstance(first, Grid)
    assert first.items[0].pixels.shape == (3 * 2 + 1, 3 * 3 + 2, 3)
    source, channels, patches = patches_of(net, samples, "0")
    (top, bottom), (left, right) = patches[0].window
    assert np.array_equal(
        first.items[0].pixels[:3, :3, 0], samples.inputs[patches[0].sample, 0, top:bottom, left:right]
    )
    hang(exhibit, tmp_path / "exhibit")


@pytest.mark.parametrize("rectify", [torch.relu, functional.relu, lambda x: x.clamp(min=0), functional.relu6])
def test_a_functional_relu_is_refused(tmp_path, rectify):
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.second, self.relu = nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 3), nn.ReLU()
            self.dense = nn.Linear(128, 3)

        def forward(self, x):
            return self.dense(self.relu(self.second(rectify(self.conv(x)))).flatten(1))

    with pytest.raises(FunctionalReLU, match="make each an nn.ReLU module"):
        shown("deconvolution", Functional(), small(tmp_path, "images").split("test"), CONFIG, seed=0)


@pytest.mark.parametrize(
    ("activation", "name"),
    [
        (nn.GELU, "Gelu"),
        (nn.LeakyReLU, "LeakyRelu"),
        (lambda: nn.LeakyReLU(inplace=True), "LeakyRelu"),
        (lambda: nn.ELU(inplace=True), "Elu"),
        (nn.Sigmoid, "Sigmoid"),
    ],
)
def test_other_activations_are_said_not_to_apply(tmp_path, activation, name):
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3), activation(), nn.Conv2d(2, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(128, 3)
    )
    with pytest.raises(DoesNotApply, match=f"activation is {name}, and the way back is defined for ReLU only"):
        shown("deconvolution", net, small(tmp_path, "images").split("test"), CONFIG, seed=0)


def test_one_relu_called_again_is_each_time_rectified(tmp_path):
    class Again(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.first, self.second, self.third = nn.Conv2d(1, 3, 3), nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3)
            self.relu, self.dense = nn.ReLU(inplace=True), nn.Linear(108, 3)

        def forward(self, x):
            return self.dense(self.relu(self.third(self.relu(self.second(self.relu(self.first(x)))))).flatten(1))

    samples, net = small(tmp_path, "images").split("test"), Again().eval()
    apart = nn.Sequential(net.first, nn.ReLU(), net.second, nn.ReLU(), net.third, nn.ReLU(), nn.Flatten(), net.dense)
    one = reconstructions(net, samples, *patches_of(net, samples, "third"))
    two = reconstructions(apart, samples, *patches_of(apart, samples, "4"))
    assert np.array_equal(one, two) and np.abs(one).max() > 0


def test_sentences_are_said_not_to_apply(tmp_path):
    net = Sentence(vocabulary=8, classes=2, dimensions=4, widths=(1, 2, 3), filters=5, dropout=0.0)
    with pytest.raises(DoesNotApply, match="row of word vectors"):
        shown("deconvolution", net, small(tmp_path, "texts").split("test"), CONFIG, seed=0)


def test_the_interval_of_shuffled_weights_is_over_shufflings(tmp_path):
    """The mean of five hundred shufflings lies in that of two dozen."""
    samples, net = small(tmp_path, "images").split("test"), network()
    found = [
        next(
            n
            for n in shown("deconvolution", net, samples, CONFIG, seed=seed).numbers
            if n.metric == "same_patch_shuffled_weights"
        )
        for seed in range(20)
    ]
    assert all(number.n == 24 and not number.subject for number in found)
    truth = np.mean([number.value for number in found])  # of 480 shufflings
    held = [number.ci_low <= truth <= number.ci_high for number in found]
    assert np.mean(held) >= 0.85


def test_in_the_first_layer_a_filter_counts_once(tmp_path):
    """Its patches all give the filter itself, and thrice the same is no surer than once."""
    samples = small(tmp_path, "images").split("test")
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(400, 3)).eval()
    few, many = (
        {
            number.metric: number
            for number in shown("deconvolution", net, samples, CONFIG | {"patches": n}, seed=0).numbers
            if not number.subject
        }
        for n in (2, 8)
    )
    for metric in ("same_patch_other_filter", "same_patch_shuffled_weights", "like_the_patch"):
        assert few[metric].n == many[metric].n
    one, other = few["same_patch_shuffled_weights"], many["same_patch_shuffled_weights"]
    assert (one.ci_low, one.ci_high) == pytest.approx((other.ci_low, other.ci_high), abs=1e-6)


def test_shuffled_weights_are_the_same_numbers_elsewhere():
    net = network()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    shuffled = with_shuffled_weights(net, 0)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    for name in ("0.weight", "4.weight", "7.weight"):
        one, other = before[name].flatten(), shuffled.state_dict()[name].flatten()
        assert not torch.equal(one, other) and torch.equal(one.sort().values, other.sort().values)
    again = with_shuffled_weights(net, 0).state_dict()
    assert all(torch.equal(again[name], value) for name, value in shuffled.state_dict().items())


def test_a_way_around_adds_its_part_and_without_pooling_every_patch_gives_the_same(tmp_path):
    class Around(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.first, self.relu = nn.Conv2d(1, 4, 3), nn.ReLU6()
            self.one, self.two = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3)
            self.dense = nn.Linear(256, 3)

        def forward(self, x):
            x = self.relu(self.first(x))
            return self.dense(self.relu(self.two(x + self.one(x))).flatten(1))

    samples, net = small(tmp_path, "images").split("test"), Around().eval()
    source, channels, patches = patches_of(net, samples, "two")
    found = reconstructions(net, samples, source, channels, patches, scaled=False)
    for channel, patch, back in zip(channels, patches, found, strict=True):
        seed = torch.zeros(1, 4, 8, 8)
        seed[(0, channel, *patch.unit)] = 1
        with torch.no_grad():
            down = functional.conv_transpose2d(seed, net.two.weight)
            down = down + functional.conv_transpose2d(down, net.one.weight, padding=1)
            expected = functional.conv_transpose2d(down.relu(), net.first.weight)[0]
        assert np.abs(back - expected.numpy()).max() < 1e-5
    exhibit = shown("deconvolution", net, samples, CONFIG, seed=0)
    assert numbers(exhibit)["inside_the_window", ""] == 1
    assert numbers(exhibit)["same_filter_other_patch", ""] == pytest.approx(1)
    assert "no maximum pooling" in exhibit.caption["en"]


def test_an_unknown_layer_is_refused(tmp_path):
    with pytest.raises(LayerNotFound, match="no layer 'conv'"):
        shown(
            "deconvolution", network(), small(tmp_path, "images").split("test"), CONFIG | {"layers": ["conv"]}, seed=0
        )


def test_the_same_seed_gives_the_same_bytes_and_no_other_random_numbers_are_touched(tmp_path):
    samples, net = small(tmp_path, "images").split("test"), network()
    state = torch.random.get_rng_state()
    for name in ("one", "two"):
        hang(shown("deconvolution", net, samples, CONFIG, seed=3), tmp_path / name)
    assert torch.equal(torch.random.get_rng_state(), state)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
