"""A convolution by hand, window by window (C1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnatomy.exhibit import Exhibit, Figure, Frame, Number, Prose, Steps, Table
from cnnatomy.lessons.cells import Sheet, number

if TYPE_CHECKING:
    import pandas as pd

STRIDES = (1, 2)


def convolution(config: Mapping[str, Any]) -> Exhibit:
    """Walk a filter over a signal and over an image, with every window, product and sum, and compare with torch.

    config: `signal` (n,), `weights` (k,), `image` (rows, columns), `filters`, each (k, k). Raises ValueError if a
    filter is larger than what it moves over.
    """
    signal, weights = np.array(config["signal"], dtype=float), np.array(config["weights"], dtype=float)
    image = np.array(config["image"], dtype=float)
    filters = [np.array(one, dtype=float) for one in config["filters"]]
    if len(weights) > len(signal) or any(max(one.shape) > min(image.shape) for one in filters):
        raise ValueError("lesson.convolution: a filter is larger than what it moves over")
    maps = {(k, stride): slide(image, one, stride) for k, one in enumerate(filters) for stride in STRIDES}
    windows = _windows(signal, weights, image, filters)
    difference = float((windows["sum"] - windows["torch"]).abs().max())
    numbers = [Number("difference_from_torch", difference, n=len(windows)), Number("windows", len(windows))]
    for (k, stride), one in maps.items():
        numbers += [
            Number("map_size", one.shape[0], subject=f"filter={k + 1};stride={stride}"),
            Number("largest", float(one.max()), subject=f"filter={k + 1};stride={stride}"),
        ]
    return Exhibit(
        "lesson",
        "",
        "",
        0,
        title={"en": "A convolution by hand", "zh": "手算卷积"},
        caption={
            "en": (
                "A filter is laid on each place of the input in turn. What lies under it is multiplied with the "
                "weights, number "
                "by number, and added up: one number of the feature map. Of windows equally strong, the one that "
                "looks like the filter gives the largest. "
                "Step through the windows."
            ),
            "zh": (
                "把卷积核依次放在输入的每个位置上，对应的数相乘再相加，得到特征图中的一个数。强度相同的窗口中，"
                "与卷积核相似的那个得到的数最大。请逐步查看每个窗口。"
            ),
        },
        numbers=numbers,
        blocks=[
            Steps(
                "overlap",
                _along(signal, weights),
                title={"en": "Along a line: one signal slides over another", "zh": "一维：一个信号在另一个上滑动"},
            ),
            Steps(
                "stride-1",
                _over(image, filters[0], 1),
                title={"en": "Over an image, one pixel at a time (stride 1)", "zh": "二维，步幅 1"},
            ),
            Steps(
                "stride-2",
                _over(image, filters[0], 2),
                title={"en": "Two pixels at a time (stride 2): a smaller map", "zh": "步幅 2：特征图更小"},
            ),
            _channels(image, filters, maps),
            Table(
                "windows",
                windows,
                title={"en": "Every window, beside torch", "zh": "每个窗口，与 torch 对照"},
            ),
            Prose(
                {
                    "en": (
                        "Mathematicians turn the filter by half a turn before they slide it; networks do not, "
                        "since a learned filter "
                        "may as well be learned turned. What is called convolution here, and in torch, is their "
                        "cross-correlation."
                    ),
                    "zh": (
                        "数学上的卷积先把卷积核旋转 180°；神经网络不旋转，因为学到的核本来就可以是旋转后的。这里（"
                        "以及 torch 里）的“卷积”就是数学上的互相关。"
                    ),
                }
            ),
        ],
        sources=["Dumoulin & Visin 2016, A guide to convolution arithmetic for deep learning, arXiv:1603.07285"],
    )


def slide(image: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """The sum of products in every window, (rows, columns) of the map; no padding."""
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)[::stride, ::stride]
    return (windows * kernel).sum(axis=(-2, -1))


def _along(signal: np.ndarray, weights: np.ndarray) -> list[Frame]:
    k = len(weights)
    sums = np.array([signal[i : i + k] @ weights for i in range(len(signal) - k + 1)])
    frames = []
    for i in range(len(sums)):
        under = {(0, i + j) for j in range(k)}
        laid = np.zeros((1, len(signal)))
        laid[0, i : i + k] = weights
        ahead = {(0, later) for later in range(i + 1, len(sums))}
        svg = (
            Sheet()
            .table(signal[None], "signal", marked=under)
            .below()
            .table(laid, "weights", marked=under, hidden={(0, j) for j in range(len(signal))} - under)
            .below()
            .table(sums[None], "sums", marked={(0, i)}, hidden=ahead)
            .svg()
        )
        worked = _worked(signal[i : i + k], weights)
        frames.append(_frame(f"overlap-{i + 1}", f"Place {i + 1}", f"第 {i + 1} 个位置", worked, svg))
    return frames


def _over(image: np.ndarray, kernel: np.ndarray, stride: int) -> list[Frame]:
    height, width = kernel.shape
    sums = slide(image, kernel, stride)
    frames: list[Frame] = []
    for row, column in np.ndindex(*sums.shape):
        top, left = row * stride, column * stride
        under = {(top + i, left + j) for i in range(height) for j in range(width)}
        ahead = {place for place in np.ndindex(*sums.shape) if place > (row, column)}
        window = image[top : top + height, left : left + width]
        svg = (
            Sheet()
            .table(image, "image", marked=under, shaded=True)
            .sign("×")
            .table(kernel, "filter")
            .sign("=")
            .table(window * kernel, "products")
            .sign("→")
            .table(sums, "feature map", marked={(row, column)}, hidden=ahead)
            .svg()
        )
        en = f"Rows {top + 1}–{top + height}, columns {left + 1}–{left + width}"
        zh = f"第 {top + 1}–{top + height} 行，第 {left + 1}–{left + width} 列"
        frames.append(_frame(f"stride-{stride}-{len(frames) + 1}", en, zh, _worked(window, kernel), svg))
    return frames


def _frame(name: str, en: str, zh: str, worked: str, svg: str) -> Frame:
    figure = Figure(name, svg, alt={"en": f"{en}: {worked}", "zh": f"{zh}：{worked}"})
    return Frame({"en": en, "zh": zh}, worked, [figure])


def factor(value: float) -> str:
    """A number as it stands behind a sign: (−1)."""
    return f"({number(value)})" if value < 0 else number(value)


def _worked(window: np.ndarray, weights: np.ndarray) -> str:
    """The sum as one would write it: 1·1 + 0·(−1) + … = 3."""

    terms = [f"{number(x)}·{factor(w)}" for x, w in zip(window.ravel(), weights.ravel(), strict=True)]
    return f"{' + '.join(terms)} = {number(float((window * weights).sum()))}"


def _channels(image: np.ndarray, filters: Sequence[np.ndarray], maps: Mapping[tuple[int, int], np.ndarray]) -> Figure:
    sheet = Sheet()
    for k, one in enumerate(filters):
        sheet.table(one, f"filter {k + 1}").sign("→").table(maps[k, 1], f"channel {k + 1}", shaded=True)
    sizes = ", ".join(f"{m.shape[0]} × {m.shape[1]} at stride {stride}" for (k, stride), m in maps.items() if k == 0)
    return Figure(
        "channels",
        sheet.svg(),
        alt={
            "en": f"Each of {len(filters)} filters makes one channel of the feature map.",
            "zh": f"{len(filters)} 个卷积核各得到一个通道。",
        },
        title={"en": "Each filter makes one channel", "zh": "每个卷积核产生一个通道"},
        caption={
            "en": f"The maps of a {image.shape[0]} × {image.shape[1]} image are {sizes}; as many channels as filters.",
            "zh": (
                f"{image.shape[0]} × {image.shape[1]} 的图像，特征图为 {sizes.replace(' at stride ', '，步幅 ')}；"
                "卷积核有几个，通道就有几个。"
            ),
        },
    )


def _windows(signal: np.ndarray, weights: np.ndarray, image: np.ndarray, filters: Sequence[np.ndarray]) -> pd.DataFrame:
    """Each window of the signal and of the image under each filter: the sum as one would write it, and torch's."""
    import pandas as pd
    import torch
    from torch.nn import functional

    rows: list[tuple[str, str, str, float, float]] = []
    k = len(weights)
    theirs = functional.conv1d(torch.tensor(signal)[None, None], torch.tensor(weights)[None, None])[0, 0]
    for i, torchs in enumerate(theirs.tolist()):
        window = signal[i : i + k]
        rows.append(("signal", f"{i + 1}–{i + k}", _worked(window, weights), float(window @ weights), torchs))
    for stride, (index, kernel) in product(STRIDES, enumerate(filters)):
        of, sums = torch.tensor(kernel)[None, None], slide(image, kernel, stride)
        theirs = functional.conv2d(torch.tensor(image)[None, None], of, stride=stride)[0, 0]
        for place in np.ndindex(*sums.shape):
            (top, left), (height, width) = np.multiply(place, stride), kernel.shape
            worked = _worked(image[top : top + height, left : left + width], kernel)
            where = f"rows {top + 1}–{top + height}, columns {left + 1}–{left + width}"
            rows.append(
                (f"filter {index + 1}, stride {stride}", where, worked, float(sums[place]), float(theirs[place]))
            )
    return pd.DataFrame(rows, columns=["over", "window", "products", "sum", "torch"])
