"""One 3 × 3 convolution without bias learns to make the Sobel picture of a photograph, from several starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnatomy.data.prepared import Samples
from cnnatomy.lessons.arriving import arrived
from cnnatomy.lessons.classic_filters.measure import SOBEL, in_grey
from cnnatomy.lessons.learn_sobel.settings import Settings
from cnnatomy.statistics.numbers import Numbers

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

    @property
    def away(self) -> float:
        """How far the learned weight that is farthest from Sobel's is from it."""
        return float(np.abs(self.weights[-1] - SOBEL).max())


@dataclass(frozen=True)
class Learning:
    """A course a seed; of seed 0 what its filter makes of the photograph at each snapshot, beside the target.

    target, made: (rows, columns). snapshots: the iterations.
    """

    target: np.ndarray
    snapshots: Sequence[int]
    made: Sequence[np.ndarray]
    courses: Sequence[Course]

    @property
    def left(self) -> float:
        """The error at the end by that at the start, of the start from which most is left."""
        return max(float(course.errors[-1] / course.errors[0]) for course in self.courses)

    @property
    def found(self) -> int:
        """From how many starts all nine weights are Sobel's, each to `NEAR`."""
        return sum(course.away < NEAR for course in self.courses)


def measure(settings: Settings, samples: Samples) -> Learning:
    """Train from every start. settings: `sample`, `seeds`, `iterations`, `snapshots` of these, `learning_rate`."""
    brightness = in_grey(samples.inputs[settings.sample])
    # Around its mean, in standard deviations: the mean grey would weigh most in the error and Sobel does not see it.
    picture = torch.from_numpy((brightness - brightness.mean()) / brightness.std()).float()[None, None]
    target = functional.conv2d(picture, torch.from_numpy(SOBEL).float()[None, None])
    courses = _learn(picture, target, settings)
    made = [functional.conv2d(picture, torch.from_numpy(one)[None, None])[0, 0].numpy() for one in courses[0].weights]
    return Learning(target[0, 0].numpy(), _snapshots(settings), made, courses)


def _snapshots(settings: Settings) -> list[int]:
    """In their order, with the first and the last iteration."""
    last = settings.iterations
    return sorted({0, last} | {one for one in settings.snapshots if one < last})


def _learn(picture: Tensor, target: Tensor, settings: Settings) -> list[Course]:
    """All seeds side by side: each is a channel with an error of its own, and Adam takes every weight by itself."""
    starts = [torch.randn(1, 1, 3, 3, generator=torch.Generator().manual_seed(k)) for k in range(settings.seeds)]
    weights = nn.Parameter(torch.cat(starts))
    optimiser = torch.optim.Adam([weights], lr=settings.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.iterations)
    errors, kept, snapshots = [], [], _snapshots(settings)
    for iteration in range(settings.iterations + 1):
        each = (functional.conv2d(picture, weights) - target).square().mean(dim=(0, 2, 3))
        errors.append(each.detach().numpy().copy())
        if iteration in snapshots:
            kept.append(weights.detach()[:, 0].numpy().copy())
        if iteration < settings.iterations:
            optimiser.zero_grad()
            each.sum().backward()
            optimiser.step()
            schedule.step()
    return [Course(np.array(errors)[:, k], [one[k] for one in kept]) for k in range(settings.seeds)]


def numbers(found: Learning) -> Numbers:
    """The worst of all starts, then each start."""
    rows, courses = Numbers(), found.courses
    ratios = np.array([course.ratio[1] for course in courses])
    rows.add("middle_to_corners", float(ratios[np.abs(ratios - 2).argmax()]), n=len(courses))
    if learned := [course.learned for course in courses if course.learned is not None]:
        rows.add("iterations_to_one_per_cent", max(learned), n=len(learned))
    rows.add("mse_of_start", found.left, n=len(courses))
    rows.add("largest_weight_error", max(course.away for course in courses))
    for seed, course in enumerate(courses):
        with rows.about(f"seed={seed}"):
            rows.add("final_mse", float(course.errors[-1]))
            rows.add("middle_to_corners", float(course.ratio[1]))
    return rows
