"""M1, the lecture's network for small images: convolution and pooling twice, then two dense layers."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from cnnatomy.models.pools import pool


class Lecture(nn.Sequential):
    """Logits (n, classes) of images (n, channels, height, width).

    With 28 × 28 pixels and 25 and 50 filters of 3 × 3 the maps are 26 × 26, 13 × 13, 11 × 11, 5 × 5; 1,250 values go
    into 100 units. `dropout` is the share of them left out in training, before each dense layer. `pooling` is a kind
    of `pools.pool`; with none the maps stay at 26 × 26 and 24 × 24.

    Raises ValueError for images smaller than 10 × 10 pixels, of which the layers leave nothing.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        classes: int,
        filters: tuple[int, int],
        units: int,
        dropout: float,
        pooling: str = "max",
    ) -> None:
        channels, height, width = shape
        if min(height, width) < 10:
            raise ValueError(f"images of {height} × {width} pixels are too small for this network: it needs 10 × 10")
        first, second = filters
        left = (height - 4) * (width - 4) if pooling == "none" else _left(height) * _left(width)
        super().__init__(
            OrderedDict(
                conv1=nn.Conv2d(channels, first, 3),
                relu1=nn.ReLU(),
                pool1=pool(pooling),
                conv2=nn.Conv2d(first, second, 3),
                relu2=nn.ReLU(),
                pool2=pool(pooling),
                flatten=nn.Flatten(),
                dropout1=nn.Dropout(dropout),
                dense1=nn.Linear(second * left, units),
                relu3=nn.ReLU(),
                dropout2=nn.Dropout(dropout),
                dense2=nn.Linear(units, classes),
            )
        )


def _left(pixels: int) -> int:
    """What is left of a side after (convolution 3, pool 2) twice."""
    return ((pixels - 2) // 2 - 2) // 2
