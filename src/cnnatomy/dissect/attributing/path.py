"""The mean of a network's gradient along a straight line, exact where the network is linear between kinks.

A network of convolutions, dense layers, ReLU and max pooling is piecewise linear: along a line its output is a chain
of straight pieces, and its gradient changes at their kinks only. A sum over equal steps misses where the kinks are
and converges slowly (on the lecture's network 1,000 steps leave a gap of some 1e-3). Here they are sought: between two
points with their gradients, a single kink can only be where the two tangents meet; if the output there is what the
tangents say, the piece is done, else it is split there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Along = Callable[[Tensor], tuple[Tensor, Tensor]]
"""From places on the line, (k,) of 0 to 1, the outputs there, (k,), and the gradients times the line's direction,
(k, *shape)."""

NARROW = 1e-9  # a piece of the line shorter than this is not split any more


@dataclass(frozen=True)
class Mean:
    """What was found along a line.

    contributions: (*shape), whose sum should be the difference of the outputs.
    difference: of the outputs at the line's ends. gap: by how much the contributions miss it.
    points: at how many places the network was asked. resolved: share of the line on which the gradient is known
    everywhere, because there is no kink or one whose place is known.
    """

    contributions: Tensor
    difference: float
    gap: float
    points: int
    resolved: float


@dataclass(frozen=True)
class _Point:
    at: float
    output: float
    slope: float
    gradient: Tensor


def mean_gradient(along: Along, start: int, points: int, tolerance: float, batch: int = 16) -> Mean:
    """Integrate the gradient over the line from 0 to 1, beginning with `start` equal pieces.

    At most about `points` places are asked. Where they do not suffice, a piece's mean gradient is the mixture of those
    at its ends that gives the right difference of outputs; a quarter of `points` is kept back to split the pieces for
    which there is none. `tolerance` is that of a piece's tangents, as a share of the output's whole change; `batch`
    places go through the network together.
    """
    found = _ask(along, [i / start for i in range(start + 1)], batch)
    asked = len(found)
    change = max(abs(point.output - found[0].output) for point in found)
    pieces = list(zip(found[:-1], found[1:], strict=True))
    done: list[tuple[_Point, _Point]] = []
    exact = 0.0
    while pieces:
        todo, places = [], []
        for one, other in pieces:
            length = other.at - one.at
            allowed = tolerance * change * length + 1e-14 * change
            rise = other.output - one.output
            straight = all(abs(rise - end.slope * length) <= allowed for end in (one, other))
            if straight or length < NARROW or change == 0:
                done.append((one, other))
                exact += length
            else:
                todo.append((one, other))
                share = _share(one, other)
                places.append(one.at + length * share if 1e-3 < share < 1 - 1e-3 else (one.at + other.at) / 2)
        if asked + len(todo) > 0.75 * points:
            pieces = todo
            break
        middles = _ask(along, places, batch)
        asked += len(middles)
        pieces = []
        for (one, other), middle in zip(todo, middles, strict=True):
            length = other.at - one.at
            foretold = one.output + one.slope * (middle.at - one.at)
            meets = 0 < _share(one, other) < 1 and abs(middle.at - one.at - length * _share(one, other)) < 1e-6 * length
            if meets and abs(middle.output - foretold) <= tolerance * change * length + 1e-13 * change:
                done.append((one, other))
                exact += length
            else:
                pieces += [(one, middle), (middle, other)]
    rest, asked = _completed(along, pieces, asked, points, batch)
    total = torch.zeros_like(found[0].gradient, dtype=torch.float64)
    for one, other in done + rest:
        share = min(1.0, max(0.0, _share(one, other)))
        total += (other.at - one.at) * (share * one.gradient.double() + (1 - share) * other.gradient.double())
    difference = found[-1].output - found[0].output
    return Mean(total, difference, float(total.sum()) - difference, asked, exact)


def _completed(
    along: Along, pieces: list[tuple[_Point, _Point]], asked: int, points: int, batch: int
) -> tuple[list[tuple[_Point, _Point]], int]:
    """The pieces, those split in two for which no mixture of the gradients at their ends gives their rise."""
    ready: list[tuple[_Point, _Point]] = []
    while pieces:
        wrong: list[tuple[_Point, _Point]] = []
        for one, other in pieces:
            (ready if 0 <= _share(one, other) <= 1 else wrong).append((one, other))
        room = max(0, points - asked)
        wrong.sort(key=lambda piece: piece[0].at - piece[1].at)  # the longest first
        ready += wrong[room:]
        wrong = wrong[:room]
        middles = _ask(along, [(one.at + other.at) / 2 for one, other in wrong], batch)
        asked += len(middles)
        pieces = [
            half
            for (one, other), middle in zip(wrong, middles, strict=True)
            for half in ((one, middle), (middle, other))
        ]
    return ready, asked


def _share(one: _Point, other: _Point) -> float:
    """How much of a piece has the first end's gradient, so that both give its rise; none does outside of 0 to 1."""
    length, bend = other.at - one.at, one.slope - other.slope
    if abs(bend) <= 1e-9 * max(abs(one.slope), abs(other.slope), 1e-30):
        return 0.5
    return ((other.output - one.output) / length - other.slope) / bend


def _ask(along: Along, places: list[float], batch: int) -> list[_Point]:
    points: list[_Point] = []
    for first in range(0, len(places), batch):
        part = places[first : first + batch]
        outputs, gradients = along(torch.tensor(part, dtype=torch.float64))
        slopes = gradients.double().flatten(1).sum(1)
        points += [
            _Point(at, float(output), float(slope), gradient)
            for at, output, slope, gradient in zip(part, outputs, slopes, gradients, strict=True)
        ]
    return points
