"""The networks that the speech studies compare: equal in size, and each moves its filters as its name says."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from cnnatomy import models
from cnnatomy.config.compose import compose
from cnnatomy.config.plan import Plan
from cnnatomy.models.dense import Dense
from cnnatomy.models.frequency_lstm import FrequencyLSTM
from cnnatomy.models.spectrogram import Spectrogram

DIGITS = SimpleNamespace(shape=(1, 40, 44), classes=list("0123456789"), vocabulary=None)
#: As the study says them, so that what is counted here is what is compared there.
EQUAL = Plan(None, ()).study("direction").factors["network"]
NETWORKS = {**EQUAL, "deep": ["model=deep"]}


def network(name: str) -> nn.Module:
    return models.build(compose(["run=speech", *NETWORKS[name]])["model"], DIGITS).eval()


def after(net: nn.Module, x: torch.Tensor, layer: str) -> torch.Tensor:
    held = []
    handle = net.get_submodule(layer).register_forward_hook(lambda _, __, y: held.append(y))
    with torch.no_grad():
        net(x)
    handle.remove()
    return held[0]


def test_the_networks_that_are_compared_have_equally_many_parameters():
    sizes = {name: sum(p.numel() for p in network(name).parameters()) for name in EQUAL}
    assert sizes["frequency"] == 25_546
    assert all(abs(size / sizes["frequency"] - 1) < 0.02 for size in sizes.values()), sizes


@pytest.mark.parametrize(("name", "axis", "other"), [("frequency", 2, 3), ("time", 3, 2)])
def test_filters_move_along_one_axis_and_span_the_other(name, axis, other):
    net = network(name)
    sound = torch.randn(1, 1, 40, 44)
    maps = after(net, sound, "conv1")
    assert maps.shape[other] == 1 and maps.shape[axis] > 1
    moved = after(net, sound.roll(2, dims=axis), "conv1")
    size = maps.shape[axis]
    torch.testing.assert_close(moved.narrow(axis, 2, size - 2), maps.narrow(axis, 0, size - 2), atol=1e-5, rtol=1e-4)
    assert not torch.allclose(after(net, sound.roll(2, dims=other), "conv1"), maps, atol=0.1)


def test_filters_of_both_move_along_both():
    net = network("both")
    sound = torch.randn(1, 1, 40, 44)
    maps, moved = after(net, sound, "conv1"), after(net, sound.roll((2, 3), dims=(2, 3)), "conv1")
    torch.testing.assert_close(moved[:, :, 2:, 3:], maps[:, :, :-2, :-3], atol=1e-5, rtol=1e-4)


def test_a_spectrogram_network_is_what_its_sizes_say():
    net = Spectrogram((1, 12, 9), 3, [4, 5], [[3, 0], [0, 1]], [[2, 1], [1, 1]], dropout=0.0).eval()
    x = torch.randn(6, 1, 12, 9)
    with torch.no_grad():
        held = nn.functional.max_pool2d(net.norm1(nn.functional.conv2d(x, net.conv1.weight)).clamp_min(0), (2, 1))
        assert held.shape == (6, 4, 5, 1)
        held = net.norm2(nn.functional.conv2d(held, net.conv2.weight)).clamp_min(0)
        assert held.shape == (6, 5, 1, 1)
        torch.testing.assert_close(net(x), net.dense(held.flatten(1)))


def test_a_spectrogram_that_is_too_small_is_refused_with_the_layer_that_leaves_nothing():
    with pytest.raises(ValueError, match="10 bands and 44 frames.* 5 × 1 .*layer 2"):
        Spectrogram((1, 10, 44), 4, [5, 6], [[8, 0], [5, 0]], [[2, 1], [2, 1]], dropout=0.0)
    with pytest.raises(ValueError, match="layer 1"):
        Spectrogram((1, 4, 44), 4, [5], [[4, 0]], [[2, 1]], dropout=0.0)
    with pytest.raises(ValueError, match="40 bands and 3 frames"):
        FrequencyLSTM((1, 40, 3), 4, (2, 2), (8, 5), 5, (2, 4), 3, 0.0)


def test_the_lstm_network_goes_through_time_in_order():
    """Its filters alone are blind to the order of the windows (they pool nothing over time), the LSTM is not."""
    net = network("frequency_lstm")
    sound = torch.randn(3, 1, 40, 44)
    backwards = sound.flip(3)
    assert not torch.allclose(net(sound), net(backwards), atol=1e-4)
    with torch.no_grad():
        net.lstm.weight_hh_l0.zero_()  # without its memory it is blind, too: no output goes back …
        net.lstm.bias_hh_l0[55:110] -= 100  # … and its forget gates are shut
        steps = after(net, sound, "flatten")
        shuffled = steps[:, :, torch.randperm(steps.shape[2])]
        outputs = [net.lstm(x.transpose(1, 2))[0].mean(1) for x in (steps, shuffled)]
    torch.testing.assert_close(*outputs)


def test_an_lstm_network_s_answer_is_that_of_torch_s_layers_one_after_the_other():
    net = FrequencyLSTM((1, 20, 15), 3, (4, 5), (5, 3), window=3, pools=(2, 2), units=7, dropout=0.5).eval()
    x = torch.randn(2, 1, 20, 15)
    with torch.no_grad():
        held = torch.stack([nn.functional.conv2d(x[..., t : t + 3], net.conv1.weight) for t in range(0, 13, 2)], dim=-1)
        held = nn.functional.max_pool2d(net.norm1(held.squeeze(3)).clamp_min(0), (2, 1))
        held = nn.functional.conv2d(held, net.conv2.weight)
        held = nn.functional.max_pool2d(net.norm2(held).clamp_min(0), (2, 1))
        cell = nn.LSTMCell(15, 7)
        cell.load_state_dict({name.removesuffix("_l0"): value for name, value in net.lstm.state_dict().items()})
        state, heard = None, []
        for t in range(held.shape[3]):
            state = cell(held[..., t].flatten(1), state)
            heard.append(state[0])
        torch.testing.assert_close(net(x), net.dense(torch.stack(heard).mean(0)), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_sample_s_answer_does_not_depend_on_its_batch(name):
    net = network(name)
    x = torch.randn(7, 1, 40, 44)
    together = net(x)
    assert together.shape == (7, 10)
    for i in range(7):
        torch.testing.assert_close(net(x[i : i + 1])[0], together[i], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_reach_every_parameter(name):
    net = network(name).train()
    net(torch.randn(8, 1, 40, 44)).square().sum().backward()
    for parameter_name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, parameter_name


def test_dense_layers_link_all_with_all_whatever_the_shape():
    net = Dense((2, 3, 4), 5, units=[7, 6], dropout=0.5).eval()
    assert [m.weight.shape for m in net.modules() if isinstance(m, nn.Linear)] == [(7, 24), (6, 7), (5, 6)]
    x = torch.randn(3, 2, 3, 4)
    held = x.flatten(1)
    for layer in (net.dense1, net.dense2):
        held = (held @ layer.weight.T + layer.bias).clamp_min(0)
    torch.testing.assert_close(net(x), held @ net.dense3.weight.T + net.dense3.bias)
    linear = Dense((24,), 5, units=[], dropout=0.5).eval()
    flat = x.flatten(1)
    torch.testing.assert_close(linear(flat), flat @ linear.dense1.weight.T + linear.dense1.bias)
