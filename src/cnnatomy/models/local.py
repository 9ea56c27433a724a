"""The lecture's network without sharing: at each place of a map its filters have weights of their own."""

from __future__ import annotations

import math
from collections import OrderedDict

import torch
from torch import Tensor, nn

from cnnatomy.models.pools import pool


class LocallyConnected(nn.Module):
    """Maps (n, filters, height, width) of images (n, channels, *size): a convolution whose weights no places share.

    Windows, sizes of maps and the range in which weights start are those of `nn.Conv2d(channels, filters, kernel)`.
    """

    def __init__(self, channels: int, filters: int, kernel: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.kernel = kernel
        self.maps = (size[0] - kernel + 1, size[1] - kernel + 1)
        places, seen = math.prod(self.maps), channels * kernel**2
        self.weight = nn.Parameter(torch.empty(places, seen, filters))
        self.bias = nn.Parameter(torch.empty(places, 1, filters))
        for parameter in (self.weight, self.bias):
            nn.init.uniform_(parameter, -(seen**-0.5), seen**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        windows = x.unfold(2, self.kernel, 1).unfold(3, self.kernel, 1)  # (n, channels, *maps, kernel, kernel)
        windows = windows.permute(2, 3, 0, 1, 4, 5).reshape(len(self.weight), len(x), -1)
        made = torch.baddbmm(self.bias, windows, self.weight)  # (places, n, filters)
        return made.permute(1, 2, 0).unflatten(2, self.maps)


class Local(nn.Sequential):
    """Logits (n, classes) of images (n, channels, height, width): `lecture.Lecture` with `LocallyConnected` layers.

    Raises ValueError for images smaller than 10 × 10 pixels, of which the layers leave nothing.
    """

    def __init__(
        self, shape: tuple[int, int, int], classes: int, filters: tuple[int, int], units: int, dropout: float
    ) -> None:
        channels, *size = shape
        if min(size) < 10:
            raise ValueError(f"images of {size[0]} × {size[1]} pixels are too small for this network: it needs 10 × 10")
        first, second = filters
        half = [(side - 2) // 2 for side in size]
        left = math.prod((side - 2) // 2 for side in half)
        super().__init__(
            OrderedDict(
                local1=LocallyConnected(channels, first, 3, (size[0], size[1])),
                relu1=nn.ReLU(),
                pool1=pool("max"),
                local2=LocallyConnected(first, second, 3, (half[0], half[1])),
                relu2=nn.ReLU(),
                pool2=pool("max"),
                flatten=nn.Flatten(),
                dropout1=nn.Dropout(dropout),
                dense1=nn.Linear(second * left, units),
                relu3=nn.ReLU(),
                dropout2=nn.Dropout(dropout),
                dense2=nn.Linear(units, classes),
            )
        )
