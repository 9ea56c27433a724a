"""S2, a network for spectrograms whose filters span the window's whole time and move along frequency only."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn


class Frequency(nn.Sequential):
    """Logits (n, classes) of spectrograms (n, 1, bands, frames).

    A filter of the first layer is `heights[0]` bands high and as wide as the window, so that its map has one
    column: the same pattern may sit higher or lower, by voice. The second layer's filters move along that column.

    Raises ValueError if the layers leave no band.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        classes: int,
        filters: tuple[int, int],
        heights: tuple[int, int],
        dropout: float,
    ) -> None:
        channels, bands, frames = shape
        first, second = filters
        left = ((bands - heights[0] + 1) // 2 - heights[1] + 1) // 2
        if left < 1:
            high = " and ".join(map(str, heights))
            raise ValueError(f"{bands} bands are too few for two pools and filters {high} bands high")
        super().__init__(
            OrderedDict(
                conv1=nn.Conv2d(channels, first, (heights[0], frames), bias=False),
                norm1=nn.BatchNorm2d(first),
                relu1=nn.ReLU(),
                pool1=nn.MaxPool2d((2, 1)),
                conv2=nn.Conv2d(first, second, (heights[1], 1), bias=False),
                norm2=nn.BatchNorm2d(second),
                relu2=nn.ReLU(),
                pool2=nn.MaxPool2d((2, 1)),
                flatten=nn.Flatten(),
                dropout=nn.Dropout(dropout),
                dense=nn.Linear(second * left, classes),
            )
        )
