"""Eight ways to descend from one start on the same error surface, where each ends, and XOR from random starts.

Nocedal & Wright 2006, Numerical optimization, chapters 4 and 5; Minsky & Papert 1969, Perceptrons.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.exhibit.rounding import significant
from cnnatomy.lessons.arriving import arrived
from cnnatomy.statistics.numbers import Numbers

SPAN = 5.0  # the surface is measured, and drawn, for weights from −SPAN to SPAN
AXIS = np.linspace(-SPAN, SPAN, 61)
THERE = 0.01  # of the error at the start: a path that stays below this share has arrived
ADAM = 0.1  # its step size
UNITS = {"one": 1, "two": 2}  # hidden units that are to learn XOR

Error = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Path:
    """One descent: the weights before each step and after the last, (steps + 1, 2), and the error there, (steps + 1,).

    size: of its steps, or how many samples a step sees; None where it chooses its steps by itself.
    away: from its end to the nearest minimum.
    """

    name: str
    size: float | None
    weights: np.ndarray
    errors: np.ndarray
    away: float

    @property
    def arrives(self) -> int | None:
        """The step from which on the error stays below `THERE` of that at the start; None if it doesn't."""
        return arrived(self.errors, THERE * self.errors[0])

    @property
    def leaves(self) -> bool:
        """Whether it leaves the drawing on its way."""
        return bool(np.abs(self.weights).max() > SPAN)


@dataclass(frozen=True)
class Descents:
    """Paths by their way (small, right, large, momentum, adam, batches, conjugate, newton), and the surface below them.

    heights: the error for each b and a of `AXIS`. minima: (2, 2), where the error is 0. steps: as many as were allowed.
    xor: of a network of one hidden unit, and of two, the share of its random starts from which it learns XOR.
    """

    paths: Mapping[str, Path]
    heights: np.ndarray
    minima: np.ndarray
    steps: int
    xor: Mapping[str, float]
    xor_starts: int


def measure(config: Mapping[str, Any]) -> Descents:
    """Walk every path. The network is f(x) = tanh(a·x + ½) − tanh(b·x − ½); `truth` made the targets.

    config: `seed`, `samples`, `truth`, `start`, `steps`, `step_sizes` (three), `momentum`, `batch`, `xor_starts`.
    """
    chance = torch.Generator().manual_seed(config["seed"])
    x = torch.linspace(-2, 2, config["samples"], dtype=torch.float64)
    y = _network(torch.tensor(config["truth"], dtype=torch.float64), x)
    a, b = config["truth"]
    minima = np.array([[a, b], [-b, -a]])  # tanh is odd: swapped, with their signs turned, the two units do the same

    def error(weights: Tensor) -> Tensor:
        return ((_network(weights, x) - y) ** 2).mean()

    def of_some(weights: Tensor) -> Tensor:
        some = torch.randperm(len(x), generator=chance)[: config["batch"]]
        return ((_network(weights, x[some]) - y[some]) ** 2).mean()

    def path(name: str, size: float | None, weights: np.ndarray) -> Path:
        errors = np.array([float(error(torch.from_numpy(place))) for place in weights])
        return Path(name, size, weights, errors, float(np.linalg.norm(weights[-1] - minima, axis=1).min()))

    def sgd(size: float, **settings: float) -> np.ndarray:
        return _descend(error, config, torch.optim.SGD, lr=size, **settings)

    small, right, large = config["step_sizes"]
    batch = config["batch"]
    paths = {
        "small": path(f"step {small:g}", small, sgd(small)),
        "right": path(f"step {right:g}", right, sgd(right)),
        "large": path(f"step {large:g}", large, sgd(large)),
        "momentum": path(f"step {small:g}, momentum", small, sgd(small, momentum=config["momentum"])),
        "adam": path("Adam", None, _descend(error, config, torch.optim.Adam, lr=ADAM)),
        "batches": path(f"batches of {batch}", batch, _descend(of_some, config, torch.optim.SGD, lr=right)),
        "conjugate": path("conjugate gradients", None, _by_scipy(error, config, "CG")),
        "newton": path("Newton", None, _by_scipy(error, config, "trust-exact")),
    }
    places = torch.from_numpy(np.stack(np.meshgrid(AXIS, AXIS), axis=-1))
    heights = torch.func.vmap(torch.func.vmap(error))(places).numpy()
    xor = {many: _xor(units, config["xor_starts"], chance) for many, units in UNITS.items()}
    return Descents(paths, heights, minima, config["steps"], xor, config["xor_starts"])


def _network(weights: Tensor, x: Tensor) -> Tensor:
    """f(x) for weights (…, 2): (…, samples)."""
    return torch.tanh(weights[..., :1] * x + 0.5) - torch.tanh(weights[..., 1:] * x - 0.5)


def _descend(error: Error, config: Mapping[str, Any], optimiser: Any, **settings: float) -> np.ndarray:
    """The weights before each step and after the last, (steps + 1, 2)."""
    weights = nn.Parameter(torch.tensor(config["start"], dtype=torch.float64))
    walker = optimiser([weights], **settings)
    path = [weights.detach().numpy().copy()]
    for _ in range(config["steps"]):
        walker.zero_grad()
        error(weights).backward()
        walker.step()
        path.append(weights.detach().numpy().copy())
    return np.array(path)


def _by_scipy(error: Error, config: Mapping[str, Any], method: str) -> np.ndarray:
    """The path of a scipy minimiser, with torch's gradient and curvature."""
    from scipy.optimize import minimize

    def value(place: np.ndarray) -> float:
        return float(error(torch.from_numpy(place)))

    def gradient(place: np.ndarray) -> np.ndarray:
        return torch.func.grad(error)(torch.from_numpy(place)).numpy()

    def curvature(place: np.ndarray) -> np.ndarray:
        return torch.func.hessian(error)(torch.from_numpy(place)).numpy()

    path = [np.array(config["start"], dtype=float)]
    minimize(
        value,
        path[0],
        jac=gradient,
        hess=curvature if method == "trust-exact" else None,
        method=method,
        callback=lambda place: path.append(np.array(place)),
        options={"maxiter": config["steps"]},
    )
    return np.array(path)


def _xor(hidden: int, starts: int, chance: torch.Generator) -> float:
    """The share of random starts from which a network learns XOR: one unit, or `hidden` units and one behind them."""
    x = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    y = torch.tensor([0.0, 1, 1, 0])

    def random(*shape: int) -> nn.Parameter:
        return nn.Parameter(torch.randn(starts, *shape, generator=chance))

    first, bias = random(2, hidden), random(1, hidden)
    second, end = random(hidden, 1), random(1, 1)
    walker = torch.optim.Adam([first, bias, second, end], lr=0.05)

    def answers() -> Tensor:
        """Of every start's network, (starts, 4)."""
        units = x @ first + bias
        return (units if hidden == 1 else torch.tanh(units) @ second + end).squeeze(-1)

    for _ in range(2000):
        walker.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(answers(), y.expand(starts, 4), reduction="sum").backward()
        walker.step()
    return float(((answers() > 0) == (y > 0)).all(dim=1).double().mean())


def numbers(found: Descents) -> Numbers:
    """The error at the start, XOR, and where each path ends."""
    rows = Numbers()
    rows.add("mse_at_start", significant(float(found.paths["small"].errors[0])))
    rows.add("xor_solved_by_one_unit", found.xor["one"], unit="fraction", n=found.xor_starts)
    rows.add("xor_solved_by_two_units", found.xor["two"], unit="fraction", n=found.xor_starts)
    for path in found.paths.values():
        with rows.about(f"path={path.name}"):
            rows.add("final_mse", significant(float(path.errors[-1])))
            rows.add("distance_to_minimum", significant(path.away))
            if path.arrives is not None:
                rows.add("steps_to_one_per_cent", path.arrives)
    return rows
