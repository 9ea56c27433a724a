"""How much a network computes for one sample, so that methods can say in advance what they can afford."""

from __future__ import annotations

import math

from torch import Tensor, nn

from cnnatomy.probing.layers import CONVOLUTIONS, trace

LARGE = 5e7  # multiply-adds for one sample from which on a network is a large one: what is repeated is done once


def multiply_adds(network: nn.Module, x: Tensor) -> int:
    """Multiplications of the convolutions and dense layers in one forward pass on `x`, (1, *shape); at least 1."""
    total = 0
    for layer in trace(network, x):
        module = layer.module
        if isinstance(module, CONVOLUTIONS):
            total += math.prod(layer.shape) * math.prod(module.kernel_size) * module.in_channels // module.groups
        elif isinstance(module, nn.Linear):
            total += math.prod(layer.shape) * module.in_features
    return max(1, total)


def affordable(budget: float, each: float, least: int, most: int) -> int:
    """How many times something that costs `each` fits into `budget`, within limits."""
    return int(min(most, max(least, budget // each)))
