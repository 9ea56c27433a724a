"""What raises each class most, look by look: an image climbed to by the network of then.

Simonyan, Vedaldi & Zisserman 2014, Deep inside convolutional networks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Samples
from cnnatomy.dissect.feature_visualisation.optimise import PASSES, Pixels, ascend
from cnnatomy.dissect.feature_visualisation.parameterisation import Spectrum, windows
from cnnatomy.dissect.feature_visualisation.regularisers import Box, Limits, box, measured
from cnnatomy.dissect.learning.settings import Settings
from cnnatomy.inspection.choosing import evenly
from cnnatomy.inspection.convolving import laid_out
from cnnatomy.inspection.outputs import logits_of
from cnnatomy.inspection.work import effort
from cnnatomy.models.snapshots import Snapshot


@dataclass(frozen=True)
class ClassImages:
    """images: (S, classes, *shape), as a network takes them, with no more ink and variation than a typical sample of
    the class. classes: which. named: whether the network at the end sees the class in each, bool (S, classes).
    """

    images: Tensor
    classes: np.ndarray
    named: np.ndarray
    box: Box


@dataclass(frozen=True)
class TooMuch:
    """Class images that are not made: multiply-adds that they would take, and how many the setting `work` allows."""

    needed: float
    most: float


def class_images(
    way: Sequence[Snapshot], samples: Samples, tested: np.ndarray, settings: Settings, seed: int
) -> ClassImages | TooMuch | None:
    """For every look, from the same noise. tested: places of samples that say what is typical.

    TooMuch where it would take more than `work`; None for texts, which can't be changed in small steps.
    """
    facts = samples.facts
    classes = evenly(len(facts.classes), settings.classes)
    if facts.kind == "texts" or not len(classes):
        return None
    each = effort(way[-1].network, to_tensor(facts, samples.inputs[tested[:1]]))
    needed = each * PASSES * settings.climb * len(classes) * len(way)
    if needed > settings.work:
        return TooMuch(float(needed), float(settings.work))
    generator, limits = torch.Generator().manual_seed(seed), box(samples)
    spectrum = Spectrum.fit(windows(samples, facts.shape[1:], np.random.default_rng(seed)))
    start = limits.clamp(spectrum.image(2 * math.pi * torch.rand((len(classes), *facts.shape), generator=generator)))
    most = _typical(samples, tested, classes, limits)
    images = [_climbed(look.network, Pixels(start, limits, most, spectrum), classes, settings.climb) for look in way]
    named = [logits_of(way[-1].network, one, len(facts.classes)).argmax(1).numpy() == classes for one in images]
    return ClassImages(torch.stack(images), classes, np.stack(named), limits)


def _typical(samples: Samples, tested: np.ndarray, classes: np.ndarray, limits: Box) -> Limits:
    """The median ink and variation of each class's samples; of all, where a class has none."""
    inks, variations = measured(samples.facts, samples.inputs[tested], limits)
    mine = [samples.labels[tested] == label for label in classes]
    of_class = [np.flatnonzero(own) if own.any() else np.arange(len(tested)) for own in mine]
    ink, variation = (np.array([np.median(all_[own]) for own in of_class]) for all_ in (inks, variations))
    return Limits(torch.from_numpy(ink).float(), torch.from_numpy(variation).float())


def _climbed(network: nn.Module, picture: Pixels, classes: np.ndarray, steps: int) -> Tensor:
    rows, wanted = torch.arange(len(classes)), torch.from_numpy(classes)

    def logit(x: Tensor, _: float) -> Tensor:
        return network(laid_out(network, x))[rows, wanted]

    return ascend(network, logit, picture, steps).images
