"""A convolution as a dense layer whose weights are sparse and shared, and the three reasons for it, tried on a bird.

Goodfellow, Bengio & Courville 2016, Deep learning, section 9.2: sparse interactions, parameter sharing, equivariance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from cnnatomy.lessons.connections.settings import Settings
from cnnatomy.lessons.objects import BEAK, WINDOW, bird, fish, halved, house, moved
from cnnatomy.lessons.template.measure import slid
from cnnatomy.statistics.numbers import Numbers

MOVED = (5, 8)  # pixels down and to the right
NOISE = 0  # the seed of what the beak's surroundings become


@dataclass(frozen=True)
class Way:
    """How units are connected with a row of inputs.

    links: of each unit its inputs and the weight of each, by number: (unit, input, weight). weights: different ones.
    pooled: how many units the next layer makes one of, 1 for none.
    """

    name: str
    units: int
    links: Sequence[tuple[int, int, int]]
    pooled: int

    @property
    def weights(self) -> int:
        return len({weight for _, _, weight in self.links})


@dataclass(frozen=True)
class Tied:
    """A convolution and a dense layer that does the same.

    which: which of the kernel's weights connects an output with an input, from 1, 0 for none, (outputs, inputs).
    dense, convolution: what the two make of the image, (outputs,). slopes: of the sum of squared outputs by each weight
    of the kernel, (2, weights): gathered from the dense layer, and the convolution's own, both by autograd.
    """

    image: np.ndarray
    kernel: np.ndarray
    which: np.ndarray
    dense: np.ndarray
    convolution: np.ndarray
    slopes: np.ndarray


@dataclass(frozen=True)
class Reasons:
    """Three properties of pictures, tried with a filter cut out of a bird, its beak.

    values: of the filter at the beak: on the bird, with all else turned to noise, and where the bird stands elsewhere.
    places: where the filter's map is largest, (row, column), on the bird and on the moved one.
    noisy: the picture with noise. likeness: correlation of each halved picture, enlarged again, with each whole one.
    """

    pictures: Sequence[np.ndarray]
    noisy: np.ndarray
    moved: np.ndarray
    values: tuple[float, float, float]
    places: tuple[tuple[int, int], tuple[int, int]]
    likeness: np.ndarray

    @property
    def own(self) -> float:
        """The lowest likeness of a halved picture with its own whole one."""
        return float(self.likeness.diagonal().min())

    @property
    def other(self) -> float:
        """The highest with another one."""
        return float(self.likeness[~np.eye(len(self.likeness), dtype=bool)].max())


@dataclass(frozen=True)
class Connections:
    """Four ways to connect a row, a convolution as a dense layer, and the reasons. inputs: in the row."""

    inputs: int
    ways: Sequence[Way]
    tied: Tied
    reasons: Reasons


def measure(settings: Settings) -> Connections:
    """settings: `inputs` of a row, `window` that a unit sees, `pool`; `image` (rows, columns), `kernel` (k, k)."""
    inputs, window = settings.inputs, settings.window
    units = inputs - window + 1
    dense = [(unit, place, unit * inputs + place) for unit in range(units) for place in range(inputs)]
    local = [(unit, unit + at, unit * window + at) for unit in range(units) for at in range(window)]
    shared = [(unit, unit + at, at) for unit in range(units) for at in range(window)]
    ways = [Way("all", units, dense, 1), Way("local", units, local, 1), Way("shared", units, shared, 1)]
    ways.append(Way("pooled", units, shared, settings.pool))
    image, kernel = (np.array(one, dtype=float) for one in (settings.image, settings.kernel))
    return Connections(inputs, ways, tied(image, kernel), reasons())


def tied(image: np.ndarray, kernel: np.ndarray) -> Tied:
    """The convolution (stride 1, no padding) as one matrix."""
    rows, columns = (n - k + 1 for n, k in zip(image.shape, kernel.shape, strict=True))
    which = np.zeros((rows * columns, image.size), dtype=int)
    for (row, column), (i, j) in ((a, b) for a in np.ndindex(rows, columns) for b in np.ndindex(kernel.shape)):
        which[row * columns + column, (row + i) * image.shape[1] + column + j] = i * kernel.shape[1] + j + 1
    matrix = torch.tensor(np.append(0, kernel.ravel())[which], requires_grad=True)
    weights = torch.tensor(kernel[None, None], requires_grad=True)
    dense = functional.linear(torch.tensor(image.ravel()), matrix)
    convolution = functional.conv2d(torch.tensor(image[None, None]), weights)[0, 0]
    for output in (dense, convolution):
        output.square().sum().backward()
    assert matrix.grad is not None and weights.grad is not None  # both have been walked back to
    gathered = np.bincount(which.ravel(), matrix.grad.numpy().ravel(), kernel.size + 1)[1:]
    slopes = np.stack([gathered, weights.grad.numpy().ravel()])
    return Tied(image, kernel, which, dense.detach().numpy(), convolution.detach().numpy().ravel(), slopes)


def reasons() -> Reasons:
    """The beak's filter on the bird, on noise around the beak, and on a bird elsewhere; three pictures, halved."""
    pictures = [bird(), fish(), house()]
    whole = pictures[0]
    beak = tuple(slice(first, first + WINDOW) for first in BEAK)
    filter_ = whole[beak] - whole[beak].mean()  # so that plain ink and plain paper give 0
    noisy = np.random.default_rng(NOISE).random(whole.shape)
    noisy[beak] = whole[beak]
    elsewhere = moved(whole, *MOVED)
    maps = [slid(picture, filter_) for picture in (whole, noisy, elsewhere)]
    there = BEAK[0] + MOVED[0], BEAK[1] + MOVED[1]
    values = float(maps[0][BEAK]), float(maps[1][BEAK]), float(maps[2][there])
    places = [tuple(map(int, np.unravel_index(one.argmax(), one.shape))) for one in (maps[0], maps[2])]
    again = [np.kron(halved(picture), np.ones((2, 2))) for picture in pictures]
    likeness = np.corrcoef([one.ravel() for one in (*again, *pictures)])[: len(again), len(again) :]
    (row, column), (to_row, to_column) = places
    return Reasons(pictures, noisy, elsewhere, values, ((row, column), (to_row, to_column)), likeness)


def numbers(found: Connections) -> Numbers:
    """How far the dense layer is from the convolution, the weights of each way, and what the reasons gave."""
    rows, tied, reasons = Numbers(), found.tied, found.reasons
    rows.add("difference_from_convolution", float(np.abs(tied.dense - tied.convolution).max()), n=tied.dense.size)
    rows.add("difference_of_gradients", float(np.abs(tied.slopes[0] - tied.slopes[1]).max()), n=tied.slopes.shape[1])
    rows.add("weights_not_zero", int((tied.which > 0).sum()))
    rows.add("weights_that_differ", len(np.unique(tied.which)) - 1)
    for way in found.ways:
        with rows.about(f"connected={way.name}"):
            rows.add("weights", way.weights)
    rows.add("picture_seen_by_filter", WINDOW**2 / reasons.pictures[0].size, unit="fraction")
    rows.add("changed_by_noise_around", abs(reasons.values[1] - reasons.values[0]))
    rows.add("changed_by_moving", abs(reasons.values[2] - reasons.values[0]))
    rows.add("halved_like_own", reasons.own)
    rows.add("halved_like_other", reasons.other)
    return rows
