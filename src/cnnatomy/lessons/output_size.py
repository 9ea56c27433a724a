"""How large a feature map is (C2)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np

from cnnatomy.exhibit import Calculator, Exhibit, Figure, Input, Number, Output, Prose, Table
from cnnatomy.exhibit.formulas import Formula, evaluate
from cnnatomy.lessons.cells import Sheet, factor, number
from cnnatomy.lessons.convolution.measure import slide

#: ⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1, and 0 where the kernel does not fit. The page's calculator works it out as well.
PLACES: Formula = [
    "max",
    0,
    ["+", ["//", ["-", ["+", "n", ["*", 2, "p"]], ["*", "d", ["-", "k", 1]], 1], "s"], 1],
]


def output_size(config: Mapping[str, Any]) -> Exhibit:
    """The formula of a map's size, the lecture's cube of colour by hand, and a grid of cases checked against torch.

    config: `sizes`, `kernels`, `strides`, `paddings`, `dilations`, of which all combinations are tried.
    """
    import pandas as pd

    rows = []
    for size, kernel, stride, padding, dilation in product(
        *(config[name] for name in ("sizes", "kernels", "strides", "paddings", "dilations"))
    ):
        ours, torchs = (
            units(size, kernel, stride, padding, dilation),
            _of_torch(size, kernel, stride, padding, dilation),
        )
        rows.append((size, kernel, stride, padding, dilation, ours, torchs))
    cases = pd.DataFrame(rows, columns=["input", "kernel", "stride", "padding", "dilation", "map", "torch"])
    wrong = int((cases["map"] != cases["torch"]).sum())
    lecture = pd.DataFrame(
        [
            ("6 × 6 image, 3 × 3 filter", 6, 3, 1, 0, 1),
            ("the same, stride 2", 6, 3, 2, 0, 1),
            ("5 × 5 × 3 image, padding 1, stride 2, ten filters", 5, 3, 2, 1, 10),
            ("the same, stride 1", 5, 3, 1, 1, 10),
        ],
        columns=["what", "input", "kernel", "stride", "padding", "filters"],
    )
    lecture["map"] = [
        f"{n} × {m} × {m}"
        for n, m in zip(
            lecture["filters"],
            (
                units(*case)
                for case in lecture[["input", "kernel", "stride", "padding"]].itertuples(index=False, name=None)
            ),
            strict=True,
        )
    ]
    return Exhibit(
        "lesson",
        "",
        "",
        0,
        title={"en": "How large is the map?", "zh": "特征图有多大？"},
        caption={
            "en": (
                "An input of n places, padded by p on both sides, under a kernel of k places (d apart) that moves "
                "s at a "
                "time, gives ⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1 places. Every axis is counted by itself. Colour "
                "makes the filter "
                "a cube: it sums over the channels and still gives one map."
            ),
            "zh": (
                "输入 n 个位置，两边各填充 p，卷积核 k 个位置（间隔 d），步幅 s，得到 ⌊(n + 2p − d(k − 1) − 1) / "
                "s⌋ + 1 个位置。"
                "各轴分别计算。彩色输入使卷积核成为立方体：对通道求和，仍得到一张图。"
            ),
        },
        numbers=[Number("cases", len(cases)), Number("unlike_torch", wrong, n=len(cases))],
        blocks=[
            calculator(),
            _cube(),
            Table("lecture", lecture, title={"en": "The lecture's cases", "zh": "讲义中的例子"}),
            Table(
                "cases",
                cases,
                title={"en": "All cases, beside torch", "zh": "全部组合，与 torch 对照"},
                caption={
                    "en": "0 where the kernel does not fit into the padded input; torch refuses those.",
                    "zh": "卷积核放不进填充后的输入时为 0（torch 会报错）。",
                },
            ),
            Prose(
                {
                    "en": (
                        "“Same” padding of an odd kernel at stride 1 is (k − 1) / 2: the map is as large as the input."
                    ),
                    "zh": "步幅为 1、核为奇数时，“same” 填充是 (k − 1) / 2：特征图与输入一样大。",
                }
            ),
        ],
        sources=["Dumoulin & Visin 2016, A guide to convolution arithmetic for deep learning, arXiv:1603.07285"],
    )


def units(size: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> int:
    """Places of the map along one axis; 0 where the kernel does not fit."""
    return evaluate(PLACES, {"n": size, "k": kernel, "s": stride, "p": padding, "d": dilation})


def calculator() -> Calculator:
    """The same for what a reader types, pictures and kernels being square; first the lecture's ten filters."""
    return Calculator(
        "calculator",
        [
            Input("n", {"en": "Input n × n", "zh": "输入 n × n"}, 5, 1, 10_000),
            Input("k", {"en": "Kernel k × k", "zh": "卷积核 k × k"}, 3, 1, 1000),
            Input("s", {"en": "Stride s", "zh": "步幅 s"}, 2, 1, 1000),
            Input("p", {"en": "Padding p", "zh": "填充 p"}, 1, 0, 1000),
            Input("d", {"en": "Dilation d", "zh": "膨胀 d"}, 1, 1, 1000),
            Input("channels", {"en": "Channels of the input", "zh": "输入通道"}, 3, 1, 10_000),
            Input("filters", {"en": "Filters", "zh": "卷积核个数"}, 10, 1, 10_000),
        ],
        [
            Output(
                "map",
                {"en": "Rows, and columns, of the map", "zh": "特征图的行数（列数）"},
                [PLACES],
                zero={"en": "the kernel does not fit into the padded input", "zh": "卷积核放不进填充后的输入"},
            ),
            Output("shape", {"en": "The map, channels first", "zh": "特征图（通道在前）"}, ["filters", "map", "map"]),
            Output(
                "parameters",
                {"en": "Weights and biases", "zh": "权重与偏置"},
                [["*", "filters", ["+", ["*", "k", "k", "channels"], 1]]],
            ),
        ],
        title={"en": "Work it out", "zh": "算一算"},
        caption={
            "en": "Each filter has a weight for every place of its cube and one bias.",
            "zh": "每个卷积核在其立方体的每个位置有一个权重，另加一个偏置。",
        },
    )


def _of_torch(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """The same by torch itself, on an input of zeros."""
    import torch
    from torch.nn import functional

    try:
        line, weights = torch.zeros(1, 1, size), torch.zeros(1, 1, kernel)
        return functional.conv1d(line, weights, stride=stride, padding=padding, dilation=dilation).shape[-1]
    except RuntimeError:  # the kernel is larger than the padded input
        return 0


def _cube() -> Figure:
    """One window of a picture in three channels, worked out, and the map of all: 5 × 5 × 3, padding 1, stride 2."""
    chance = np.random.default_rng(0)
    image, kernel = chance.integers(0, 3, (3, 5, 5)), chance.integers(-1, 2, (3, 3, 3))
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
    maps = np.stack([slide(channel, weights, 2) for channel, weights in zip(padded, kernel, strict=True)])
    window = {(row, column) for row in range(3) for column in range(3)}
    sheet = Sheet()
    for name, channel, weights, one in zip(("red", "green", "blue"), padded, kernel, maps, strict=True):
        sheet.table(channel, f"{name}, padded by 1", marked=window).sign("×").table(weights, "filter")
        sheet.sign("→").table(one, "sums, stride 2", marked={(0, 0)}).below()
    whole = maps.sum(axis=0)
    sheet.table(whole, "all three added: the filter's map, 3 × 3", marked={(0, 0)})
    said = f"{' + '.join(map(factor, maps[:, 0, 0].tolist()))} = {number(whole[0, 0])}"
    return Figure(
        "cube",
        sheet.svg(),
        alt={
            "en": f"The sums of the three channels add up to one map; in the window that is marked {said}.",
            "zh": f"三个通道之和相加得到一张图；标出的窗口：{said}。",
        },
        title={"en": "In colour the filter is a cube", "zh": "彩色图像的卷积核是立方体"},
        caption={
            "en": f"In the window that is marked: {said}. Ten such filters make a map of ten channels.",
            "zh": f"标出的窗口：{said}。十个这样的卷积核得到十个通道。",
        },
    )
