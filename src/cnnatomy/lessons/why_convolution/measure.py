"""Weights of a dense layer, of one that sees patches, and of a convolution, by formula and by torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from cnnatomy.lessons.why_convolution.settings import Settings
from cnnatomy.statistics.numbers import Numbers


@dataclass(frozen=True)
class Weights:
    """Of layers that read the same picture, (channels, rows, columns), without biases.

    dense: every unit sees every pixel. local: each place of each filter sees its patch, with weights of its own.
    shared: a convolution, where all places of a filter share theirs. torch: the three, counted from its layers.
    on_maps, on_pooled: of as many dense units behind the convolution's maps, and behind those pooled by 2 × 2.
    """

    shape: tuple[int, int, int]
    units: int
    filters: int
    dense: int
    local: int
    shared: int
    torch: Sequence[int]
    on_maps: int
    on_pooled: int


def measure(settings: Settings) -> Weights:
    """Count. settings: `shape` (channels, rows, columns), dense `units`, `filters` and side of the `kernel`."""
    channels, rows, columns = settings.shape
    kernel, filters, units = settings.kernel, settings.filters, settings.units
    inputs, shared = channels * rows * columns, kernel * kernel * channels * filters
    high, wide = rows - kernel + 1, columns - kernel + 1
    with torch.device("meta"):  # shapes only: thirty million weights take no memory
        patches = nn.Unfold(kernel)(torch.empty(1, channels, rows, columns))  # (1, numbers in a patch, patches)
        live = [
            nn.Linear(inputs, units, bias=False).weight.numel(),
            filters * patches.numel(),
            nn.Conv2d(channels, filters, kernel, bias=False).weight.numel(),
        ]
    return Weights(
        shape=(channels, rows, columns),
        units=units,
        filters=filters,
        dense=inputs * units,
        local=shared * high * wide,
        shared=shared,
        torch=live,
        on_maps=units * filters * high * wide,
        on_pooled=units * filters * (high // 2) * (wide // 2),
    )


def numbers(found: Weights) -> Numbers:
    """Weights of each layer on the picture, and of a dense one behind maps."""
    rows = Numbers()
    rows.add("dense_weights", found.dense)
    rows.add("convolution_weights", found.shared)
    rows.add("times_as_many", found.dense / found.shared)
    rows.add("local_weights", found.local)
    for on, weights in (("maps", found.on_maps), ("pooled maps", found.on_pooled)):
        with rows.about(f"on={on}"):
            rows.add("dense_weights", weights)
    return rows
