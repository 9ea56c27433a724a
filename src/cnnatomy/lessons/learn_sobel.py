"""Nine weights learn Sobel's filter from its picture (C4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.prepared import Samples
from cnnatomy.drawing.plotting import draw
from cnnatomy.drawing.showing import grey, signed
from cnnatomy.exhibit import Exhibit, Figure, Grid, Item, Number, Table
from cnnatomy.exhibit.rounding import significant
from cnnatomy.lessons.arriving import arrived
from cnnatomy.lessons.classic_filters.measure import SOBEL, in_grey

SMALL = 0.01  # of the start: an error below this share is called learned
NEAR = 0.05  # a weight so near to Sobel's is called found


@dataclass(frozen=True)
class Course:
    """One training: the mean squared error before each iteration and after the last, and weights at the snapshots."""

    errors: np.ndarray
    weights: list[np.ndarray]

    @property
    def learned(self) -> int | None:
        """The first iteration before which the error stays below `SMALL` of its start; None if it doesn't."""
        return arrived(self.errors, SMALL * self.errors[0])

    @property
    def ratio(self) -> np.ndarray:
        """The outer columns of the learned weights as multiples of the mean of their corners, top to bottom."""
        final = self.weights[-1]
        column = (final[:, 2] - final[:, 0]) / 2
        return column / ((column[0] + column[2]) / 2)


def learn_sobel(config: Mapping[str, Any], samples: Samples) -> Exhibit:
    """One 3 × 3 convolution without bias learns to make the Sobel picture of a photograph, from several starts.

    config: `sample`, `seeds`, `iterations`, `snapshot`, `learning_rate`.
    """
    brightness = in_grey(samples.inputs[config["sample"]])
    # Around its mean, in standard deviations: the mean grey would weigh most in the error and Sobel does not see it.
    picture = torch.from_numpy((brightness - brightness.mean()) / brightness.std()).float()[None, None]
    target = nn.functional.conv2d(picture, torch.from_numpy(SOBEL).float()[None, None])
    courses = _learn(picture, target, config)
    first = courses[0]
    low, high = float(target.min()), float(target.max())
    shown = [
        Item(
            f"after/{iteration}",
            grey(_made(picture, weights), high, low),
            label=f"after {iteration:,}",
            values={"mse": significant(float(first.errors[iteration]))},
        )
        for iteration, weights in zip(_snapshots(config), first.weights, strict=True)
    ]
    kernels = [Item("sobel", signed(SOBEL), label="Sobel's")]
    kernels += [
        Item(f"learned/{seed}", signed(course.weights[-1]), label=f"seed {seed}") for seed, course in enumerate(courses)
    ]
    ratios = np.array([course.ratio[1] for course in courses])
    numbers = [
        Number("mse_of_start", max(float(c.errors[-1] / c.errors[0]) for c in courses), n=len(courses)),
        Number("middle_to_corners", float(ratios[np.abs(ratios - 2).argmax()]), n=len(courses)),
        Number("largest_weight_error", max(float(np.abs(c.weights[-1] - SOBEL).max()) for c in courses)),
    ]
    learned = [course.learned for course in courses if course.learned is not None]
    if learned:
        numbers.append(Number("iterations_to_one_per_cent", max(learned), n=len(learned)))
    for seed, course in enumerate(courses):
        numbers += [
            Number("final_mse", float(course.errors[-1]), subject=f"seed={seed}"),
            Number("middle_to_corners", float(course.ratio[1]), subject=f"seed={seed}"),
        ]
    found = sum(float(np.abs(c.weights[-1] - SOBEL).max()) < NEAR for c in courses)
    outcome = {
        "en": f"From {found} of {len(courses)} starts gradient descent finds the filter (each weight to {NEAR:g})",
        "zh": f"{len(courses)} 次随机开始中有 {found} 次，梯度下降找到了它（各权重误差小于 {NEAR:g}）",
    }
    return Exhibit(
        "lesson",
        "",
        "",
        0,
        title={"en": "Learning a filter", "zh": "学习一个卷积核"},
        caption={
            "en": (
                "Nine weights start at random, and are told only which picture Sobel's filter makes of the photograph. "
                f"{outcome['en']}: columns of −, 0, + in the ratio 1 : 2 : 1. What is found is not mirrored: torch's "
                "convolution does not turn its filter, and neither did ours that made the target. Numbers without a "
                "seed are the worst of all starts."
            ),
            "zh": (
                "九个权重随机开始，只给出 Sobel 滤波后的图像。"
                f"{outcome['zh']}：列为 −、0、+，比例 1 : 2 : 1。"
                "没有镜像，"
                "因为 torch 的卷积不旋转核，生成目标时也没有旋转。没有写明种子的数字是最差的一次。"
            ),
        },
        numbers=numbers,
        blocks=[
            _curve(courses),
            Grid(
                "weights",
                kernels,
                title={"en": ("Sobel's weights, and those learned"), "zh": "Sobel 的权重与学到的权重"},
            ),
            _table(courses),
            Grid(
                "snapshots",
                [Item("target", grey(target[0, 0].numpy(), high, low), label="target"), *shown],
                title={"en": "What the filter of seed 0 makes of the picture", "zh": "种子 0 的卷积核得到的图像"},
            ),
        ],
        sources=["Sobel & Feldman 1968, A 3 × 3 isotropic gradient operator for image processing"],
    )


def _snapshots(config: Mapping[str, Any]) -> range:
    return range(0, config["iterations"] + 1, config["snapshot"])


def _learn(picture: Tensor, target: Tensor, config: Mapping[str, Any]) -> list[Course]:
    """All seeds side by side: each is a channel with an error of its own, and Adam takes every weight by itself."""
    starts = [torch.randn(1, 1, 3, 3, generator=torch.Generator().manual_seed(k)) for k in range(config["seeds"])]
    weights = nn.Parameter(torch.cat(starts))
    optimiser = torch.optim.Adam([weights], lr=config["learning_rate"])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config["iterations"])
    errors, kept = [], []
    for iteration in range(config["iterations"] + 1):
        each = (nn.functional.conv2d(picture, weights) - target).square().mean(dim=(0, 2, 3))
        errors.append(each.detach().numpy().copy())
        if iteration in _snapshots(config):
            kept.append(weights.detach()[:, 0].numpy().copy())
        if iteration < config["iterations"]:
            optimiser.zero_grad()
            each.sum().backward()
            optimiser.step()
            schedule.step()
    return [Course(np.array(errors)[:, k], [one[k] for one in kept]) for k in range(config["seeds"])]


def _made(picture: Tensor, weights: np.ndarray) -> np.ndarray:
    return nn.functional.conv2d(picture, torch.from_numpy(weights)[None, None])[0, 0].numpy()


def _curve(courses: list[Course]) -> Figure:
    import pandas as pd

    data = pd.DataFrame({f"seed {seed}": course.errors for seed, course in enumerate(courses)})
    data.insert(0, "iteration", range(len(data)))

    def paint(figure):
        axes = figure.subplots()
        for seed, course in enumerate(courses):
            axes.plot(np.maximum(course.errors, 1e-16), label=f"seed {seed}")
        axes.set(yscale="log", xlabel="iteration", ylabel="mean squared error")
        axes.legend()

    return Figure(
        "errors",
        draw(paint, height=260),
        alt={
            "en": f"From {courses[0].errors[0]:.2g} the error of seed 0 falls to {courses[0].errors[-1]:.2g}.",
            "zh": f"种子 0 的误差从 {courses[0].errors[0]:.2g} 降到 {courses[0].errors[-1]:.2g}。",
        },
        data=data.iloc[::10],
        title={"en": "Error while it learns", "zh": "学习过程中的误差"},
    )


def _table(courses: list[Course]) -> Table:
    import pandas as pd

    rows = {"Sobel's": SOBEL} | {f"seed {seed}": course.weights[-1] for seed, course in enumerate(courses)}
    columns = [f"{row}, {side}" for row in ("top", "middle", "bottom") for side in ("left", "centre", "right")]
    table = pd.DataFrame([weights.ravel() for weights in rows.values()], columns=columns)
    table.insert(0, "filter", list(rows))
    return Table("learned", table.round(4), title={"en": "The nine weights", "zh": "九个权重"})
