"""A small network of sigmoid neurons, forward and back by hand, beside autograd.

Rumelhart, Hinton & Williams 1986, Learning representations by back-propagating errors, Nature 323.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from cnnatomy.lessons.neuron.settings import Settings
from cnnatomy.statistics.numbers import Numbers


@dataclass(frozen=True)
class Layer:
    """One layer of neurons, forward and back.

    weights (neurons, inputs), biases (neurons,), given (inputs,): what it is handed. sums: weighted, with the bias;
    activations: their sigmoid; deltas: the error's slopes by the sums, all (neurons,).
    """

    weights: np.ndarray
    biases: np.ndarray
    given: np.ndarray
    sums: np.ndarray
    activations: np.ndarray
    deltas: np.ndarray

    @property
    def slopes(self) -> np.ndarray:
        """The error's slope by each weight: what the neuron was handed times its δ, (neurons, inputs)."""
        return np.outer(self.deltas, self.given)


@dataclass(frozen=True)
class Backpropagation:
    """target: one-hot. rate: of the step. before, after: the error, before the step and after it.

    autograd: torch's slopes by the weights and by the biases of each layer, in the order of `layers`.
    """

    layers: Sequence[Layer]
    target: np.ndarray
    rate: float
    before: float
    after: float
    autograd: Sequence[tuple[np.ndarray, np.ndarray]]

    @property
    def difference(self) -> float:
        """How far a slope by hand is from autograd's, at most."""
        pairs = zip(self.layers, self.autograd, strict=True)
        return max(
            float(np.abs(ours - theirs).max())
            for layer, found in pairs
            for ours, theirs in zip((layer.slopes, layer.deltas), found, strict=True)
        )


def measure(settings: Settings) -> Backpropagation:
    """settings: `layers`, how many numbers go in and how many neurons each has; `target`, `rate`, `seed`."""
    draw = np.random.default_rng(settings.seed)
    sizes = settings.layers
    x = draw.random(sizes[0]).round(1)  # few digits, so that one can follow by hand
    target = np.eye(sizes[-1])[settings.target]
    weights = [
        (draw.uniform(-1, 1, (after, before)).round(1), draw.uniform(-1, 1, after).round(1))
        for before, after in zip(sizes, sizes[1:], strict=False)
    ]
    layers = walk(weights, x, target)
    rate = settings.rate
    stepped = [(one.weights - rate * one.slopes, one.biases - rate * one.deltas) for one in layers]
    before, after = (error(found[-1].activations, target) for found in (layers, walk(stepped, x, target)))
    return Backpropagation(layers, target, rate, before, after, by_autograd(weights, x, target))


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(−z))."""
    return np.asarray(1 / (1 + np.exp(-z)))


def error(outputs: np.ndarray, target: np.ndarray) -> float:
    """Half the sum of squares."""
    return float(((outputs - target) ** 2).sum() / 2)


def walk(weights: Sequence[tuple[np.ndarray, np.ndarray]], x: np.ndarray, target: np.ndarray) -> list[Layer]:
    """Forward layer by layer, then δ handed back from the last to the first."""
    given, forward = x, []
    for matrix, biases in weights:
        sums = matrix @ given + biases
        forward.append((given, sums, sigmoid(sums)))
        given = forward[-1][2]
    layers: list[Layer] = []
    handed = given - target  # the error's slope by what the last layer gives
    for (matrix, biases), (given, sums, activations) in zip(weights[::-1], forward[::-1], strict=True):
        deltas = handed * activations * (1 - activations)
        layers.insert(0, Layer(matrix, biases, given, sums, activations, deltas))
        handed = matrix.T @ deltas
    return layers


def by_autograd(
    weights: Sequence[tuple[np.ndarray, np.ndarray]], x: np.ndarray, target: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The same slopes by torch."""
    tensors = [tuple(torch.tensor(one, requires_grad=True) for one in pair) for pair in weights]
    given = torch.tensor(x)
    for matrix, biases in tensors:
        given = torch.sigmoid(matrix @ given + biases)
    flat = [one for pair in tensors for one in pair]
    slopes = torch.autograd.grad((given - torch.tensor(target)).square().sum() / 2, flat)
    return [(slopes[at].numpy(), slopes[at + 1].numpy()) for at in range(0, len(slopes), 2)]


def numbers(found: Backpropagation) -> Numbers:
    """How far autograd is away, the error before and after one step, and how large δ is in each layer."""
    rows = Numbers()
    parameters = sum(one.weights.size + one.biases.size for one in found.layers)
    rows.add("difference_from_autograd", found.difference, n=parameters)
    rows.add("parameters", parameters)
    rows.add("error_before_step", found.before)
    rows.add("error_after_step", found.after)
    for number, layer in enumerate(found.layers, 1):
        with rows.about(f"layer={number}"):
            rows.add("mean_size_of_delta", float(np.abs(layer.deltas).mean()))
    return rows
