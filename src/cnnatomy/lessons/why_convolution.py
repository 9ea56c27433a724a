"""Why a convolution: the weights of a dense layer against it (C7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnatomy.drawing.plotting import MUTED, SERIES, draw
from cnnatomy.exhibit import Exhibit, Figure, Number, Prose, Table


def why_convolution(config: Mapping[str, Any]) -> Exhibit:
    """Count the weights of a dense layer and of a convolution on the same picture, by formula and by torch.

    config: `shape` (channels, rows, columns), dense `units`, `filters` and side of the `kernel`.
    """
    import pandas as pd
    import torch
    from torch import nn

    channels, rows, columns = config["shape"]
    inputs = channels * rows * columns
    kernel, filters, units = config["kernel"], config["filters"], config["units"]
    places = (rows - kernel + 1) * (columns - kernel + 1)
    steps = [
        ("dense: every unit sees every pixel", inputs * units),
        ("local: a unit sees a patch only", kernel * kernel * channels * filters * places),
        ("convolution: and all places share their weights", kernel * kernel * channels * filters),
    ]
    with torch.device("meta"):  # shapes only: thirty million weights take no memory
        patches = nn.Unfold(kernel)(torch.empty(1, channels, rows, columns))  # (1, numbers in a patch, patches)
        live = [
            nn.Linear(inputs, units, bias=False).weight.numel(),
            filters * patches.numel(),
            nn.Conv2d(channels, filters, kernel, bias=False).weight.numel(),
        ]
    pooled = [units * filters * ((rows - kernel + 1) // by) * ((columns - kernel + 1) // by) for by in (1, 2)]
    table = pd.DataFrame(steps, columns=["layer", "weights"])
    table["by torch"] = live

    def paint(figure):
        axes = figure.subplots()
        axes.barh(range(3), table["weights"], color=[MUTED, MUTED, SERIES[0]])
        axes.set(xscale="log", xlabel="weights", yticks=range(3), yticklabels=["dense", "local", "convolution"])
        axes.invert_yaxis()
        axes.grid(False, axis="y")

    return Exhibit(
        "lesson",
        "",
        "",
        0,
        title={"en": "Why not a dense layer?", "zh": "为什么用卷积？"},
        caption={
            "en": (
                f"A dense layer of {units:,} units on a {rows} × {columns} picture in {channels} colours has "
                f"{steps[0][1]:,} weights. "
                f"A convolution of {filters} filters has {steps[2][1]:,}, because patterns are local (a unit looks "
                "at a patch) and may "
                "appear anywhere (all places share their weights)."
            ),
            "zh": (
                f"{rows} × {columns} 的 {channels} 通道图像上，{units:,} 个单元的全连接层有 {steps[0][1]:,} 个权重。"
                f"{filters} 个滤波器的卷积只有 "
                f"{steps[2][1]:,} 个：模式是局部的，而且可以出现在任何位置（共享权重）。"
            ),
        },
        numbers=[
            Number("dense_weights", steps[0][1]),
            Number("convolution_weights", steps[2][1]),
            Number("times_as_many", steps[0][1] / steps[2][1]),
            Number("local_weights", steps[1][1]),
            Number("dense_weights", pooled[0], subject="on=maps"),
            Number("dense_weights", pooled[1], subject="on=pooled maps"),
        ],
        blocks=[
            Figure(
                "weights",
                draw(paint, height=200),
                alt={
                    "en": f"Dense {steps[0][1]:,}, local {steps[1][1]:,}, convolution {steps[2][1]:,} weights.",
                    "zh": f"全连接 {steps[0][1]:,}，局部 {steps[1][1]:,}，卷积 {steps[2][1]:,} 个权重。",
                },
                data=table,
                title={"en": "Weights of one layer", "zh": "一层的权重数"},
            ),
            Table("counts", table, title={"en": "By formula, and counted by torch", "zh": "按公式与 torch 计数"}),
            Prose(
                {
                    "en": (
                        "Third reason: a picture of half the size shows the same things. Pooling by 2 × 2 halves both "
                        f"sides of the maps, so that {units:,} dense units behind them need {pooled[1]:,} weights "
                        f"instead of {pooled[0]:,}. A convolution behind them needs as many weights as before, and "
                        "about a quarter of the multiplications."
                    ),
                    "zh": (
                        "第三个理由：缩小一半的图像内容不变。2 × 2 池化把特征图的两边减半，"
                        f"后面 {units:,} 个全连接单元的权重从 {pooled[0]:,} 减到 {pooled[1]:,}。"
                        "后面若是卷积，权重不变，乘法约为四分之一。"
                    ),
                }
            ),
        ],
    )
