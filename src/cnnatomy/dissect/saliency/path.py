"""The mean of a network's gradient along a straight line, with an estimate of how wrong it is.

A network of convolutions, dense layers, ReLU and max pooling is piecewise linear: along a line its gradient is a
staircase, with thousands of steps in a small network and a few large ones among them. Equal steps waste their places
where little happens. Here the line is halved where halving changed most: every piece is known at two resolutions, and
what the finer one changed is what its error is judged by. That the contributions sum to the difference of the outputs
is no evidence: a sum can be right while its cells are not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Along = Callable[[Tensor], tuple[Tensor, Tensor]]
"""From places on the line, (k,) of 0 to 1, the outputs there, (k,), and the gradients times the line's direction, of
each cell of the map: (k, *cells)."""

START = 16  # pieces that the line is cut into first, each of which is halved at once


@dataclass(frozen=True)
class Mean:
    """What was found along a line.

    contributions: (*cells), double. difference: of the outputs at the line's ends, which the contributions' sum misses
    by `gap`. error: of the worst cell, estimated, as a share of the largest cell. points: at how many places the
    network was asked.
    """

    contributions: Tensor
    difference: float
    gap: float
    error: float
    points: int


def mean_gradient(along: Along, tolerance: float, points: int, batch: int = 16) -> Mean:
    """Integrate the gradient over the line from 0 to 1 until the worst cell's error is `tolerance` of the largest.

    At most about `points` places are asked, 3 at least; `batch` places go through the network together. The error of a
    cell is estimated as the root of the summed squares of what the last halving of each piece changed. Where the
    gradient is a staircase this is √3 times what is to be expected of the error, whose steps lie anywhere in their
    pieces and go up as well as down; so it is about what is to be expected of the worst of many cells.
    """
    start = max(1, min(START, (points - 1) // 2))
    line = _Line(along, max(points, 3), batch)
    ends = line.ask(torch.arange(start + 1, dtype=torch.float64) / start)
    halves = torch.stack([ends[:-1], ends[1:]], dim=1)
    pieces = torch.empty((0, 3), dtype=torch.long)  # each the numbers of its left end, its middle and its right end
    changes = torch.empty(0, dtype=torch.float64)  # of each piece, by how much halving it changed a cell at most
    total, squares = torch.zeros_like(line.gradients[0]), torch.zeros_like(line.gradients[0])
    while True:
        middles = line.ask(line.at[halves].mean(1))
        new = torch.stack([halves[:, 0], middles, halves[:, 1]], dim=1)
        whole, change = line.integrals(new)
        total += whole.sum(0)
        squares += (change**2).sum(0)
        pieces, changes = torch.cat([pieces, new]), torch.cat([changes, change.flatten(1).abs().amax(1)])
        largest = float(total.abs().max())
        error = float(squares.max().clamp(min=0).sqrt()) / largest if largest > 0 else 0.0
        room = (points - line.asked) // 2
        if error <= tolerance or room < 1:
            break
        order = changes.argsort(descending=True, stable=True)
        worst, rest = order.split([k := min(room, max(batch // 2, len(order) // 8), len(order)), len(order) - k])
        whole, change = line.integrals(pieces[worst])
        total -= whole.sum(0)
        squares -= (change**2).sum(0)
        halves = torch.cat([pieces[worst][:, :2], pieces[worst][:, 1:]])
        pieces, changes = pieces[rest], changes[rest]
    difference = float(line.outputs[start] - line.outputs[0])
    return Mean(total, difference, float(total.sum()) - difference, error, line.asked)


class _Line:
    """The places on the line that were asked, by the numbers that `ask` gives them."""

    def __init__(self, along: Along, most: int, batch: int) -> None:
        self._along, self._batch = along, batch
        self.asked = 0
        self.at = torch.empty(most, dtype=torch.float64)
        self.outputs = torch.empty(most, dtype=torch.float64)
        self.gradients = torch.empty(0)

    def ask(self, places: Tensor) -> Tensor:
        """Ask at these places, (k,); gives their numbers."""
        first = self.asked
        for part in places.split(self._batch):
            outputs, gradients = self._along(part)
            if self.asked == 0:
                self.gradients = torch.empty((len(self.at), *gradients.shape[1:]), dtype=torch.float64)
            new = slice(self.asked, self.asked + len(part))
            self.at[new], self.outputs[new], self.gradients[new] = part, outputs.double(), gradients.double()
            self.asked = new.stop
        return torch.arange(first, self.asked)

    def integrals(self, pieces: Tensor) -> tuple[Tensor, Tensor]:
        """By trapezoids over both halves of each piece, (k, *cells), and by how much the halving changed that."""
        left, middle, right = self.gradients[pieces].unbind(1)
        width = (self.at[pieces[:, 2]] - self.at[pieces[:, 0]]).reshape(-1, *[1] * (left.dim() - 1))
        ends = left + right
        return width / 4 * (ends + 2 * middle), width / 4 * (ends - 2 * middle)
