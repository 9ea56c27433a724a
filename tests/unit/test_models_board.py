"""The network for boards: what its heads read, and what pooling takes from it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnatomy.models.board import Board


def board(pools: tuple[int, ...] = (), head: str = "point", side: int = 9) -> Board:
    torch.manual_seed(0)
    return Board((3, side, side), side * side, filters=6, layers=3, pools=pools, head=head).eval()


def maps(network: Board, x: torch.Tensor, name: str) -> torch.Tensor:
    held = {}
    handle = network.get_submodule(name).register_forward_hook(lambda _, __, y: held.update(y=y))
    network(x)
    handle.remove()
    return held["y"]


@pytest.mark.parametrize("pools", [(), (1,), (2,), (1, 3)])
@pytest.mark.parametrize("head", ["point", "dense"])
@pytest.mark.parametrize("side", [5, 8, 9])
def test_every_variant_gives_a_logit_for_each_point_and_learns_with_all_its_weights(pools, head, side):
    network = board(pools, head, side).train()
    logits = network(torch.randn(16, 3, side, side))
    assert logits.shape == (16, side * side)
    (logits * torch.randn(logits.shape)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_convolutions_have_the_same_weights_with_pooling_and_without():
    def counted(network: Board) -> int:
        return sum(p.numel() for m in network.modules() if isinstance(m, nn.Conv2d) for p in m.parameters())

    assert len({counted(board(pools)) for pools in ((), (1,), (1, 3))}) == 1
    assert len({sum(p.numel() for p in board(pools).parameters()) for pools in ((), (1,), (1, 3))}) == 1
    assert counted(board()) == 6 * (3 * 25 + 1) + 2 * 6 * (6 * 9 + 1) + 6


def test_without_pooling_a_pattern_moved_on_the_board_moves_its_logits():
    network = board()
    x = torch.zeros(1, 3, 9, 9)
    x[0, 0, 4, 4] = 1
    still = network(torch.zeros(1, 3, 9, 9)).reshape(9, 9)
    here = network(x).reshape(9, 9) - still
    there = network(x.roll(1, dims=3)).reshape(9, 9) - still
    torch.testing.assert_close(here[:, 3:6], there[:, 4:7])  # away from the edge's zeros
    assert here.abs().max() > 1e-4


@pytest.mark.parametrize(("pools", "wide"), [((1,), 2), ((1, 3), 4)])
def test_a_point_s_logit_is_that_of_the_place_it_was_pooled_into(pools, wide):
    network = board(pools)
    x = torch.randn(2, 3, 9, 9)
    places = maps(network, x, "head")[:, 0]
    logits = network(x).reshape(2, 9, 9)
    for row in range(9):
        for column in range(9):
            torch.testing.assert_close(logits[:, row, column], places[:, row // wide, column // wide])


def test_each_point_has_a_bias_of_its_own():
    network = board((1,))
    x = torch.randn(1, 3, 9, 9)
    before = network(x)
    with torch.no_grad():
        network.bias.bias[80] = 2.0
    assert (network(x) - before)[0].nonzero().flatten().tolist() == [80]


def test_pooling_drops_no_row_of_an_odd_board():
    network = board((1,))
    x = torch.zeros(1, 3, 9, 9, requires_grad=True)
    maps(network, x, "pool1").sum().backward()
    assert (x.grad.abs().sum((0, 1)) > 0)[8].any() and (x.grad.abs().sum((0, 1)) > 0)[:, 8].any()


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"classes": 80}, "81 points"), ({"head": "wide"}, "'wide'"), ({"pools": (4,)}, "from 1 to 3")],
)
def test_what_can_t_be_built_is_refused(changes, says):
    settings = {"shape": (3, 9, 9), "classes": 81, "filters": 4, "layers": 3, "pools": (), "head": "point"}
    with pytest.raises(ValueError, match=says):
        Board(**(settings | changes))
