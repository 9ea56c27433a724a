"""How far samples can be changed so that a layer responds more strongly, against random changes of the same size.

Mordvintsev, Olah & Tyka 2015, Inceptionism: going deeper into neural networks, Google Research blog.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Samples
from cnnatomy.dissect.changed.inputs import Limits, blurred, box, resized
from cnnatomy.dissect.changed.measuring import Read, moved, pictures_only, read, some_layer
from cnnatomy.dissect.dream.settings import Settings
from cnnatomy.exhibit import say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.choosing import chosen_samples
from cnnatomy.inspection.convolving import frozen
from cnnatomy.inspection.depths import after_activation, at_depths
from cnnatomy.inspection.layers import activations, trace
from cnnatomy.statistics.intervals import mean_interval
from cnnatomy.statistics.numbers import Numbers

STRETCHES = 20  # by which a random change comes to its size although the limits cut it off


@dataclass(frozen=True)
class Dream:
    """One dream and what is said of it.

    picture: (channels, rows, columns). before, after: norm of the layer's activations. by_chance: that norm after
    random changes of the same size, (draws,). moved: root mean square change of a value, as a share of the whole range.
    was, read: what the sample and the dream are read as. sizes: rows and columns of the octaves.
    """

    layer: str
    picture: Tensor
    before: float
    after: float
    by_chance: np.ndarray
    moved: float
    was: Read
    read: Read
    sizes: list[tuple[int, int]]

    @property
    def heard(self) -> bool:
        """Whether the layer responds to the sample itself; where it is silent, no response is a multiple of it."""
        return self.before > 0

    @property
    def raised(self) -> float:
        """How many times stronger the layer responds."""
        return self.after / self.before

    @property
    def raised_by_chance(self) -> np.ndarray:
        """The same after each random change, (draws,)."""
        return self.by_chance / self.before

    @property
    def another_class(self) -> bool:
        """Whether the dream is read as another class than the sample."""
        return self.read.label != self.was.label


@dataclass(frozen=True)
class Dreamt:
    """A sample, (channels, rows, columns), its place in the split, what it is read as, and a dream for each layer."""

    place: int
    id: str
    start: Tensor
    read: Read
    dreams: list[Dream]


@dataclass(frozen=True)
class Dreams:
    """The dreams of all samples in the same layers."""

    layers: list[str]
    samples: list[Dreamt]

    @property
    def each(self) -> list[Dream]:
        """Sample by sample."""
        return [dream for sample in self.samples for dream in sample.dreams]

    @property
    def heard(self) -> list[Dream]:
        """Those of layers that respond to the sample itself: never none."""
        return [dream for dream in self.each if dream.heard]


@dataclass(frozen=True)
class Way:
    """How a sample is changed: within which limits, at which sizes, by which settings and random numbers."""

    limits: Limits
    sizes: Sequence[tuple[int, int]]
    settings: Settings
    seed: int


def measure(
    network: nn.Module, samples: Samples, settings: Settings, *, prepare: Mapping[str, Any], seed: int
) -> Dreams:
    """Raise the norm of a layer's activations by gradient ascent from real samples, over octaves.

    By default for layers at three depths, and measured against random changes of the same size.

    Raises DoesNotApply for texts, for signals and where all the layers are silent, LayerNotFound for an unknown layer,
    WrongSetting for a sample or a class that there isn't, and NoLogits for a network without class outputs.
    """
    facts = samples.facts
    pictures_only(facts, say("dream.no_signals"))
    some_layer(settings.layers, settings.depths, ("layers", "depths"))
    places = _places(samples, settings)
    x = to_tensor(facts, samples.inputs[places])
    reads = read(network, x, len(facts.classes))
    layers = _layers(network, x, settings)
    limits = box(facts, prepare)
    found = []
    for place, start, as_read in zip(places, x, reads, strict=True):
        dreams = []
        for layer in layers:
            way = Way(limits, octaves(network, layer, start[None], settings), settings, seed)
            dreams.append(_dream(network, layer, start[None], as_read, way))
        found.append(Dreamt(place, str(samples.table["id"][place]), start, as_read, dreams))
    return Dreams(layers, found)


def octaves(network: nn.Module, layer: str, x: Tensor, settings: Settings) -> list[tuple[int, int]]:
    """The sizes to dream at, smallest first: those that the layer can still be computed for, and the sample's own."""
    own = (x.shape[2], x.shape[3])
    sizes = [own]
    for octave in range(1, settings.octaves):
        rows, columns = (round(side / settings.ratio**octave) for side in own)
        if min(rows, columns) < settings.smallest or not _fits(network, layer, x, (rows, columns)):
            break
        sizes.insert(0, (rows, columns))
    return sizes


def ascend(network: nn.Module, layer: str, start: Tensor, way: Way) -> Tensor:
    """The dream of one sample, (1, channels, rows, columns), within the limits."""
    random = torch.Generator().manual_seed(way.seed)
    settings, (low, high) = way.settings, way.limits
    step = settings.step * (high - low)
    detail = torch.zeros_like(start)
    with frozen(network):
        for size in way.sizes:
            base = resized(start, size).clamp(low, high)
            x = (base + resized(detail, size)).clamp(low, high)
            reach = [round(settings.jitter * side) for side in size]
            for _ in range(settings.iterations):
                shift = [int(torch.randint(-most, most + 1, (), generator=random)) for most in reach]
                shifted = x.roll(shift, (2, 3)).requires_grad_()
                (held,) = activations(network, shifted, [layer])
                (gradient,) = torch.autograd.grad(held.norm(), shifted)
                uphill = _even(blurred(gradient, settings.blur))
                x = (x + step * uphill.roll([-by for by in shift], (2, 3))).clamp(low, high)
            detail = x - base
    return x


def at_random(dreamt: Tensor, start: Tensor, way: Way) -> Tensor:
    """The sample changed at random as far as the dream changed it, `draws` times: (draws, channels, rows, columns).

    Made as a dream is, blurred changes of every octave added up; but in random directions. Then stretched until the
    root mean square of what is left of them within the limits is the dream's.
    """
    random = torch.Generator().manual_seed(way.seed)
    low, high = way.limits
    draws, own = way.settings.draws, way.sizes[-1]
    direction = torch.zeros(draws, *start.shape[1:])
    for size in way.sizes:
        noise = torch.randn(draws, start.shape[1], *size, generator=random)
        direction = resized(direction, size) + _even(blurred(noise, way.settings.blur))
    direction = resized(direction, own) * (high - low)
    wanted = _distance(dreamt, start)
    stretch = wanted / _distance(direction, torch.zeros_like(direction)).clamp_min(1e-12)
    for _ in range(STRETCHES):  # what is cut off at black and white has to be made up for elsewhere
        changed = (start + stretch[:, None, None, None] * direction).clamp(low, high)
        stretch = stretch * (wanted / _distance(changed, start).clamp_min(1e-12)).clamp(0.5, 2)
    return (start + stretch[:, None, None, None] * direction).clamp(low, high)


def _places(samples: Samples, settings: Settings) -> list[int]:
    if settings.sample is None and settings.label is None and (samples.labels < 0).all():
        return list(range(min(2, len(samples))))
    return list(dict.fromkeys(chosen_samples(samples, settings.sample, settings.label)))


def _layers(network: nn.Module, x: Tensor, settings: Settings) -> list[str]:
    """The layers to dream in, of which some respond to some of the samples. Raises DoesNotApply where none does."""
    traced = trace(network, x[:1])
    layers = [layer.name for layer in at_depths(traced, after_activation(traced), settings.layers, settings.depths)]
    if not any(bool(activations(network, x, [layer])[0].any()) for layer in layers):
        raise DoesNotApply(say("dream.no_response", layers=layers))
    return layers


def _fits(network: nn.Module, layer: str, x: Tensor, size: tuple[int, int]) -> bool:
    """Whether the layer can be computed for a picture of this size; a kernel may be larger than what is left."""
    try:
        with torch.no_grad():
            activations(network, resized(x, size), [layer])
    except Exception:  # of whatever kind: the network does not take this size
        return False
    return True


def _even(change: Tensor) -> Tensor:
    """A change whose mean absolute value is 1 in each sample; no change stays none."""
    return change / change.abs().mean((1, 2, 3), keepdim=True).clamp_min(torch.finfo(change.dtype).tiny)


def _distance(x: Tensor, start: Tensor) -> Tensor:
    return (x - start).square().mean((1, 2, 3)).sqrt()


def _dream(network: nn.Module, layer: str, start: Tensor, was: Read, way: Way) -> Dream:
    made = ascend(network, layer, start, way)
    random = at_random(made, start, way)
    with torch.no_grad():
        norms = [activations(network, x[None], [layer])[0].double().norm() for x in (start[0], made[0], *random)]
    return Dream(
        layer=layer,
        picture=made[0],
        before=float(norms[0]),
        after=float(norms[1]),
        by_chance=torch.stack(norms[2:]).numpy(),
        moved=moved(made, start, way.limits),
        was=was,
        read=read(network, made)[0],
        sizes=list(way.sizes),
    )


def numbers(found: Dreams) -> Numbers:
    """Of all dreams together, the means of ratios being geometric; then of each dream."""
    rows, dreams, heard = Numbers(), found.each, found.heard
    raised = np.log([dream.raised for dream in heard])
    chance = np.log([dream.raised_by_chance.mean() for dream in heard])
    rows.add("raised", significant(math.exp(raised.mean())), n=len(heard))
    rows.add("raised_by_chance", significant(math.exp(chance.mean())), n=len(heard))
    rows.add("moved", significant(float(np.mean([dream.moved for dream in dreams]))), unit="fraction", n=len(dreams))
    changed = sum(dream.another_class for dream in dreams)
    rows.add("class_changed", changed / len(dreams), unit="fraction", n=len(dreams))
    rows.add("layers", len(found.layers))
    rows.add("octaves", max(len(dream.sizes) for dream in dreams))
    for sample in found.samples:
        for dream in sample.dreams:
            with rows.about(f"layer={dream.layer};sample={sample.id}"):
                _of_one(rows, dream)
    return rows


def _of_one(rows: Numbers, dream: Dream) -> None:
    rows.add("norm_before", significant(dream.before))
    rows.add("norm_after", significant(dream.after))
    if dream.heard:
        chance = dream.raised_by_chance
        low, high = mean_interval(chance)
        rows.add("raised", significant(dream.raised))
        interval = (significant(low), significant(high))
        rows.add("raised_by_chance", significant(float(chance.mean())), interval, n=len(chance))
    rows.add("moved", significant(dream.moved), unit="fraction")
    rows.add("probability_before", significant(dream.was.share), unit="fraction")
    rows.add("probability_after", significant(dream.read.share), unit="fraction")
    rows.add("class_changed", int(dream.another_class))
    rows.add("octaves", len(dream.sizes))
