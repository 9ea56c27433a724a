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
from cnnatomy.lessons.mse_surface.settings import Settings
from cnnatomy.lessons.mse_surface.xor import UNITS, Plane, learn
from cnnatomy.statistics.numbers import Numbers

SPAN = 5.0  # the surface is measured, and drawn, for weights and biases from −SPAN to SPAN
AXIS = np.linspace(-SPAN, SPAN, 161)
THERE = 0.01  # of the error at the start: a path that stays below this share has arrived
ADAM = 0.1  # its step size

Error = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Path:
    """One descent: weight and bias before each step and after the last, (steps + 1, 2), and the errors, (steps + 1,).

    size: of its steps, or how many samples a step sees; None where it chooses its steps by itself.
    away: from its end to the minimum.
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

    network: what is not free. heights: the error for each b and a of `AXIS`. minimum: (2,), where the error is 0.
    curvatures: there, along the ravine and across it, and along: (2,), the direction in which it leads. steps: as many
    as were allowed. planes: what one hidden unit makes of XOR, and what two do.
    """

    paths: Mapping[str, Path]
    network: Network
    heights: np.ndarray
    minimum: np.ndarray
    curvatures: tuple[float, float]
    along: np.ndarray
    steps: int
    planes: Mapping[str, Plane]

    @property
    def ravine(self) -> float:
        """How many times as much the error bends across as along the direction in which it bends least."""
        return self.curvatures[1] / self.curvatures[0]


@dataclass(frozen=True)
class Network:
    """f(x) = tanh(a·x + b) − tanh(v·x + c) on samples x, (n,), with targets y, (n,); v and c are `other`."""

    x: Tensor
    y: Tensor
    other: Tensor

    def error(self, weights: Tensor, some: Tensor | slice = slice(None)) -> Tensor:
        """The mean squared error of a and b, (2,), over some of the samples."""
        return ((unit(weights, self.x[some]) - unit(self.other, self.x[some]) - self.y[some]) ** 2).mean()


def unit(weights: Tensor, x: Tensor) -> Tensor:
    """tanh(a·x + b) for (a, b)."""
    return torch.tanh(weights[0] * x + weights[1])


def measure(settings: Settings) -> Descents:
    """Walk every path, and learn XOR.

    settings: `seed`, `samples`, `truth`, `other`, `start`, `steps`, `step_sizes` (three), `momentum`, `batch`,
    `xor_starts`.
    """
    chance = torch.Generator().manual_seed(settings.seed)
    x = torch.linspace(-2, 2, settings.samples, dtype=torch.float64)
    truth, other = (torch.tensor(one, dtype=torch.float64) for one in (settings.truth, settings.other))
    network = Network(x, unit(truth, x) - unit(other, x), other)
    places = torch.from_numpy(np.stack(np.meshgrid(AXIS, AXIS), axis=-1))
    heights = torch.func.vmap(torch.func.vmap(network.error))(places).numpy()
    curvatures, directions = np.linalg.eigh(torch.func.hessian(network.error)(truth).numpy())
    along = directions[:, 0] * np.sign(directions[0, 0])
    paths = _paths(network, settings, chance)
    planes = {many: learn(units, settings.xor_starts, chance) for many, units in UNITS.items()}
    least, most = map(float, curvatures)
    return Descents(paths, network, heights, truth.numpy(), (least, most), along, settings.steps, planes)


def _paths(network: Network, settings: Settings, chance: torch.Generator) -> dict[str, Path]:
    error, minimum = network.error, np.array(settings.truth)

    def of_some(weights: Tensor) -> Tensor:
        return error(weights, torch.randperm(len(network.x), generator=chance)[: settings.batch])

    def path(name: str, size: float | None, weights: np.ndarray) -> Path:
        errors = np.array([float(error(torch.from_numpy(place))) for place in weights])
        return Path(name, size, weights, errors, float(np.linalg.norm(weights[-1] - minimum)))

    def sgd(size: float, **options: float) -> np.ndarray:
        return _descend(error, settings, torch.optim.SGD, lr=size, **options)

    small, right, large = settings.step_sizes
    batch = settings.batch
    return {
        "small": path(f"step {small:g}", small, sgd(small)),
        "right": path(f"step {right:g}", right, sgd(right)),
        "large": path(f"step {large:g}", large, sgd(large)),
        "momentum": path(f"step {small:g}, momentum", small, sgd(small, momentum=settings.momentum)),
        "adam": path("Adam", None, _descend(error, settings, torch.optim.Adam, lr=ADAM)),
        "batches": path(f"batches of {batch}", batch, _descend(of_some, settings, torch.optim.SGD, lr=right)),
        "conjugate": path("conjugate gradients", None, _by_scipy(error, settings, "CG")),
        "newton": path("Newton", None, _by_scipy(error, settings, "trust-exact")),
    }


def _descend(error: Error, settings: Settings, optimiser: Any, **options: float) -> np.ndarray:
    """Weight and bias before each step and after the last, (steps + 1, 2)."""
    weights = nn.Parameter(torch.tensor(settings.start, dtype=torch.float64))
    walker = optimiser([weights], **options)
    path = [weights.detach().numpy().copy()]
    for _ in range(settings.steps):
        walker.zero_grad()
        error(weights).backward()
        walker.step()
        path.append(weights.detach().numpy().copy())
    return np.array(path)


def _by_scipy(error: Error, settings: Settings, method: str) -> np.ndarray:
    """The path of a scipy minimiser, with torch's gradient and curvature."""
    from scipy.optimize import minimize

    def value(place: np.ndarray) -> float:
        return float(error(torch.from_numpy(place)))

    def gradient(place: np.ndarray) -> np.ndarray:
        return torch.func.grad(error)(torch.from_numpy(place)).numpy()

    def curvature(place: np.ndarray) -> np.ndarray:
        return torch.func.hessian(error)(torch.from_numpy(place)).numpy()

    path = [np.array(settings.start, dtype=float)]
    minimize(
        value,
        path[0],
        jac=gradient,
        hess=curvature if method == "trust-exact" else None,
        method=method,
        callback=lambda place: path.append(np.array(place)),
        options={"maxiter": settings.steps},
    )
    return np.array(path)


def numbers(found: Descents) -> Numbers:
    """The error at the start, XOR, and where each path ends."""
    rows = Numbers()
    rows.add("mse_at_start", significant(float(found.paths["small"].errors[0])))
    rows.add("curvature_ratio", significant(found.ravine))
    for many, plane in found.planes.items():
        rows.add(f"xor_solved_by_{many}", plane.solved, unit="fraction", n=plane.starts)
    for path in found.paths.values():
        with rows.about(f"path={path.name}"):
            rows.add("final_mse", significant(float(path.errors[-1])))
            rows.add("distance_to_minimum", significant(path.away))
            if path.arrives is not None:
                rows.add("steps_to_one_per_cent", path.arrives)
    return rows
