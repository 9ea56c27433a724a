"""Every layer's shape and parameters in the lecture's network, counted twice; two channels, pooled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from cnnatomy.inspection.layers import trace
from cnnatomy.lessons.shapes.settings import Settings
from cnnatomy.models.lecture import Lecture
from cnnatomy.statistics.numbers import Numbers

#: The two channels that lesson `convolution` ends with, (2, 4, 4).
CHANNELS = np.array(
    [
        [[3, -1, -3, -1], [-3, 1, 0, -3], [-3, -3, 0, 1], [3, -2, -2, -1]],
        [[-1, -1, -1, -1], [-1, -1, -2, 1], [-1, -1, -2, 1], [-1, 0, -4, 3]],
    ],
    dtype=float,
)


@dataclass(frozen=True)
class Counted:
    """One layer: the shape of what it gives for one image; its parameters, live and by hand."""

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    by_hand: int


@dataclass(frozen=True)
class Pooled:
    """A channel, (4, 4), and what pooling of 2 × 2 makes of it, (2, 2)."""

    channel: np.ndarray
    largest: np.ndarray
    mean: np.ndarray


@dataclass(frozen=True)
class Chain:
    """The layers in their order, and pooling."""

    layers: Sequence[Counted]
    pooled: Sequence[Pooled]


def measure(settings: Settings) -> Chain:
    """Build and trace the network. settings: `shape` of an image, `classes`, `filters` of two convolutions, `units`."""
    channels, rows, columns = settings.shape
    first, second = settings.filters
    network = Lecture((channels, rows, columns), settings.classes, (first, second), settings.units, dropout=0.0)
    return Chain(
        [
            Counted(
                layer.name,
                type(layer.module).__name__,
                tuple(layer.shape),
                sum(weights.numel() for weights in layer.module.parameters()),
                _by_hand(layer.module),
            )
            for layer in trace(network, torch.zeros(1, *settings.shape))
        ],
        [_pooled(channel) for channel in CHANNELS],
    )


def _by_hand(module: nn.Module) -> int:
    """Parameters by the formula: places × channels in × filters + filters; inputs × units + units; 0 for all else."""
    if isinstance(module, nn.Conv2d):
        return int(np.prod(module.kernel_size)) * module.in_channels * module.out_channels + module.out_channels
    if isinstance(module, nn.Linear):
        return module.in_features * module.out_features + module.out_features
    return 0


def _pooled(channel: np.ndarray) -> Pooled:
    squares = channel.reshape(2, 2, 2, 2).swapaxes(1, 2)
    return Pooled(channel, squares.max(axis=(2, 3)), squares.mean(axis=(2, 3)))


def numbers(found: Chain) -> Numbers:
    """Of the whole network, then of each layer that has parameters."""
    rows = Numbers()
    rows.add("parameters", sum(layer.parameters for layer in found.layers))
    rows.add("flattened", next(layer.shape[0] for layer in found.layers if layer.kind == "Flatten"))
    rows.add("difference_by_hand", sum(abs(layer.parameters - layer.by_hand) for layer in found.layers))
    for layer in found.layers:
        if layer.parameters:
            with rows.about(f"layer={layer.name}"):
                rows.add("parameters", layer.parameters)
    return rows
