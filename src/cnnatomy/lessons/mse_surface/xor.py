"""XOR, learned from random starts by one unit, and by two and one behind them (Minsky & Papert 1969, Perceptrons)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

UNITS = {"one_unit": 1, "two_units": 2}  # hidden units that are to learn it
CASES = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
TRUE = torch.tensor([False, True, True, False])
PLANE = np.linspace(-0.5, 1.5, 81)  # of both inputs, where answers are looked at


@dataclass(frozen=True)
class Plane:
    """From how many random starts XOR was learned, as a share of `starts`; and an example of what can be.

    Of two units that is one of the networks that got most right; of one unit, which XOR drives to weights of 0, a line
    that gets most right of all. right: cases of four. lines: (units, 3), w, v and c of w·x + v·y + c = 0, where each
    hidden unit is zero. answers: (places, places), whether it says true, for each second and first input of `PLANE`.
    """

    solved: float
    starts: int
    right: int
    lines: np.ndarray
    answers: np.ndarray


def learn(hidden: int, starts: int, chance: torch.Generator) -> Plane:
    """Train from every start at once: one unit, or `hidden` units and one behind them."""

    def random(*shape: int) -> nn.Parameter:
        return nn.Parameter(torch.randn(starts, *shape, generator=chance))

    first, bias = random(2, hidden), random(1, hidden)
    second, end = random(hidden, 1), random(1, 1)
    walker = torch.optim.Adam([first, bias, second, end], lr=0.05)

    def answers(x: Tensor) -> Tensor:
        """Of every start's network, (starts, places)."""
        units = x @ first + bias
        return (units if hidden == 1 else torch.tanh(units) @ second + end).squeeze(-1)

    for _ in range(2000):
        walker.zero_grad()
        wanted = TRUE.float().expand(starts, 4)
        nn.functional.binary_cross_entropy_with_logits(answers(CASES), wanted, reduction="sum").backward()
        walker.step()
    if hidden == 1:
        return _line(float(((answers(CASES) > 0) == TRUE).all(dim=1).double().mean()), starts)
    with torch.no_grad():
        right = ((answers(CASES) > 0) == TRUE).sum(dim=1)
        best = int(right.argmax())
        places = torch.from_numpy(np.stack(np.meshgrid(PLANE, PLANE), axis=-1)).float()
        said = (answers(places.view(-1, 2))[best] > 0).view(len(PLANE), len(PLANE))
    lines = torch.cat([first[best], bias[best]]).T.detach().numpy()
    return Plane(float((right == 4).double().mean()), starts, int(right[best]), lines, said.numpy())


def _line(solved: float, starts: int) -> Plane:
    """The line that gets most of the four right, of all directions by a degree and all places by a twentieth."""
    angles, places = np.meshgrid(np.radians(np.arange(360)), np.linspace(-2, 2, 81), indexing="ij")
    lines = np.stack([np.cos(angles), np.sin(angles), -places], axis=-1).reshape(-1, 3)
    cases = np.c_[CASES.numpy(), np.ones(4)]
    right = (((cases @ lines.T) > 0) == TRUE.numpy()[:, None]).sum(axis=0)
    widest = np.abs(cases @ lines.T).min(axis=0)  # of lines equally good, the one that keeps away from the cases
    best = int(np.lexsort((widest, right))[-1])
    x, y = np.meshgrid(PLANE, PLANE)
    said = lines[best] @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)]) > 0
    return Plane(solved, starts, int(right[best]), lines[best : best + 1], said.reshape(x.shape))
