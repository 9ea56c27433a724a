"""Convolutions by matrix products, against torch's own."""

import pytest
import torch
from torch import nn

from cnnatomy.inspection.convolving import frozen, own_channel

OWN = {
    "small kernel": (nn.Conv2d(3, 8, 3), (9, 10)),
    "steps, dilation and padding": (nn.Conv2d(4, 6, (3, 2), stride=(2, 1), dilation=(1, 2), padding=(1, 2)), (9, 10)),
    "groups": (nn.Conv2d(8, 12, 3, groups=4, bias=False), (7, 7)),
    "as wide as the input": (nn.Conv2d(2, 5, (4, 20), stride=(2, 1)), (11, 20)),
    "large kernel": (nn.Conv2d(2, 5, (9, 8), stride=2), (14, 17)),
}
FEW = {
    "digits": (nn.Conv2d(1, 8, 3), (10, 9)),
    "steps and padding": (nn.Conv2d(3, 8, (3, 5), stride=(2, 1), padding=(2, 1), bias=False), (11, 12)),
    "as wide as the input": (nn.Conv2d(1, 6, (8, 30), stride=(2, 1)), (17, 30)),
    "as high as the input": (nn.Conv2d(1, 6, (30, 8)), (30, 17)),
    "large kernel": (nn.Conv2d(1, 6, (9, 8)), (20, 21)),
    "many channels": (nn.Conv2d(7, 8, 3), (8, 8)),
    "dilated": (nn.Conv2d(1, 8, 3, dilation=2), (9, 9)),
}


@pytest.mark.parametrize("name", OWN)
def test_a_channel_of_its_own_is_that_of_the_whole_layer_with_its_gradient(name):
    layer, sides = OWN[name]
    random = torch.Generator().manual_seed(0)
    which = torch.tensor([0, 3, 3, layer.out_channels - 1])
    found = []
    for way in (own_channel, lambda layer, x, which: layer(x)[torch.arange(len(x)), which]):
        x = torch.randn(4, layer.in_channels, *sides, generator=torch.Generator().manual_seed(1)).requires_grad_()
        made = way(layer, x, which)
        weights = torch.randn(made.shape, generator=random.manual_seed(2))
        found.append((made, *torch.autograd.grad((made * weights).sum(), x)))
    for ours, torchs in zip(*found, strict=True):
        torch.testing.assert_close(ours, torchs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("name", FEW)
def test_the_gradient_at_the_input_of_a_frozen_network_is_torchs(name, layout):
    layer, sides = FEW[name]
    network = nn.Sequential(layer, nn.Tanh()).train()
    x = torch.randn(3, layer.in_channels, *sides, generator=torch.Generator().manual_seed(1))
    x = x.contiguous(memory_format=layout).requires_grad_()
    made = network(x)
    weights = torch.randn(made.shape, generator=torch.Generator().manual_seed(2))
    (theirs,) = torch.autograd.grad((made * weights).sum(), x)
    with frozen(network):
        assert not network.training
        again = network(x)
        (ours,) = torch.autograd.grad((again * weights).sum(), x)
    torch.testing.assert_close(again, made)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    assert network.training
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert "forward" not in layer.__dict__
