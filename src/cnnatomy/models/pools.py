"""What may stand between two convolutions and leave every second position: maximum, average, blurred maximum."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn


def pool(kind: str) -> nn.Module:
    """A layer that makes maps of half the height and width, or, with `none`, leaves them as they are.

    max, average: of 2 × 2 positions. blurred: the maximum of 2 × 2 at every position, then every second position of
    its blur by 1 2 1 in both directions, so that a move by one position changes little (Zhang 2019, Making
    convolutional networks shift-invariant again, ICML). All give maps of the same size. Raises ValueError for another.
    """
    if kind == "max":
        return nn.MaxPool2d(2)
    if kind == "average":
        return nn.AvgPool2d(2)
    if kind == "blurred":
        # 1 2 1 is 1 1 twice: averages of two, and again averages of two of these.
        return nn.Sequential(
            OrderedDict(
                highest=nn.MaxPool2d(2, stride=1),
                pad=nn.ReplicationPad2d(1),
                blur=nn.AvgPool2d(2, stride=1),
                thin=nn.AvgPool2d(2),
            )
        )
    if kind == "none":
        return nn.Identity()
    raise ValueError(f"pooling is {kind!r}; there are max, average, blurred and none")
