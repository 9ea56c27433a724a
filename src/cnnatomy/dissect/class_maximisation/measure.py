"""The input that a network takes most for each class, without and with knowing what data look like.

Simonyan, Vedaldi & Zisserman 2014, Deep inside convolutional networks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.class_maximisation.budget import Plan, planned
from cnnatomy.dissect.class_maximisation.settings import Settings
from cnnatomy.dissect.feature_visualisation.maximisation import best_of
from cnnatomy.dissect.feature_visualisation.optimise import Pixels, ascend
from cnnatomy.dissect.feature_visualisation.parameterisation import Spectrum, windows
from cnnatomy.dissect.feature_visualisation.regularisers import Box, Jitter, Limits, box, ink, measured, total_variation
from cnnatomy.exhibit import say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.choosing import class_of, evenly
from cnnatomy.inspection.convolving import frozen, laid_out
from cnnatomy.inspection.predicting import in_batches
from cnnatomy.statistics.intervals import crossed_share
from cnnatomy.statistics.numbers import Numbers
from cnnatomy.statistics.paired import no_more_than_zero

ENOUGH = 5  # classes before anything is said of what the priors do
BY_CHANCE = 0.05  # of the sentences that priors help or harm, the share that may be there by chance


class Prior(NamedTuple):
    """What an input may be like: with no more than typical ink, variation; moved about while it is looked at."""

    few: bool
    together: bool
    moved: bool


PRIORS = {
    "none": Prior(False, False, False),
    "l1": Prior(True, False, False),
    "tv": Prior(False, True, False),
    "both": Prior(True, True, False),
    "moved": Prior(True, True, True),
}


@dataclass(frozen=True)
class Reals:
    """What real samples of the classes are like, (classes,) each.

    ink, variation: of a typical sample (median). best: the largest logit for the class, NaN without labels; inputs: the
    samples that have it, None without labels.
    """

    ink: np.ndarray
    variation: np.ndarray
    best: np.ndarray
    inputs: Tensor | None


@dataclass(frozen=True)
class Opinions:
    """The inputs made in one way, (classes, *shape), and what is thought of them, (classes,) each.

    logit, probability: the network's own. named: whether each of the other networks names the class, bool (others,
    classes). others: their mean probability; NaN if there are none. activation, ink, variation: in shares of the best
    real sample's and of a typical one's.
    """

    images: Tensor
    logit: np.ndarray
    probability: np.ndarray
    named: np.ndarray
    others: np.ndarray
    activation: np.ndarray
    ink: np.ndarray
    variation: np.ndarray

    @property
    def agree(self) -> np.ndarray:
        """The share of the other networks that name the class, (classes,); NaN if there are none."""
        return self.named.mean(axis=0) if len(self.named) else np.full(len(self.logit), np.nan)


@dataclass(frozen=True)
class Maximisation:
    """made: by the names of the priors. facts, box: of the samples, made smaller or not. others: how many were asked.

    fewer: whether there are fewer classes than were asked for.
    """

    classes: list[int]
    real: Reals
    made: dict[str, Opinions]
    facts: Facts
    box: Box
    others: int
    fewer: bool
    smaller: bool

    @property
    def names(self) -> list[str]:
        """Of the classes."""
        return [self.facts.classes[label] for label in self.classes]

    @property
    def least_activation(self) -> float | None:
        """With both priors, of the class that does worst; None where there is no real sample to compare with."""
        reached = self.made["both"].activation
        return float(reached.min()) if np.isfinite(reached).all() else None


def measure(
    network: nn.Module,
    samples: Samples,
    settings: Settings,
    *,
    training: Samples | None,
    others: Sequence[nn.Module],
    seed: int,
) -> Maximisation:
    """Optimise an input for each class, and ask other networks what they take it for.

    What is raised is the logit, the score before the softmax: a probability near 1 no longer shows a way up. With a
    prior, ink (L1) and total variation may be no more than those of a typical sample of the class, see `Limits`.

    training: where the spectrum of the noise is from; the samples where None. others: independently seeded networks of
    the same run.
    Raises DoesNotApply for texts, ValueError for an unknown class or a network whose output is not (n, classes).
    """
    if samples.facts.kind == "texts":
        raise DoesNotApply(say("class_maximisation.no_steps"))
    classes = _classes(samples.facts, settings.classes)
    plan = planned(network, samples, training or samples, len(classes), len(PRIORS), settings)
    fewer = plan.classes < len(classes) and isinstance(settings.classes, int)
    if fewer:
        classes = _classes(samples.facts, plan.classes)
    scenes, limits = plan.samples, box(plan.samples)
    real = _reals(network, scenes, classes, limits)
    spectrum = Spectrum.fit(windows(plan.training, scenes.facts.shape[1:], np.random.default_rng(seed)))
    made = {}
    for name, prior in PRIORS.items():
        climb = Climb(network, classes, plan, limits, spectrum, seed)
        made[name] = _opinions(network, others, climb.images(prior, real), classes, real, limits)
    return Maximisation(classes, real, made, scenes.facts, limits, len(others), fewer, scenes is not samples)


def _classes(facts: Facts, wanted: int | Sequence[str | int]) -> list[int]:
    """Which classes: those named, or so many, evenly spread where there are more."""
    if isinstance(wanted, int):
        return [int(label) for label in evenly(len(facts.classes), wanted)]
    return [class_of(facts, name, "classes") for name in wanted]


def _reals(network: nn.Module, samples: Samples, classes: Sequence[int], limits: Box) -> Reals:
    """Typical ink and total variation, and the best logit, of the samples of each class; of all where it has none."""
    inks, variations = measured(samples.facts, samples.inputs, limits)
    best, chosen = np.full(len(classes), np.nan), np.zeros(len(classes), int)
    mine = [np.flatnonzero(samples.labels == label) for label in classes]
    if labelled := all(len(places) for places in mine):
        with torch.no_grad(), frozen(network):
            for row, (label, places) in enumerate(zip(classes, mine, strict=True)):
                logits = [network(laid_out(network, x))[:, label] for _, x in in_batches(samples, places)]
                of_class = torch.cat(logits).double().numpy()
                best[row], chosen[row] = of_class.max(), places[of_class.argmax()]
    typical = [places if len(places) else np.arange(len(samples)) for places in mine]
    return Reals(
        ink=np.array([np.median(inks[places]) for places in typical]),
        variation=np.array([np.median(variations[places]) for places in typical]),
        best=best,
        inputs=to_tensor(samples.facts, samples.inputs[chosen]) if labelled else None,
    )


@dataclass(frozen=True)
class Climb:
    """How inputs for classes are climbed to from the same noise, whatever the prior."""

    network: nn.Module
    classes: Sequence[int]
    plan: Plan
    box: Box
    spectrum: Spectrum
    seed: int

    def images(self, prior: Prior, real: Reals) -> Tensor:
        """The best inputs of several starts, (classes, *shape), held to what is typical by a prior."""
        facts, generator = self.plan.samples.facts, torch.Generator().manual_seed(self.seed)
        rows = torch.arange(len(self.classes)).repeat(self.plan.starts)
        asked = torch.tensor(self.classes)[rows]

        def logit(x: Tensor, warmth: float) -> Tensor:
            return self.network(laid_out(self.network, x))[torch.arange(len(x)), asked]

        phases = 2 * math.pi * torch.rand((len(rows), *facts.shape), generator=generator)
        noise = self.box.clamp(self.spectrum.image(phases))
        most = Limits(_limit(real.ink, prior.few)[rows], _limit(real.variation, prior.together)[rows])
        picture = Pixels(noise, self.box, most, self.spectrum if prior.together else None)
        about = Jitter(facts, self.box, generator) if prior.moved else None
        return best_of(ascend(self.network, logit, picture, self.plan.steps, about), self.plan.starts).images


def _limit(typical: np.ndarray, held: bool) -> Tensor:
    return torch.from_numpy(typical if held else np.full(len(typical), np.inf)).float()


def _opinions(
    network: nn.Module, others: Sequence[nn.Module], images: Tensor, classes: Sequence[int], real: Reals, limits: Box
) -> Opinions:
    rows = np.arange(len(classes))

    def of(one: nn.Module) -> np.ndarray:
        with torch.no_grad(), frozen(one):
            return one(laid_out(one, images)).double().numpy()

    def likely(logits: np.ndarray) -> np.ndarray:
        powers = np.exp(logits - logits.max(1, keepdims=True))
        return powers[rows, classes] / powers.sum(1)

    own = of(network)
    told = [of(one) for one in others]
    none = np.full(len(classes), np.nan)
    return Opinions(
        images=images,
        logit=own[rows, classes],
        probability=likely(own),
        named=np.array([logits.argmax(1) == classes for logits in told], dtype=bool).reshape(len(told), len(classes)),
        others=np.mean([likely(logits) for logits in told], axis=0) if told else none,
        activation=np.where(real.best > 0, own[rows, classes] / real.best, np.nan),
        ink=ink(images, limits).double().numpy() / np.maximum(real.ink, 1e-9),
        variation=total_variation(images, limits).double().numpy() / np.maximum(real.variation, 1e-9),
    )


def verdict(without: np.ndarray, both: np.ndarray) -> str:
    """What the priors do to the other networks' agreement, (classes,) each: help, harm, the same, or undecided.

    The former two only where it is more than chance.
    """
    gain = both - without
    if not gain.any():
        return "same"
    if len(gain) >= ENOUGH and no_more_than_zero(gain) < BY_CHANCE / 2:
        return "help"
    if len(gain) >= ENOUGH and no_more_than_zero(-gain) < BY_CHANCE / 2:
        return "harm"
    return "undecided"


def numbers(found: Maximisation) -> Numbers:
    """Of the whole, then of each way to make inputs, then of each of its classes."""
    rows, n = Numbers(), len(found.classes)
    both = found.made["both"]
    if found.least_activation is not None:
        rows.add("least_activation", significant(found.least_activation), n=n)
    rows.add("most_ink", significant(float(both.ink.max())), n=n)
    rows.add("most_variation", significant(float(both.variation.max())), n=n)
    if found.others:
        rows.append(crossed_share("agree_without_priors", found.made["none"].named))
        rows.append(crossed_share("agree_with_both", both.named))
        rows.append(crossed_share("agree_moved", found.made["moved"].named))
    for name, of in found.made.items():
        with rows.about(f"variant={name}"):
            rows.add("probability", significant(float(of.probability.mean())), unit="fraction")
            if found.others:
                rows.append(crossed_share("agree", of.named, f"variant={name}"))
                mean = significant(float(of.others.mean()))
                rows.add("others_probability", mean, unit="fraction", n=found.others)
        for row, class_ in enumerate(found.names):
            with rows.about(f"class={class_};variant={name}"):
                _of_class(rows, of, row)
    return rows


def _of_class(rows: Numbers, of: Opinions, row: int) -> None:
    values = {"logit": of.logit, "activation": of.activation, "ink": of.ink, "variation": of.variation}
    shares = {"probability": of.probability, "agree": of.agree, "others_probability": of.others}
    for metric, each in {**values, **shares}.items():
        if np.isfinite(each[row]):
            rows.add(metric, significant(float(each[row])), unit="fraction" if metric in shares else "")
