"""The lecture's chain of layers, shape by shape (C6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from cnnatomy.exhibit import Exhibit, Figure, Number, Table
from cnnatomy.lessons.cells import Sheet
from cnnatomy.models.lecture import Lecture
from cnnatomy.probing.layers import trace

#: The two channels that lesson `convolution` ends with, (2, 4, 4).
CHANNELS = np.array(
    [
        [[3, -1, -3, -1], [-3, 1, 0, -3], [-3, -3, 0, 1], [3, -2, -2, -1]],
        [[-1, -1, -1, -1], [-1, -1, -2, 1], [-1, -1, -2, 1], [-1, 0, -4, 3]],
    ],
    dtype=float,
)


def shapes(config: Mapping[str, Any]) -> Exhibit:
    """Pool a 4 × 4 map by its largest values and by means; then every layer's shape and parameters, counted twice.

    config: `shape` of an image, `classes`, `filters` of the two convolutions, dense `units`.
    """
    import pandas as pd

    network = Lecture(tuple(config["shape"]), config["classes"], tuple(config["filters"]), config["units"], dropout=0.0)
    rows = []
    for layer in trace(network, torch.zeros(1, *config["shape"])):
        live = sum(p.numel() for p in layer.module.parameters())
        rows.append((layer.name, type(layer.module).__name__, " × ".join(map(str, layer.shape)), live))
    table = pd.DataFrame(rows, columns=["layer", "kind", "shape", "parameters"])
    table.insert(3, "parameters by hand", [_by_hand(module) for module in network])
    total = sum(p.numel() for p in network.parameters())
    flattened = next(row[2] for row in rows if row[1] == "Flatten")
    return Exhibit(
        "lesson",
        "",
        "",
        0,
        title={"en": "From image to answer, shape by shape", "zh": "从图像到答案：各层的形状"},
        caption={
            "en": (
                "Convolution and pooling twice, then all maps are laid out as one row of numbers for the dense "
                "layers. A "
                "convolution has as many weights as its kernel has places, for every pair of channels, and a bias "
                "for each filter; "
                "pooling has none."
            ),
            "zh": (
                "两次（卷积 + 池化），再把所有特征图展平成一行数交给全连接层。卷积层每对通道有一个核，"
                "每个滤波器有一个偏置；池化没有参数。"
            ),
        },
        numbers=[
            Number("parameters", total),
            Number("flattened", int(flattened)),
            Number("difference_by_hand", int((table["parameters"] - table["parameters by hand"]).abs().sum())),
            *(Number("parameters", int(row[3]), subject=f"layer={row[0]}") for row in rows if row[3]),
        ],
        blocks=[
            _pooling(),
            Table("chain", table, title={"en": "Every layer of the lecture's network", "zh": "讲义网络的每一层"}),
        ],
    )


def _by_hand(module: torch.nn.Module) -> int:
    """Parameters by the formula: places × channels in × filters + filters; inputs × units + units; 0 for all else."""
    if isinstance(module, torch.nn.Conv2d):
        return int(np.prod(module.kernel_size)) * module.in_channels * module.out_channels + module.out_channels
    if isinstance(module, torch.nn.Linear):
        return module.in_features * module.out_features + module.out_features
    return 0


def _pooling() -> Figure:
    sheet = Sheet()
    for index, values in enumerate(CHANNELS):
        blocks = values.reshape(2, 2, 2, 2).swapaxes(1, 2)
        sheet.table(values, f"channel {index + 1}, 4 × 4").sign("→")
        sheet.table(blocks.max(axis=(2, 3)), "max pooling").table(blocks.mean(axis=(2, 3)), "average pooling").below()
    return Figure(
        "pooling",
        sheet.svg(),
        alt={
            "en": "Each square of 2 × 2 numbers becomes its largest one, or their mean: 4 × 4 becomes 2 × 2.",
            "zh": "每个 2 × 2 方块变成其最大值或平均值：4 × 4 变成 2 × 2。",
        },
        title={"en": "Pooling by hand", "zh": "手算池化"},
        caption={
            "en": "The largest of each 2 × 2 numbers, or their mean; each channel by itself. Nothing is learned here.",
            "zh": "每 2 × 2 个数取最大值或平均值；各通道分别进行，没有可学的参数。",
        },
    )
