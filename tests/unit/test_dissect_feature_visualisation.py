"""What activation maximisation stands on: climbing, what natural inputs are like, spectra, units of layers."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from cnnatomy.data.batches import to_tensor
from cnnatomy.dissect.feature_visualisation.optimise import Phases, Pixels, ascend
from cnnatomy.dissect.feature_visualisation.parameterisation import Spectrum, windows
from cnnatomy.dissect.feature_visualisation.regularisers import Box, Jitter, Limits, box, ink, measured, total_variation
from cnnatomy.dissect.feature_visualisation.units import Units, listen
from cnnatomy.inspection.layers import named, trace
from cnnatomy.inspection.work import CALL, effort, up_to
from tests.unit.small_data import small


def unit_box(channels=1, background=0.0):
    ones = torch.ones(channels, 1, 1)
    return Box(0 * ones, ones, background * ones)


def test_ink_and_total_variation_are_what_their_formulas_say():
    x = np.random.default_rng(0).random((3, 2, 5, 7))
    limits = Box(torch.full((2, 1, 1), -1.0), torch.full((2, 1, 1), 3.0), torch.full((2, 1, 1), 0.25))
    found = ink(torch.from_numpy(x).float(), limits)
    assert found.numpy() == pytest.approx((np.abs(x - 0.25) / 4).mean((1, 2, 3)), rel=1e-5)
    down, right = np.abs(np.diff(x, axis=2)).sum((1, 2, 3)), np.abs(np.diff(x, axis=3)).sum((1, 2, 3))
    found = total_variation(torch.from_numpy(x).float(), limits)
    assert found.numpy() == pytest.approx((down + right) / 4 / 70, rel=1e-5)


def test_limits_hold_and_leave_alone_what_keeps_them():
    limits, x = unit_box(background=0.2), torch.rand(4, 1, 6, 6)
    most = Limits(torch.tensor([0.1, 1.0, 0.0, math.inf]), torch.tensor([math.inf, 0.05, 1.0, math.inf]))
    held = most.held(x, limits)
    assert ink(held, limits)[0] == pytest.approx(0.1, rel=1e-4)
    assert total_variation(held, limits)[1] == pytest.approx(0.05, rel=1e-4)
    assert torch.equal(held[2], torch.full_like(held[2], 0.2))
    assert torch.allclose(held[3], x[3])


def test_limits_have_a_gradient_even_where_there_is_none():
    x = torch.rand(1, 1, 4, 4, requires_grad=True)
    Limits(torch.tensor([math.inf]), torch.tensor([math.inf])).held(x, unit_box()).sum().backward()
    assert torch.allclose(x.grad, torch.ones_like(x.grad))


def test_the_box_of_images_is_black_to_white_and_of_sounds_what_there_is(tmp_path):
    images, sounds = (small(tmp_path, kind).split("test") for kind in ("images", "sounds"))
    found = box(images)
    assert (float(found.low), float(found.high)) == pytest.approx((-0.2 / 0.3, 0.8 / 0.3))
    x = to_tensor(images.facts, images.inputs)
    assert float(found.background) == pytest.approx(float(np.median(x.numpy())), abs=0.01)
    found, x = box(sounds), to_tensor(sounds.facts, sounds.inputs)
    assert (float(found.low), float(found.high)) == pytest.approx((float(x.min()), float(x.max())))


def test_measured_samples_are_the_ink_of_their_tensors(tmp_path):
    samples = small(tmp_path, "sounds").split("test")
    inks, variations = measured(samples.facts, samples.inputs, box(samples))
    x = to_tensor(samples.facts, samples.inputs)
    assert inks == pytest.approx(ink(x, box(samples)).numpy())
    assert variations == pytest.approx(total_variation(x, box(samples)).numpy())


def test_jitter_moves_by_two_pixels_at_most_and_a_sound_along_frequency_only(tmp_path):
    for kind in ("images", "sounds"):
        facts = small(tmp_path, kind).facts
        x = torch.zeros(200, *facts.shape)
        x[:, :, 6, 5] = 1
        moved = Jitter(facts, unit_box(), torch.Generator().manual_seed(0))(x)
        rows, columns = (moved.amax((0, 1)) > 0.05).nonzero().T
        assert rows.min() >= 3 and rows.max() <= 9 and len(rows.unique()) > 3
        if kind == "sounds":
            assert columns.unique().tolist() == [5]
            assert moved.amax((1, 2, 3)) == pytest.approx(torch.ones(200), abs=1e-4)  # bands are moved whole
        else:
            assert columns.min() >= 2 and columns.max() <= 8


@pytest.mark.parametrize("sides", [(8, 8), (7, 5), (1, 6), (4, 9)])
def test_the_amplitudes_of_an_image_are_those_of_the_spectrum(sides):
    amplitude = np.abs(np.fft.fft2(np.random.default_rng(0).random((1, *sides))))
    amplitude[:, 0, 0] = 0
    spectrum = Spectrum(torch.tensor([[[0.5]]]), torch.eye(1), torch.from_numpy(amplitude).float())
    image = spectrum.image(6 * torch.rand(2, 1, *sides))
    found = np.abs(np.fft.fft2(image.numpy() - 0.5))
    assert found == pytest.approx(np.broadcast_to(amplitude, found.shape), abs=1e-4)


def test_the_right_phases_give_an_image_back():
    x = np.random.default_rng(0).random((1, 1, 7, 9))
    f = np.fft.fft2(x - x.mean())
    spectrum = Spectrum.fit(torch.from_numpy(x).float())
    image = spectrum.image(torch.from_numpy(np.angle(f) / 2).float())  # each phase stands for itself less its mirror
    assert image.numpy() == pytest.approx(x, abs=1e-5)


def test_a_fitted_spectrum_is_the_mean_amplitude_along_the_principal_colours():
    x = torch.rand(50, 1, 6, 8)
    expected = np.abs(np.fft.fft2(x.numpy() - x.numpy().mean())).mean(0)
    expected[:, 0, 0] = 0
    assert Spectrum.fit(x).amplitude.numpy() == pytest.approx(expected, abs=1e-4)
    colours = torch.rand(50, 3, 6, 6) * torch.tensor([0.1, 1.0, 0.3]).reshape(3, 1, 1)
    found = Spectrum.fit(colours)
    assert found.colours @ found.colours.T == pytest.approx(torch.eye(3), abs=1e-5)
    assert found.colours[0].abs().argmax() == 1


def test_windows_come_from_anywhere_in_the_data(tmp_path):
    samples = small(tmp_path, "images").split("train")
    x = to_tensor(samples.facts, samples.inputs)
    cut = windows(samples, (4, 5), np.random.default_rng(0))
    assert cut.shape[1:] == (1, 4, 5)
    views = x.unfold(2, 4, 1).unfold(3, 5, 1).reshape(-1, 20)
    assert all((views == part.reshape(-1)).all(1).any() for part in cut[:30])
    assert torch.equal(windows(samples, (12, 12), np.random.default_rng(0)), x)


def test_climbing_finds_the_best_corner_of_the_box():
    weights = torch.randn(5, 1, 3, 4, generator=torch.Generator().manual_seed(0))
    found = ascend(
        nn.Identity(), lambda x, _: (weights * x).flatten(1).sum(1), Pixels(torch.rand(5, 1, 3, 4), unit_box()), 64
    )
    assert found.values == pytest.approx(weights.clamp_min(0).flatten(1).sum(1))
    assert torch.equal(found.images, (weights > 0).float())


def test_climbing_under_limits_spends_the_ink_where_it_does_most():
    """Of nine pixels ink for two: the best inputs fill the two largest weights."""
    weights = torch.tensor([[3.0, -1, 2], [0.5, 9, 1], [0.1, 8, 0.3]]).reshape(1, 1, 3, 3)
    limits = Limits(torch.tensor([2 / 9]), torch.tensor([math.inf]))
    start = torch.full((1, 1, 3, 3), 0.3)
    found = ascend(nn.Identity(), lambda x, _: (weights * x).sum((1, 2, 3)), Pixels(start, unit_box(), limits), 200)
    assert float(found.values) == pytest.approx(17, rel=0.01)
    assert float(ink(found.images, unit_box())) <= 2 / 9 + 1e-6


def test_climbing_by_brute_force_on_a_small_network():
    """All 2⁹ corners of the box of a small network with ReLU, against the best of sixteen starts."""
    torch.manual_seed(1)
    network = nn.Sequential(nn.Conv2d(1, 4, 2), nn.ReLU(), nn.Conv2d(4, 1, 2)).eval()
    corners = torch.tensor(list(itertools.product((0.0, 1.0), repeat=9))).reshape(-1, 1, 3, 3)
    with torch.no_grad():
        best = network(corners).max()
    start = torch.rand(16, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    found = ascend(network, lambda x, _: network(x).flatten(), Pixels(start, unit_box()), 100)
    assert found.values.max() >= best - 1e-5


def test_phases_keep_the_spectrum_while_they_climb():
    spectrum = Spectrum.fit(torch.rand(20, 1, 6, 6) * 0.2 + 0.4)
    weights = torch.randn(1, 1, 6, 6)
    picture = Phases(6 * torch.rand(1, 1, 6, 6), unit_box(), spectrum)
    before = float((weights * picture.image()).sum())
    found = ascend(nn.Identity(), lambda x, _: (weights * x).flatten(1).sum(1), picture, 100)
    assert float(found.values) > before
    amplitude = np.abs(np.fft.fft2(found.images.numpy() - float(spectrum.mean)))
    assert amplitude[0] == pytest.approx(spectrum.amplitude.numpy(), abs=1e-4)


def test_climbing_leaves_the_network_as_it_was():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    ascend(network, lambda x, _: network(x).flatten(1).sum(1), Pixels(torch.rand(2, 1, 5, 5), unit_box()), 3)
    assert network.training and all(parameter.requires_grad for parameter in network.parameters())
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


class Odd(nn.Module):
    """What ours have not: strides, dilations, groups, even kernels, padding, a shared ReLU in place, a residual."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(3, 6, (2, 4), stride=(1, 2), padding=(1, 2))
        self.norm = nn.BatchNorm2d(6)
        self.two = nn.Conv2d(6, 6, 3, padding=2, dilation=2, groups=3)
        self.three = nn.Conv2d(6, 4, 3, padding=1, padding_mode="circular")
        self.slope = nn.PReLU(4)
        self.relu = nn.ReLU(inplace=True)
        self.dense = nn.Linear(4, 5)
        self.norm.running_mean.uniform_(-1, 1)
        self.norm.running_var.uniform_(0.5, 2)

    def forward(self, x):
        x = self.relu(self.norm(self.one(x)))
        x = self.relu(x + self.two(x))
        return self.dense(self.slope(self.three(x)).mean((2, 3)))


def odd():
    torch.manual_seed(0)
    network, x = Odd().eval(), torch.randn(7, 3, 11, 13)
    return network, x, trace(network, x[:1])


@pytest.mark.parametrize(("name", "short"), [("one", True), ("two", True), ("three", False), ("dense", True)])
def test_a_channel_alone_is_what_the_whole_layer_gives(name, short):
    network, x, traced = odd()
    units = Units(network, traced, named(traced, name), x[:1])
    assert units._short is short
    which = torch.arange(7) % units.count
    before, after = units.values(x, which)
    h = network.one(x)
    expected = {"one": lambda: network.norm(h)}
    if name != "one":
        h = functional.relu(network.norm(h))
        expected["two"] = lambda: network.two(h)
    if name in ("three", "dense"):
        h = functional.relu(h + network.two(h))
        expected["three"] = lambda: network.three(h)
    if name == "dense":
        h = network.slope(network.three(h)).mean((2, 3))
        expected["dense"] = lambda: network.dense(h)
    whole = expected[name]()
    activations = {"one": functional.relu, "three": network.slope}
    assert torch.allclose(before, whole[torch.arange(7), which], atol=1e-5)
    assert torch.allclose(after, activations.get(name, lambda x: x)(whole.clone())[torch.arange(7), which], atol=1e-5)


def test_a_window_shows_a_unit_all_that_it_sees():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 4, 3, padding=1)
    ).eval()
    x = torch.randn(1, 1, 20, 24)
    traced = trace(network, x)
    units = Units(network, traced, traced[-1], x)
    window = units.window((1, 20, 24), x)
    assert window.step == (2, 2)
    assert all(side < 20 for side in window.shape[1:])
    part = x[:, :, 4 : 4 + window.shape[1], 6 : 6 + window.shape[2]]
    there = (window.place[0] + 2, window.place[1] + 3)
    assert torch.allclose(network(part)[0, :, *window.place], network(x)[0, :, *there], atol=1e-5)
    other = part.clone()
    mask = torch.ones_like(part, dtype=torch.bool)
    mask[:, :, window.seen[0], window.seen[1]] = False
    other[mask] = 9
    assert torch.allclose(network(other)[0, :, *window.place], network(part)[0, :, *window.place], atol=1e-5)


def test_a_network_that_takes_the_mean_of_everything_is_given_whole_images():
    class Gated(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Conv2d(1, 3, 3), nn.Conv2d(3, 2, 3)

        def forward(self, x):
            x = self.one(x)
            return self.two(x * x.mean((2, 3), keepdim=True))

    torch.manual_seed(0)
    network, x = Gated().eval(), torch.randn(1, 1, 16, 16)
    traced = trace(network, x)
    window = Units(network, traced, named(traced, "two"), x).window((1, 16, 16), x)
    assert window.shape == (1, 16, 16) and window.step is None


def test_what_data_do_to_units_is_what_brute_force_finds(tmp_path):
    samples = small(tmp_path, "images").split("test")
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(576, 3)).eval()
    x = to_tensor(samples.facts, samples.inputs)
    traced = trace(network, x[:1])
    conv, dense = (Units(network, traced, named(traced, name), x[:1]) for name in ("0", "3"))
    maps, logits = listen([conv, dense], samples, 10000)
    before = network[0](x).detach()
    inner = before[:, :, 1:-1, 1:-1].double().numpy()  # places that see the image only
    sums = before.relu().flatten(2).sum(2).double().numpy()
    assert maps.best == pytest.approx(inner.max((0, 2, 3)), rel=1e-5)
    for unit in range(4):
        row, column = maps.place[unit]
        assert float(before[maps.sample[unit], unit, row, column]) == pytest.approx(maps.best[unit], rel=1e-5)
    assert maps.best_sum == pytest.approx(sums.max(0), rel=1e-5)
    assert maps.sample_sum.tolist() == sums.argmax(0).tolist()
    assert maps.mean == pytest.approx(inner.mean((0, 2, 3)), rel=1e-4)
    assert maps.spread == pytest.approx(inner.std((0, 2, 3)), rel=1e-4)
    assert maps.mean_sum == pytest.approx(sums.mean(0), rel=1e-4) and maps.compared == 40
    assert maps.fires.tolist() == (before.amax((2, 3)) > 0).sum(0).tolist()
    assert logits.best == pytest.approx(network(x).detach().double().numpy().max(0), rel=1e-5)


def test_multiply_adds_are_counted_up_to_a_layer_and_what_its_calls_take_beside_them():
    network, x = (
        nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 2, 3, groups=2), nn.Flatten(), nn.Linear(32, 5)),
        torch.zeros(1, 1, 8, 8),
    )
    one, two, dense = 36 * 4 * 9, 16 * 2 * 2 * 9, 160
    layers = trace(network, x)
    assert up_to(layers) == one + two + dense
    assert effort(network, x) == one + two + dense + 3 * CALL  # a Flatten takes nothing
    assert up_to(layers, layers[0]) == one
