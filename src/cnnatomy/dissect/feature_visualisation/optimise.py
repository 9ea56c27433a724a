"""Climbing: inputs changed step by step until units of a network fire as strongly as they can, many at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from cnnatomy.dissect.feature_visualisation.parameterisation import Spectrum
from cnnatomy.dissect.feature_visualisation.regularisers import Box, Limits
from cnnatomy.inspection.convolving import frozen

RATE = 0.1  # of the range of what is changed: ten steps from one end to the other, before it falls
BETAS = (0.9, 0.99)  # how much of Adam's means is kept at each step
PASSES = 3  # a step forward and back costs as much as three forward
WARM = 0.5  # of the steps in which a value may show the way by a smoother one

Value = Callable[[Tensor, float], Tensor]
"""What to raise: inputs (n, *shape) and a warmth from 1 down to 0 → values (n,), each of its own input alone.

The values are true at any warmth; only their gradients may be those of something smoother while it is above 0.
"""


class Picture(Protocol):
    """Inputs as an optimiser holds them: `parameter`, of the size `size`, and the images that it stands for."""

    parameter: Tensor
    size: float

    def image(self) -> Tensor: ...

    def step(self, gradient: Tensor) -> Tensor: ...

    def project(self) -> None: ...


class Pixels:
    """A number a pixel, kept in the box; perhaps with no more ink and total variation than some limits.

    spectrum: steps are taken along frequencies in proportion to their amplitudes in the data (a Sobolev gradient), of
    the images named by `smooth`, (n,). Where total variation is limited, it goes into shapes then, not faint noise.
    """

    def __init__(
        self,
        start: Tensor,
        box: Box,
        limits: Limits | None = None,
        spectrum: Spectrum | None = None,
        smooth: Tensor | None = None,
    ) -> None:
        self.box, self.limits, self.spectrum = box, limits, spectrum
        self.smooth = torch.ones(len(start), dtype=torch.bool) if smooth is None else smooth
        self.parameter = start.clone().requires_grad_()
        self.size = float(box.range.mean())

    def image(self) -> Tensor:
        return self.parameter if self.limits is None else self.limits.held(self.parameter, self.box)

    def step(self, gradient: Tensor) -> Tensor:
        if self.spectrum is None:
            return gradient
        stepped = gradient.clone()
        stepped[self.smooth] = self.spectrum.along(gradient[self.smooth])
        return stepped

    def project(self) -> None:
        self.parameter.copy_(self.box.clamp(self.parameter))


class Phases:
    """A phase a frequency, with the amplitudes of the data; what leaves the box is cut off."""

    def __init__(self, start: Tensor, box: Box, spectrum: Spectrum) -> None:
        self.box, self.spectrum = box, spectrum
        self.parameter = start.clone().requires_grad_()
        self.size = math.pi

    def image(self) -> Tensor:
        return self.box.clamp(self.spectrum.image(self.parameter))

    def step(self, gradient: Tensor) -> Tensor:
        return gradient

    def project(self) -> None:
        pass


@dataclass(frozen=True)
class Found:
    """The best inputs on the way, (n, *shape), and the value of each, (n,)."""

    images: Tensor
    values: Tensor


def ascend(
    network: nn.Module,
    value: Value,
    picture: Picture,
    steps: int,
    moved: Callable[[Tensor], Tensor] | None = None,
) -> Found:
    """Raise the value of each image of a batch for itself, and give the best of each.

    Adam with a rate that falls from `RATE` to zero as a cosine; after each step the image is put back into its box.
    moved: changes the images before they are looked at; then what counts is the last image, as it is.
    """
    x = picture.parameter
    adam = Adam(x)
    images = best = torch.empty(0)
    with frozen(network):
        for step in range(steps + 1):
            last = step == steps
            image = picture.image()
            reached = value(image if moved is None or last else moved(image), max(0.0, 1 - step / (WARM * steps)))
            with torch.no_grad():
                if step == 0 or (last and moved is not None):
                    images, best = image.detach().clone(), reached.detach().clone()
                elif moved is None:
                    better = reached > best
                    best = torch.where(better, reached, best)
                    images = torch.where(better.reshape((-1,) + (1,) * (image.dim() - 1)), image, images)
            if last:
                break
            (gradient,) = torch.autograd.grad(reached.sum(), x)
            with torch.no_grad():
                adam.raise_(picture.step(gradient), RATE * picture.size * (1 + math.cos(math.pi * step / steps)) / 2)
                picture.project()
    return Found(images, best)


class Adam:
    """Steps along mean gradients over their size (Kingma & Ba 2015), upward.

    Not torch's own: that imports torch's compiler, which takes longer than most climbs, and is slower on one tensor.
    """

    def __init__(self, x: Tensor) -> None:
        self.x, self.steps = x, 0
        self.mean, self.square = torch.zeros_like(x), torch.zeros_like(x)

    def raise_(self, gradient: Tensor, rate: float) -> None:
        """Change `x` by a step of about `rate`."""
        self.steps += 1
        self.mean.lerp_(gradient, 1 - BETAS[0])
        self.square.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
        size = self.square.sqrt().div_(math.sqrt(1 - BETAS[1] ** self.steps)).add_(1e-8)
        self.x.addcdiv_(self.mean, size, value=rate / (1 - BETAS[0] ** self.steps))
