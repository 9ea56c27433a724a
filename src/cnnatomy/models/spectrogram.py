"""Networks for spectrograms of which the sizes of the filters say along which axis these move."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

ALL = 0  # as a size: the whole axis


class Spectrogram(nn.Sequential):
    """Logits (n, classes) of spectrograms (n, 1, bands, frames) through layers of convolution and max pooling.

    kernels: (bands, frames) of each layer's filters. 0 is the whole axis: such a filter has one place along it and
        moves along the other one only.
    pools: likewise of each layer's pooling windows.
    dropout: the share of values that the dense layer does without in training.

    Raises ValueError if a layer leaves nothing.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        classes: int,
        filters: Sequence[int],
        kernels: Sequence[Sequence[int]],
        pools: Sequence[Sequence[int]],
        dropout: float,
    ) -> None:
        channels, *left = shape
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for place, (wide, kernel, pool) in enumerate(zip(filters, kernels, pools, strict=True), start=1):
            kernel = _whole(kernel, left)
            left = [size - span + 1 for size, span in zip(left, kernel, strict=True)]
            pool = _whole(pool, left)
            left = [size // span if size > 0 else 0 for size, span in zip(left, pool, strict=True)]
            if min(left) < 1:
                bands, frames = shape[1:]
                raise ValueError(
                    f"{bands} bands and {frames} frames are too few: nothing is left after filters of "
                    f"{kernel[0]} × {kernel[1]} and a pool of {pool[0]} × {pool[1]} in layer {place}"
                )
            layers[f"conv{place}"] = nn.Conv2d(channels, wide, kernel, bias=False)
            layers[f"norm{place}"] = nn.BatchNorm2d(wide)
            layers[f"relu{place}"] = nn.ReLU()
            layers[f"pool{place}"] = nn.MaxPool2d(pool)
            channels = wide
        layers["flatten"] = nn.Flatten()
        layers["dropout"] = nn.Dropout(dropout)
        layers["dense"] = nn.Linear(channels * left[0] * left[1], classes)
        super().__init__(layers)


def _whole(window: Sequence[int], left: Sequence[int]) -> tuple[int, int]:
    bands, frames = (size if span == ALL else span for span, size in zip(window, left, strict=True))
    return bands, frames
