"""A dense network, which knows nothing of what lies beside what: the measure of what convolution is worth."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence

from torch import nn


class Dense(nn.Sequential):
    """Logits (n, classes) of samples (n, *shape) of any shape, through hidden layers of so many `units`.

    `dropout` is the share of each hidden layer's values that is left out in training. Without hidden layers (`units`
    empty) it is a linear classifier.
    """

    def __init__(self, shape: tuple[int, ...], classes: int, units: Sequence[int], dropout: float) -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
        values = math.prod(shape)
        for place, wide in enumerate(units, start=1):
            layers[f"dense{place}"] = nn.Linear(values, wide)
            layers[f"relu{place}"] = nn.ReLU()
            layers[f"dropout{place}"] = nn.Dropout(dropout)
            values = wide
        layers[f"dense{len(units) + 1}"] = nn.Linear(values, classes)
        super().__init__(layers)
