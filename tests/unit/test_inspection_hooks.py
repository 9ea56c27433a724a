"""Hooks that are there for a while, and what a pass leaves of layers within torch's graph."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnatomy.inspection.hooks import hooked, in_graph


def test_hooks_are_gone_whatever_happens():
    layer, heard = nn.Linear(2, 2), []
    handle = layer.register_forward_hook(lambda *_: heard.append(1))
    with pytest.raises(ZeroDivisionError), hooked([handle]):
        layer(torch.zeros(1, 2))
        raise ZeroDivisionError
    layer(torch.zeros(1, 2))
    assert heard == [1]


def test_gradients_are_those_at_the_layer_whatever_is_done_in_place_behind_it():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True), nn.Linear(4, 2))
    x = torch.randn(5, 3)
    with in_graph(network, ["0", "1"]) as held:
        output = network(x)[:, 0].sum()
        first, second = torch.autograd.grad(output, [held["0"], held["1"]])
    before = network[0](x)
    torch.testing.assert_close(held["0"], before)
    torch.testing.assert_close(held["1"], before.relu())
    torch.testing.assert_close(second, network[2].weight[0].expand(5, 4))
    torch.testing.assert_close(first, second * (before > 0))


def test_each_call_of_a_layer_is_kept_by_its_name_and_those_not_asked_for_are_not():
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer(self.layer(x))

    network, x = Twice(), torch.randn(1, 2)
    with in_graph(network, ["layer#2"]) as held:
        network(x)
    assert list(held) == ["layer#2"]
    torch.testing.assert_close(held["layer#2"], network(x))
