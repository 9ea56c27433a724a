"""How much a network computes for one sample, so that methods can say in advance what they can afford."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn

from cnnatomy.inspection.layers import CONVOLUTIONS, Layer, trace, whole

LARGE = 1.2e7  # effort for one sample from which on a network is a large one: what is repeated is done once
CALL = 1e5  # multiply-adds in whose time a layer does all else for one sample, and more of them where it has few to do


def effort(network: nn.Module, x: Tensor) -> float:
    """How many multiply-adds take as long as one sample in a batch, about; x: (1, *shape of a sample). At least 1.

    Those of the convolutions and dense layers, and what each layer takes besides: a network of many small layers
    computes little and is slow nevertheless, such as MobileNet.
    """
    return max(1.0, reached(trace(network, x)))


def reached(layers: Sequence[Layer], last: Layer | None = None) -> float:
    """The effort of the traced layers as far as `last` and with it."""
    names = [layer.name for layer in layers]
    passed = layers if last is None else layers[: names.index(last.name) + 1]
    return up_to(passed) + CALL * sum(map(_works, passed))


def up_to(layers: Sequence[Layer], last: Layer | None = None) -> int:
    """Multiplications of the traced convolutions and dense layers for one sample, as far as `last` and with it."""
    names = [layer.name for layer in layers]
    return sum(map(products, layers if last is None else layers[: names.index(last.name) + 1]))


def _works(layer: Layer) -> bool:
    return whole(layer.module) and not isinstance(layer.module, nn.Identity | nn.Dropout | nn.Flatten)


def products(layer: Layer) -> int:
    """Multiplications of one layer for one sample; 0 for all but convolutions and dense layers."""
    module = layer.module
    if isinstance(module, CONVOLUTIONS):
        return math.prod(layer.shape) * math.prod(module.kernel_size) * module.in_channels // module.groups
    return math.prod(layer.shape) * module.in_features if isinstance(module, nn.Linear) else 0


def affordable(budget: float, each: float, least: int, most: int) -> int:
    """How many times something that costs `each` fits into `budget`, within limits."""
    return int(min(most, max(least, budget // each)))
