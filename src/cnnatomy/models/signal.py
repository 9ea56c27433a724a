"""A network for signals: convolutions and pooling along time, the mean over time, one dense layer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn


class Signal(nn.Sequential):
    """Logits (n, classes) of signals (n, channels, steps).

    widths: of each convolution's filters, in steps; its output is as long as its input. pool: steps of the maximum
    behind each convolution but the last. The mean of each of the last maps over time goes into the dense layer (Lin et
    al. 2014, Network in network, ICLR), so that signals of any length that the pools leave something of can be read.

    Raises ValueError for an even width, and if the pools leave nothing.
    """

    def __init__(
        self, shape: tuple[int, int], classes: int, filters: Sequence[int], widths: Sequence[int], pool: int
    ) -> None:
        channels, steps = shape
        if even := [width for width in widths if width % 2 == 0]:
            raise ValueError(f"model.widths: {even[0]} has no middle; take an odd number")
        left = steps // pool ** (len(widths) - 1)
        if left < 1:
            raise ValueError(f"{steps} steps are too few: nothing is left after {len(widths) - 1} pools of {pool}")
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for place, (wide, width) in enumerate(zip(filters, widths, strict=True), start=1):
            layers[f"conv{place}"] = nn.Conv1d(channels, wide, width, padding=width // 2)
            layers[f"relu{place}"] = nn.ReLU()
            if place < len(widths):
                layers[f"pool{place}"] = nn.MaxPool1d(pool)
            channels = wide
        layers["mean"] = nn.AdaptiveAvgPool1d(1)
        layers["flatten"] = nn.Flatten()
        layers["dense"] = nn.Linear(channels, classes)
        super().__init__(layers)
