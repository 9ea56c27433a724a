"""Inputs that excite units most, in three ways, beside the real samples that do.

plain     pixels in the range of the data, and nothing else: how far the unit can be driven
l1_tv     with no more ink (L1) and no more total variation than the real sample that excites the unit most
fourier   with the mean amplitude spectrum of the data, only phases free (MACO)

All start from noise with the spectrum of the data. All units of a layer climb together, each image for a unit of its
own, from several starts; the best is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Samples
from cnnatomy.dissect.feature_visualisation.maximised import VARIANTS, Maximised
from cnnatomy.dissect.feature_visualisation.optimise import Found, Phases, Picture, Pixels, Value, ascend
from cnnatomy.dissect.feature_visualisation.parameterisation import Spectrum, windows
from cnnatomy.dissect.feature_visualisation.regularisers import Box, Limits, ink, total_variation
from cnnatomy.dissect.feature_visualisation.units import Reals, Units, Window, at
from cnnatomy.inspection.convolving import frozen

ENOUGH = 20  # samples to compare with; with fewer nothing is said of how usual a value is
#: How far from firing, in standard deviations on data, a place of a map may be and still be drawn along at first; one
#: of each of four starts. Little finds sparse patterns, much fills the map.
WARMTHS = (0.03, 0.1, 0.3, 1.0)
AT_ONCE = 100_000  # values of inputs in a batch: more don't fit the processor's caches


@dataclass(frozen=True)
class Real:
    """What made inputs are held to and beside. training: where the spectrum of the data is from."""

    samples: Samples
    training: Samples
    box: Box


@dataclass(frozen=True)
class Plan:
    """What is done for a layer: which of its units, (n,), from how many starts, in how many steps."""

    which: np.ndarray
    starts: int
    steps: int


def value_at(units: Units, which: Tensor, place: tuple[int, ...]) -> Value:
    """The value of unit `which[i]` at one place of its map on image i."""

    def value(x: Tensor, warmth: float) -> Tensor:
        return at(units.values(x, which)[0], place)

    return value


def sum_of_map(units: Units, which: Tensor, scale: Tensor) -> Value:
    """The sum of the map of unit `which[i]` after the activation. scale: (n,) of the values, at the warmth 1.

    While it is warm, places that don't fire are pulled along, the more the nearer they are to firing: the gradient of
    a softplus. Else a map in which nothing fires would show no way up.
    """

    def value(x: Tensor, warmth: float) -> Tensor:
        before, after = units.values(x, which)
        true = after.flatten(1).sum(1)
        if warmth == 0:
            return true
        width = (warmth * scale).clamp_min(1e-6).reshape((-1,) + (1,) * (before.dim() - 1))
        pull = (torch.sigmoid(before.detach() / width) * before).flatten(1).sum(1)
        return true.detach() + pull - pull.detach()

    return value


def maximise(units: Units, reals: Reals, real: Real, plan: Plan, *, summed: bool, seed: Sequence[int]) -> Maximised:
    """The inputs that raise the value at one place (or, `summed`, the sum of the map) of each of the units most."""
    samples, box, which = real.samples, real.box, plan.which
    window = (
        _whole(samples) if summed else units.window(samples.facts.shape, to_tensor(samples.facts, samples.inputs[:1]))
    )
    best = torch.cat([_best(reals, samples, window, int(k), summed) for k in which])
    random = np.random.default_rng(list(seed))
    generator = torch.Generator().manual_seed(int(random.integers(2**62)))
    cut = windows(real.training, window.shape[1:], random)
    spectrum = Spectrum.fit(cut if window.shape[1:] == samples.facts.shape[1:] else _eventful(cut))
    limits = Limits(ink(best, box), total_variation(best, box))
    parts: list[dict[str, Found]] = []
    for chunk in torch.arange(len(which)).split(max(1, AT_ONCE // (math.prod(window.shape) * plan.starts))):
        rows = chunk.repeat(plan.starts)
        phases = 2 * math.pi * torch.rand((len(rows), *window.shape), generator=generator)
        value = _value(units, reals, window, torch.from_numpy(which)[chunk], plan.starts, summed)
        # Shapes want smooth steps, fine textures don't: every other start takes them, and the better one is kept.
        smooth = (torch.arange(plan.starts) % 2 == 0).repeat_interleave(len(chunk))
        noise = box.clamp(spectrum.image(phases))
        pictures: dict[str, Picture] = {
            "plain": Pixels(noise, box),
            "l1_tv": Pixels(noise, box, Limits(limits.ink[rows], limits.variation[rows]), spectrum, smooth),
            "fourier": Phases(phases, box, spectrum),
        }
        climbs = {variant: ascend(units.network, value, start, plan.steps) for variant, start in pictures.items()}
        parts.append({variant: best_of(found, plan.starts) for variant, found in climbs.items()})
    images = {variant: torch.cat([part[variant].images for part in parts]) for variant in VARIANTS}
    values = {variant: torch.cat([part[variant].values for part in parts]).double().numpy() for variant in VARIANTS}
    return Maximised(
        layer=units.layer,
        summed=summed,
        which=which,
        window=window,
        fires=reals.fires[which],
        compared=reals.compared,
        real=best,
        best=(reals.best_sum if summed else reals.best)[which],
        images=images,
        values=values,
        rank=ranks(units, reals, images["plain"], which, window.place, summed),
        lit=_lit(units, images.values(), which, window.place, summed),
    )


def _whole(samples: Samples) -> Window:
    shape = samples.facts.shape
    return Window(tuple(shape), (), (slice(None),) * len(shape[1:]), None)


def _value(units: Units, reals: Reals, window: Window, which: Tensor, starts: int, summed: bool) -> Value:
    """What to raise for some units from several starts, which follow one another in a batch of (starts × n)."""
    asked = which.repeat(starts)
    if not summed:
        return value_at(units, asked, window.place)
    warmths = torch.tensor([WARMTHS[start % len(WARMTHS)] for start in range(starts)])
    spread = torch.from_numpy(reals.spread).float()
    return sum_of_map(units, asked, spread[asked] * warmths.repeat_interleave(len(which)))


def best_of(found: Found, starts: int) -> Found:
    """The best of several starts, which follow one another in a batch of (starts × n)."""
    values = found.values.reshape(starts, -1)
    best = values.argmax(0)
    n = torch.arange(values.shape[1])
    return Found(found.images.reshape(starts, values.shape[1], *found.images.shape[1:])[best, n], values[best, n])


def ranks(
    units: Units, reals: Reals, images: Tensor, which: np.ndarray, place: tuple[int, ...], summed: bool
) -> np.ndarray:
    """On the input made for a unit, the unit's place among all of its layer: 1, none is excited more unusually.

    How unusual a value is, is said in standard deviations above the unit's own mean on data; the units' scales differ.
    Units whose value never changes on data are no competitors. Empty if there are too few samples to say what is usual.
    """
    mean, spread = (reals.mean_sum, reals.spread_sum) if summed else (reals.mean, reals.spread)
    if reals.compared < ENOUGH:
        return np.empty(0)
    found = []
    with torch.no_grad(), frozen(units.network):
        for part in images.split(max(1, AT_ONCE // math.prod(images.shape[1:]))):
            whole = units.whole(part)
            if summed:
                found.append(units.activate(whole).flatten(2).sum(2).double().numpy())
            else:
                found.append(at(whole, place).double().numpy())
    values = np.concatenate(found)
    unusual = np.divide(values - mean, spread, out=np.full(values.shape, -np.inf), where=spread > 0)
    own = unusual[np.arange(len(which)), which]
    return 1 + (unusual > own[:, None]).sum(1)


def _lit(units: Units, images: Iterable[Tensor], which: np.ndarray, place: tuple[int, ...], summed: bool) -> np.ndarray:
    """Whether a unit fires on any of the inputs made for it, bool (n,); at one place, or anywhere in its map."""
    lit, asked = np.zeros(len(which), bool), torch.from_numpy(which)
    for made in images:
        for rows in torch.arange(len(made)).split(max(1, AT_ONCE // math.prod(made.shape[1:]))):
            with torch.no_grad(), frozen(units.network):
                _, after = units.values(made[rows], asked[rows])
            fires = after.flatten(1).amax(1) if summed else at(after, place)
            lit[rows.numpy()] |= (fires > 0).numpy()
    return lit


def exact_optimum(units: Units, window: Window, box: Box, which: np.ndarray) -> np.ndarray | None:
    """The largest value at one place that any input in the box can give, for some units; None where it can't be said.

    Where the value is affine in the input, as before the first activation, each pixel is best at one end of its range:
    Σ max(w, 0)·high + min(w, 0)·low + b. The weights are the gradient, so that normalisation and padding are in it.
    """
    low, high = (end.expand(1, *window.shape) for end in (box.low, box.high))
    elsewhere = box.background + 0.3 * (high - low)
    optima = []
    with frozen(units.network):
        for part in torch.from_numpy(which).split(max(1, AT_ONCE // math.prod(window.shape))):
            value = value_at(units, part, window.place)
            weights, reached = _gradient(value, low.repeat(len(part), *[1] * len(window.shape)))
            others, _ = _gradient(value, elsewhere.repeat(len(part), *[1] * len(window.shape)))
            if not torch.allclose(weights, others, rtol=0, atol=1e-6 * max(float(weights.abs().max()), 1e-12)):
                return None
            optima.append(reached + (weights.clamp_min(0) * (high - low)).flatten(1).sum(1))
    return torch.cat(optima).numpy()


def _gradient(value: Value, x: Tensor) -> tuple[Tensor, Tensor]:
    """Gradient and value of each image of a batch, float64."""
    x = x.clone().requires_grad_()
    reached = value(x, 0.0)
    return torch.autograd.grad(reached.sum(), x)[0].double(), reached.detach().double()


def _best(reals: Reals, samples: Samples, window: Window, k: int, summed: bool) -> Tensor:
    """The part of the best real sample of a unit that `window` looks at, (1, *window.shape)."""
    place = (reals.sample_sum if summed else reals.sample)[k]
    sample = samples.inputs[place : place + 1]
    if not summed and window.step is not None:
        cut = []
        for there, here, step, side in zip(reals.place[k], window.place, window.step, window.shape[1:], strict=True):
            cut.append(slice((there - here) * step, (there - here) * step + side))
        sample = sample[(slice(None), slice(None), *cut)]
    return to_tensor(samples.facts, sample)


def _eventful(cut: Tensor) -> Tensor:
    """The quarter of some windows in which most happens: small ones mostly show nothing but background."""
    varies = cut.flatten(1).var(1)
    return cut[varies.argsort(descending=True, stable=True)[: max(1, len(cut) // 4)]]
