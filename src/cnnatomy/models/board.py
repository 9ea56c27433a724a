"""G1, a network for boards after AlphaGo's, whose layers keep every point of the board; and the same with pooling."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Board(nn.Sequential):
    """Logits (n, points) of boards (n, planes, height, width), one for each point, row by row.

    A convolution of 5 × 5 and `layers` − 1 of 3 × 3 with `filters` filters each, padded with zeros so that every map is
    as large as the board. The head is "point", as AlphaGo's: one filter of 1 × 1 gives each point its logit, with a
    bias of its own; or "dense": one dense layer reads all maps whole.

    pools: after which layers, counted from 1, a max pooling of 2 × 2 makes one place of four. At an odd edge it makes
        one of two, so that no row or column is dropped. A head of points reads such maps enlarged again, each point
        from the place that it went into.

    Silver et al. (2016), Mastering the game of Go with deep neural networks and tree search, Nature 529.
    Raises ValueError for another head, for other classes than points, and for pools after layers that are not there.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        classes: int,
        filters: int,
        layers: int,
        pools: Sequence[int],
        head: str,
    ) -> None:
        planes, height, width = shape
        if classes != height * width:
            raise ValueError(
                f"a board of {height} × {width} has {height * width} points, but there are {classes} classes"
            )
        if head not in ("point", "dense"):
            raise ValueError(f"model.head: {head!r} is neither 'point' nor 'dense'")
        if not set(pools) <= set(range(1, layers + 1)):
            raise ValueError(f"model.pools: {list(pools)} name layers from 1 to {layers}")
        parts: OrderedDict[str, nn.Module] = OrderedDict()
        rows, columns = height, width
        for layer in range(1, layers + 1):
            kernel = 5 if layer == 1 else 3
            parts[f"conv{layer}"] = nn.Conv2d(planes if layer == 1 else filters, filters, kernel, padding=kernel // 2)
            parts[f"relu{layer}"] = nn.ReLU()
            if layer in pools:
                parts[f"pool{layer}"] = nn.MaxPool2d(2, ceil_mode=True)
                rows, columns = -(-rows // 2), -(-columns // 2)
        if head == "dense":
            parts["flatten"] = nn.Flatten()
            parts["dense"] = nn.Linear(filters * rows * columns, classes)
        else:
            parts["head"] = nn.Conv2d(filters, 1, 1, bias=False)
            if pools:
                factor = 2 ** len(set(pools))
                parts["enlarge"] = nn.Upsample(scale_factor=factor)
                parts["crop"] = nn.ZeroPad2d((0, width - factor * columns, 0, height - factor * rows))
            parts["flatten"] = nn.Flatten()
            parts["bias"] = PointBias(classes)
        super().__init__(parts)


class PointBias(nn.Module):
    """Adds to each of so many numbers one of its own, 0 at first."""

    def __init__(self, points: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(points))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bias
