"""Filters made by hand on a photograph in grey (C3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cnnatomy.data.prepared import Samples
from cnnatomy.drawing.plotting import draw
from cnnatomy.drawing.showing import amount, grey
from cnnatomy.exhibit import Exhibit, Figure, Grid, Item, Number, Table
from cnnatomy.exhibit.rounding import significant

#: Kernels (rows, columns). Sobel & Feldman's finds edges that stand upright: dark on the left, light on the right.
SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=float)
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601: how bright red, green and blue look


def classic_filters(config: Mapping[str, Any], samples: Samples) -> Exhibit:
    """Means, Sobel and a random filter: the picture, its range of grey, and its spectrum, before and after.

    The border is padded with zeros in one row and cropped in the other. config: `sample`, `seed`.
    """
    import pandas as pd

    picture = in_grey(samples.inputs[config["sample"]])
    chance = np.random.default_rng(config["seed"]).random((9, 9))
    filters = {
        "mean 3 × 3": np.full((3, 3), 1 / 9),
        "mean 9 × 9": np.full((9, 9), 1 / 81),
        "Sobel": SOBEL,
        "random 9 × 9": chance,
        "random 9 × 9, sum 1": chance / chance.sum(),
    }
    items = [Item("before", grey(picture, 255), label="before", group="Cropped: only whole windows")]
    padded: list[Item] = []
    spectra, numbers = [Item("spectrum/before", _spectrum(picture), label="before")], []
    rows: list[tuple[Any, ...]] = [("before", None, picture.min(), picture.max(), len(picture), len(picture))]
    for name, kernel in filters.items():
        cropped, whole = filtered(picture, kernel), filtered(picture, kernel, pad=True)
        values = {"lowest": significant(cropped.min()), "highest": significant(cropped.max())}
        for made, where, stem in ((cropped, items, "cropped"), (whole, padded, "padded")):
            group = (
                "Cropped: only whole windows"
                if stem == "cropped"
                else ("Padded with zeros: as large as before, a dark rim")
            )
            # Where the range leaves that of grey it is drawn from its lowest to its highest value.
            leaves = made.min() < 0 or made.max() > 255.5
            drawn = grey(made, made.max(), made.min()) if leaves else grey(made, 255)
            label = f"{name}{', rescaled' if leaves else ''}"
            where.append(Item(f"{stem}/{name}", drawn, label=label, values=values, group=group))
        spectra.append(Item(f"spectrum/{name}", _spectrum(cropped), label=name))
        subject = f"filter={name.replace(' × ', 'x').replace(', ', ' ')}"
        numbers += [
            Number("weights_sum", significant(float(kernel.sum())), subject=subject),
            Number("lowest", significant(float(cropped.min())), subject=subject),
            Number("highest", significant(float(cropped.max())), subject=subject),
            Number("fine_detail_kept", significant(_fine(cropped) / _fine(_middle(picture, kernel))), subject=subject),
        ]
        rows.append((name, kernel.sum(), cropped.min(), cropped.max(), whole.shape[0], cropped.shape[0]))
    table = pd.DataFrame(
        rows, columns=["filter", "sum of weights", "lowest", "highest", "rows, padded", "rows, cropped"]
    )
    outside = sum(bool(row[2] < -0.5 or row[3] > 255.5) for row in rows[1:])
    return Exhibit(
        "lesson",
        "",
        "",
        0,
        title={"en": "Filters made by hand", "zh": "经典滤波器"},
        caption={
            "en": (
                "A mean blurs: it keeps slow changes of grey and takes fine ones away. Sobel keeps the edges that "
                "stand upright. "
                "Weights of which none is negative and which add up to at most 1 keep a picture in the range of grey "
                "(0 to 255). Others may leave it: "
                f"{outside} of these {len(filters)} do, and are rescaled to be seen."
            ),
            "zh": (
                "均值滤波使图像模糊：保留缓慢变化，去掉细节。Sobel 保留竖直边缘。没有负权重、且权重之和不超过 1 "
                "的滤波器不会使图像离开灰度范围（0 到 255），"
                f"其他的可能离开：这里 {len(filters)} 个中有 {outside} 个，重新缩放后才能显示。"
            ),
        },
        numbers=[Number("outside_grey_range", outside, n=len(filters)), *numbers],
        blocks=[
            Grid("cropped", items + padded, title={"en": "Before and after", "zh": "滤波前后"}),
            Grid(
                "spectra",
                spectra,
                title={
                    "en": ("Spectra: slow changes in the middle, fine ones outside"),
                    "zh": "频谱：中心为缓慢变化，外围为细节",
                },
                caption={
                    "en": (
                        "Amplitudes on a scale of logarithms over four powers of ten. The 9 × 9 mean leaves a grid "
                        "of zeros."
                    ),
                    "zh": "振幅的对数，跨四个数量级。9 × 9 均值留下网格状的零点。",
                },
            ),
            _fall(filters),
            Table("ranges", table, title={"en": "Range of grey, before and after", "zh": "滤波前后的灰度范围"}),
        ],
        sources=["Sobel & Feldman 1968, A 3 × 3 isotropic gradient operator for image processing"],
    )


def in_grey(pixels: np.ndarray) -> np.ndarray:
    """A photograph uint8 (3, rows, columns), or (1, rows, columns), as brightness 0 to 255."""
    return np.tensordot(LUMA, pixels, 1) if len(pixels) == 3 else pixels[0].astype(float)


def filtered(picture: np.ndarray, kernel: np.ndarray, pad: bool = False) -> np.ndarray:
    """The sum of products in every window; `pad` with zeros so that the picture keeps its size (odd kernels)."""
    if pad:
        rows, columns = kernel.shape
        picture = np.pad(picture, ((rows // 2, rows // 2), (columns // 2, columns // 2)))
    windows = np.lib.stride_tricks.sliding_window_view(picture, kernel.shape)
    return np.einsum("ijkl,kl->ij", windows, kernel)


def _middle(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The part of a picture that a filter's cropped picture shows."""
    rows, columns = (n // 2 for n in kernel.shape)
    return picture[rows : picture.shape[0] - rows, columns : picture.shape[1] - columns]


def _spectrum(picture: np.ndarray) -> np.ndarray:
    """Amplitudes as pixels, frequency zero in the middle."""
    amplitude = np.abs(np.fft.fftshift(np.fft.fft2(picture - picture.mean())))
    return amount(np.log10(np.maximum(amplitude / amplitude.max(), 1e-4)) + 4)


def _fine(picture: np.ndarray) -> float:
    """The energy of a picture's changes finer than eight pixels; the rim faded out, since it is a sharp change."""
    window = np.outer(*(np.hanning(n) for n in picture.shape))
    power = np.abs(np.fft.fft2((picture - picture.mean()) * window)) ** 2
    rows, columns = np.meshgrid(*(np.fft.fftfreq(n) for n in picture.shape), indexing="ij")
    return float(power[np.hypot(rows, columns) > 1 / 8].sum() / picture.size**2)


def _fall(filters: Mapping[str, np.ndarray]) -> Figure:
    """What each filter does to waves across the picture, by their fineness."""
    import pandas as pd

    waves = np.linspace(0, 0.5, 101)
    gains = {
        name: np.abs(np.exp(-2j * np.pi * np.outer(waves, np.arange(kernel.shape[1]))) @ kernel.sum(axis=0))
        for name, kernel in filters.items()
        if not name.startswith("random")
    }
    data = pd.DataFrame({"cycles a pixel": waves, **gains})

    def paint(figure):
        axes = figure.subplots()
        for name, gain in gains.items():
            axes.plot(waves, gain / max(gain.max(), 1), label=name)
        axes.set(xlabel="cycles a pixel", ylabel="kept, of the most", xlim=(0, 0.5), ylim=(0, None))
        axes.legend()

    return Figure(
        "gains",
        draw(paint, height=260),
        alt={
            "en": "Means keep slow waves and lose fine ones, the 9 × 9 mean sooner; Sobel keeps those in between.",
            "zh": "均值保留慢波、去掉快波（9 × 9 更早）；Sobel 保留中间的。",
        },
        data=data,
        title={"en": "What is kept of waves across the picture", "zh": "横向波保留多少"},
    )
