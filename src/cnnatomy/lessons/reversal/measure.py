"""A small network is trained on three drawings; then its weights stand still and its input climbs, by three formulas.

Erhan et al. 2009, Visualizing higher-layer features of a deep network; Simonyan et al. 2014, Deep inside convolutional
networks, ICLR workshop.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnatomy.lessons.objects import bird, fish, house
from cnnatomy.lessons.reversal.settings import Settings
from cnnatomy.statistics.numbers import Numbers

FILTERS, KERNEL, UNITS = 4, 5, 8
CLASSES = 3
SHIFT = 3  # pixels that drawings are moved by at most, each way
RATE = 0.003  # of Adam, in training
STEP = 0.1  # of the input, so long is each step


@dataclass(frozen=True)
class Trained:
    """kernels: of the first layer, before and after, (filters, k, k). losses: before and after.

    moved: how far all weights went, and all inputs (Euclid). picture: one of the inputs. right: the share read rightly.
    """

    kernels: tuple[np.ndarray, np.ndarray]
    losses: tuple[float, float]
    moved: tuple[float, float]
    picture: np.ndarray
    right: float


@dataclass(frozen=True)
class Climbed:
    """An input that was changed. values: of its formula, before and after; real: the largest of all real inputs.

    moved: how far the input went, and all weights. penalty: Σ|x| before and after, where the formula has it.
    """

    formula: str
    pictures: tuple[np.ndarray, np.ndarray]
    values: tuple[float, float]
    real: float
    moved: tuple[float, float]
    ink: tuple[float, float]


@dataclass(frozen=True)
class Reversal:
    """Training, and then an ascent for each formula: filter, unit, class."""

    trained: Trained
    climbs: Sequence[Climbed]


def measure(settings: Settings) -> Reversal:
    """settings: `steps` of training and of each ascent, `penalty` of a pixel of ink for the class, `seed`."""
    inputs, labels = drawings()
    network = build(settings.seed, inputs.shape[2:])
    trained = train(network, inputs, labels, settings.steps)
    to_map, to_unit = network[:2], network[:6]
    k, j = _edge(trained.kernels[1]), int(to_unit(inputs).mean(0).argmax())
    formulas: dict[str, Callable[[Tensor], Tensor]] = {
        "filter": lambda x: to_map(x)[:, k].sum((1, 2)),
        "unit": lambda x: to_unit(x)[:, j],
        "class": lambda x: network(x)[:, 0] - settings.penalty * x.abs().sum((1, 2, 3)),
    }
    start = torch.rand(inputs[:1].shape, generator=torch.Generator().manual_seed(settings.seed), dtype=torch.float64)
    climbs = [climb(network, name, formula, start, inputs, settings.steps) for name, formula in formulas.items()]
    return Reversal(trained, climbs)


def _edge(kernels: np.ndarray) -> int:
    """The kernel whose weights cancel each other most: plain ink, or plain paper, is not what it looks for."""
    return int((np.abs(kernels.sum((1, 2))) / np.abs(kernels).sum((1, 2))).argmin())


def drawings() -> tuple[Tensor, Tensor]:
    """A bird, a fish and a house, each at nine places, (27, 1, rows, columns), and which is which."""
    places = [(down, right) for down in (-SHIFT, 0, SHIFT) for right in (-SHIFT, 0, SHIFT)]
    drawn = [np.roll(one, place, axis=(0, 1)) for one in (bird(), fish(), house()) for place in places]
    return torch.tensor(np.stack(drawn))[:, None], torch.arange(CLASSES).repeat_interleave(len(places))


def build(seed: int, size: Sequence[int]) -> nn.Sequential:
    """Convolution, pool, one hidden dense layer, in double precision."""
    left = [(n - KERNEL + 1) // 2 for n in size]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            OrderedDict(
                conv=nn.Conv2d(1, FILTERS, KERNEL),
                relu1=nn.ReLU(),
                pool=nn.MaxPool2d(2),
                flatten=nn.Flatten(),
                dense1=nn.Linear(FILTERS * left[0] * left[1], UNITS),
                relu2=nn.ReLU(),
                dense2=nn.Linear(UNITS, CLASSES),
            )
        ).double()


def train(network: nn.Sequential, inputs: Tensor, labels: Tensor, steps: int) -> Trained:
    """Inputs fixed, weights changed: down the loss."""
    given, before = inputs.clone(), flat(network)
    kernels = [_kernels(network)]
    optimiser = torch.optim.Adam(network.parameters(), RATE)
    losses = []
    for _ in range(steps):
        loss = functional.cross_entropy(network(inputs), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    with torch.no_grad():
        outputs = network(inputs)
        losses.append(functional.cross_entropy(outputs, labels).item())
    kernels.append(_kernels(network))
    moved = float((flat(network) - before).norm()), float((inputs - given).norm())
    right = float((outputs.argmax(1) == labels).double().mean())
    middle = inputs[4, 0].numpy()  # the bird where it was drawn
    return Trained((kernels[0], kernels[1]), (losses[0], losses[-1]), moved, middle, right)


def _kernels(network: nn.Sequential) -> np.ndarray:
    return dict(network.named_parameters())["conv.weight"].detach()[:, 0].numpy().copy()


def climb(
    network: nn.Sequential, name: str, formula: Callable[[Tensor], Tensor], start: Tensor, real: Tensor, steps: int
) -> Climbed:
    """Weights fixed, the input changed: up the formula, pixels kept from 0 to 1."""
    before, x = flat(network), start.clone()
    for _ in range(steps):
        x.requires_grad_()
        (slope,) = torch.autograd.grad(formula(x).sum(), x)
        x = (x.detach() + STEP * slope / slope.abs().max().clamp_min(1e-12)).clamp(0, 1)
    with torch.no_grad():
        values = float(formula(start)), float(formula(x))
        best = float(formula(real).max())
    moved = float((x - start).norm()), float((flat(network) - before).norm())
    pictures = start[0, 0].numpy(), x[0, 0].numpy()
    return Climbed(name, pictures, values, best, moved, (float(start.sum()), float(x.sum())))


def flat(network: nn.Module) -> Tensor:
    """All weights in one row."""
    return torch.cat([one.detach().flatten() for one in network.parameters()]).clone()


def numbers(found: Reversal) -> Numbers:
    """What moved and what stood still, in training and in each ascent, and what was reached."""
    rows, trained = Numbers(), found.trained
    rows.add("loss_before", trained.losses[0])
    rows.add("loss_after", trained.losses[1])
    rows.add("inputs_moved_in_training", trained.moved[1])
    rows.add("weights_moved_in_training", trained.moved[0])
    rows.add("weights_moved_in_ascent", max(one.moved[1] for one in found.climbs))
    for one in found.climbs:
        with rows.about(f"formula={one.formula}"):
            rows.add("value_before", one.values[0])
            rows.add("value_after", one.values[1])
            rows.add("best_real_value", one.real)
    return rows
