"""Inputs that excite units most, in three ways, beside the real samples that do.

plain     pixels in the range of the data, and nothing else: how far the unit can be driven
l1_tv     with no more ink (L1) and no more total variation than the real sample that excites the unit most
fourier   with the mean amplitude spectrum of the data, only phases free (MACO)

All start from noise with the spectrum of the data. All units of a layer climb together, each image for a unit of its
own, from several starts; the best is kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.ascent.climb import Found, Phases, Picture, Pixels, Value, ascend
from cnnatomy.dissect.ascent.parameterisation import Spectrum, windows
from cnnatomy.dissect.ascent.regularisers import Box, Limits, ink, total_variation
from cnnatomy.dissect.ascent.units import Reals, Units, Window, at
from cnnatomy.drawing import curves
from cnnatomy.drawing.pictures import in_own_units
from cnnatomy.drawing.showing import amount, picture, upright
from cnnatomy.exhibit import Item, Number
from cnnatomy.exhibit.blocks import State
from cnnatomy.exhibit.rounding import significant
from cnnatomy.probing.convolving import frozen
from cnnatomy.statistics.intervals import wilson

VARIANTS = {"plain": "plain", "l1_tv": "L1 + TV", "fourier": "Fourier"}
ENOUGH = 20  # samples to compare with; with fewer nothing is said of how usual a value is
#: How far from firing, in standard deviations on data, a place of a map may be and still be drawn along at first; one
#: of each of four starts. Little finds sparse patterns, much fills the map.
WARMTHS = (0.03, 0.1, 0.3, 1.0)
AT_ONCE = 100_000  # values of inputs in a batch: more don't fit the processor's caches
SAME = 1e-6  # share of a value within which two are equal: the order of a sum changes that much
READING = {
    "en": "From left to right: the best real input, then the ones made: plain, L1 + TV, Fourier.",
    "zh": "从左到右：最佳真实输入，然后是人造的：plain、L1 + TV、Fourier。",
}
INK = {
    "en": "Of a signal, ink is its distance from the median of the channel, and variation its steps in time.",
    "zh": "对信号而言，墨量是与该通道中位数的距离，变差是随时间的步长。",
}
LEVELS = 24  # of brightness in a picture: enough to see, and half the bytes of 256

SOURCES = [
    "Erhan, Bengio, Courville & Vincent 2009, Visualizing higher-layer features of a deep network, Montréal",
    "Mahendran & Vedaldi 2015, Understanding deep image representations by inverting them, CVPR (total variation)",
    "Fel et al. 2023, Unlocking feature visualization for deeper networks with magnitude constrained optimization, "
    "NeurIPS (MACO)",
]


def reading(facts: Facts) -> dict[str, str]:
    """How to read the strips, and of signals their axes."""
    if facts.kind != "signals":
        return READING
    said = curves.small_said(facts)
    return {"en": f"{READING['en']} {said['en']} {INK['en']}", "zh": READING["zh"] + said["zh"] + INK["zh"]}


@dataclass(frozen=True)
class Maximised:
    """What was found for some units of a layer, by one of two objectives.

    which: (n,) the units. window: what was optimised. real: (n, *window) the best real inputs; best: their values.
    images, values: for each variant (n, *window) and (n,). rank: (n,) see `ranks`; empty where it can't be said.
    """

    units: Units
    reals: Reals
    summed: bool
    which: np.ndarray
    window: Window
    real: Tensor
    best: np.ndarray
    images: Mapping[str, Tensor]
    values: Mapping[str, np.ndarray]
    rank: np.ndarray

    @property
    def live(self) -> np.ndarray:
        return self.reals.fires[self.which] > 0

    @property
    def beats(self) -> np.ndarray:
        """Whether the plain input excites its unit more than the best real one does."""
        return self.values["plain"] > self.best + SAME * np.abs(self.best)

    @property
    def reaches(self) -> np.ndarray:
        """Whether it excites it at least as much: where a real input is the optimum, no other can do more."""
        return self.values["plain"] >= self.best - SAME * np.abs(self.best)

    @property
    def beaten(self) -> dict[str, str]:
        """How many live units' best real inputs the plain ones beat, in words."""
        live, more = int(self.live.sum()), int(self.beats[self.live].sum())
        same = int(self.reaches[self.live].sum()) - more
        ties, ties_zh = (f" and does as well for {same}", f"，{same} 个相等") if same else ("", "")
        return {
            "en": f"Plain beats the best real input for {more} of {live} live ones{ties}.",
            "zh": f"{live} 个活跃者中，有 {more} 个的“plain”超过最佳真实输入{ties_zh}。",
        }


def against_real(found: Sequence[Maximised], suffix: str = "") -> list[Number]:
    """The shares of live units whose best real inputs the plain ones beat, and which they reach at least."""
    live = [one.live for one in found]
    n = int(sum(which.sum() for which in live))
    if not n:
        return []
    more = sum(int(one.beats[which].sum()) for one, which in zip(found, live, strict=True))
    reached = sum(int(one.reaches[which].sum()) for one, which in zip(found, live, strict=True))
    return [
        Number(f"beats_best_real{suffix}", more / n, unit="fraction", n=n),
        Number(f"reaches_best_real{suffix}", reached / n, unit="fraction", n=n),
    ]


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


def maximise(
    units: Units,
    reals: Reals,
    samples: Samples,
    training: Samples,
    box: Box,
    which: np.ndarray,
    *,
    summed: bool,
    steps: int,
    starts: int,
    seed: Sequence[int],
) -> Maximised:
    """The inputs that raise the value at one place (or, `summed`, the sum of the map) of each of the units most."""
    facts = samples.facts
    first = to_tensor(facts, samples.inputs[:1])
    whole = Window(tuple(facts.shape), (), (slice(None),) * len(facts.shape[1:]), None)
    window = whole if summed else units.window(facts.shape, first)
    real = torch.cat([_real(units, reals, samples, window, int(k), summed) for k in which])
    best = (reals.best_sum if summed else reals.best)[which]
    random = np.random.default_rng(list(seed))
    generator = torch.Generator().manual_seed(int(random.integers(2**62)))
    cut = windows(training, window.shape[1:], random)
    spectrum = Spectrum.fit(cut if window.shape[1:] == facts.shape[1:] else _eventful(cut))
    limits = Limits(ink(real, box), total_variation(real, box))
    spread = torch.from_numpy(reals.spread).float()

    images: dict[str, list[Tensor]] = {variant: [] for variant in VARIANTS}
    values: dict[str, list[Tensor]] = {variant: [] for variant in VARIANTS}
    at_once = max(1, AT_ONCE // (math.prod(window.shape) * starts))
    for chunk in torch.arange(len(which)).split(at_once):
        rows = chunk.repeat(starts)
        asked = torch.from_numpy(which)[rows]
        phases = 2 * math.pi * torch.rand((len(rows), *window.shape), generator=generator)
        if summed:
            warmths = torch.tensor([WARMTHS[start % len(WARMTHS)] for start in range(starts)])
            value = sum_of_map(units, asked, spread[asked] * warmths.repeat_interleave(len(chunk)))
        else:
            value = value_at(units, asked, window.place)
        noise = box.clamp(spectrum.image(phases))
        # Shapes want smooth steps, fine textures don't: every other start takes them, and the better one is kept.
        smooth = (torch.arange(starts) % 2 == 0).repeat_interleave(len(chunk))
        pictures: dict[str, Picture] = {
            "plain": Pixels(noise, box),
            "l1_tv": Pixels(noise, box, Limits(limits.ink[rows], limits.variation[rows]), spectrum, smooth),
            "fourier": Phases(phases, box, spectrum),
        }
        for variant, start in pictures.items():
            found = best_of(ascend(units.network, value, start, steps), starts)
            images[variant].append(found.images)
            values[variant].append(found.values)
    made = {variant: torch.cat(parts) for variant, parts in images.items()}
    reached = {variant: torch.cat(parts).double().numpy() for variant, parts in values.items()}
    rank = ranks(units, reals, made["plain"], which, window.place, summed)
    return Maximised(units, reals, summed, which, window, real, best, made, reached, rank)


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


def states(found: Sequence[Maximised]) -> list[State]:
    """Live: fires on data. Rescued: never on data, but on an input made for it. Dead: on neither."""
    fired = np.zeros(len(found[0].which), bool)
    for one in found:
        which = torch.from_numpy(one.which)
        for images in one.images.values():
            with torch.no_grad(), frozen(one.units.network):
                for rows in torch.arange(len(images)).split(max(1, AT_ONCE // math.prod(images.shape[1:]))):
                    _, after = one.units.values(images[rows], which[rows])
                    if not one.summed:
                        after = at(after, one.window.place)[:, None]
                    fired[rows.numpy()] |= (after.flatten(1).amax(1) > 0).numpy()
    return ["live" if live else "rescued" if lit else "dead" for live, lit in zip(found[0].live, fired, strict=True)]


def counted(found: Sequence[State], subject: str = "") -> list[Number]:
    return [Number(state, found.count(state), n=len(found), subject=subject) for state in ("live", "rescued", "dead")]


def numbers_of_unit(found: Sequence[Maximised], row: int, subject: str) -> list[Number]:
    """Each unit's values, as they stand in results.csv."""
    reals, k = found[0].reals, int(found[0].which[row])
    fires = int(reals.fires[k])
    low, high = wilson(fires, reals.compared)
    share, low, high = (significant(number) for number in (fires / reals.compared, low, high))
    numbers = [Number("fires", share, low, high, unit="fraction", n=reals.compared, subject=subject)]
    for one in found:
        objective = "map" if one.summed else "position"
        values = {"real": one.best[row]} | {variant: of[row] for variant, of in one.values.items()}
        for variant, value in values.items():
            numbers.append(Number(f"{variant}_{objective}", significant(float(value)), subject=subject))
        if len(one.rank):
            numbers.append(Number(f"rank_{objective}", int(one.rank[row]), subject=subject))
    return numbers


def strip(found: Maximised, row: int, facts: Facts, box: Box, side: int) -> np.ndarray:
    """Pixels: the best real input of a unit, then the plain, L1 + TV and Fourier ones, from left to right."""
    panels = [found.real[row], *(found.images[variant][row] for variant in VARIANTS)]
    if found.window.step is not None:
        panels = [panel[(slice(None), *found.window.seen)] for panel in panels]
    return side_by_side([drawn(panel, facts, box, side, curves.SMALL) for panel in panels])


def drawn(x: Tensor, facts: Facts, box: Box, side: int = 64, curve: tuple[int, int] = curves.SIZE) -> np.ndarray:
    """An input as the samples are drawn, its range from end to end; larger ones a whole number smaller.

    curve: the size in pixels of the picture of a signal.
    """
    if facts.kind == "signals":
        return curves.signal(facts, in_own_units(facts, x.cpu().double()).numpy(), size=curve)
    values = box.share(x).clamp(0, 1).double().numpy()
    by = -(-max(values.shape[1:]) // side)
    if by > 1:
        rows, columns = (length // by * by for length in values.shape[1:])
        values = values[:, :rows, :columns].reshape(len(values), rows // by, by, columns // by, by).mean((2, 4))
    values = np.rint(values * LEVELS) / LEVELS
    if facts.kind == "sounds":
        return amount(upright(facts, values[0]), high=1.0)
    return picture(facts, np.rint(255 * values).astype(np.uint8))


def side_by_side(panels: Sequence[np.ndarray], gap: int = 1) -> np.ndarray:
    """Pictures of one height in a row, with a grey line between."""
    between = np.full((panels[0].shape[0], gap, *panels[0].shape[2:]), 128, np.uint8)
    return np.concatenate([part for panel in panels for part in (between, panel)][1:], axis=1)


def item(found: Maximised, row: int, state: State, facts: Facts, box: Box, *, side: int, group: str = "") -> Item:
    k, objective = int(found.which[row]), "map" if found.summed else "position"
    values = {"best real": found.best[row]} | {VARIANTS[variant]: of[row] for variant, of in found.values.items()}
    if len(found.rank):
        values["rank"] = found.rank[row]
    values["fires for"] = found.reals.fires[k] / found.reals.compared
    return Item(
        id=f"{found.units.layer.name}/{k} {objective}",
        pixels=strip(found, row, facts, box, side),
        label=str(k),
        state=state,
        values={key: significant(float(value)) for key, value in values.items()},
        group=group,
    )


def through(samples: Samples, side: int) -> Samples:
    """The samples, or windows of them where they are larger than `side`: as many, at least 64, here and there."""
    facts = samples.facts
    sides = tuple(min(side, length) for length in facts.shape[1:])
    if sides == tuple(facts.shape[1:]):
        return samples
    random = np.random.default_rng(0)
    origin = np.repeat(np.arange(len(samples)), -(-64 // len(samples)) if len(samples) < 64 else 1)
    cut = np.empty((len(origin), facts.shape[0], *sides), samples.inputs.dtype)
    for row, place in enumerate(origin):
        firsts = (
            int(random.integers(0, length - part + 1)) for length, part in zip(facts.shape[1:], sides, strict=True)
        )
        where = tuple(slice(first, first + part) for first, part in zip(firsts, sides, strict=True))
        cut[row] = samples.inputs[place][(slice(None), *where)]
    shape = (facts.shape[0], *sides)
    axes = [replace(axis, values=axis.values[:length]) for axis, length in zip(facts.axes, sides, strict=False)]
    return replace(samples, facts=replace(facts, shape=shape, axes=axes), inputs=cut, labels=samples.labels[origin])


def _real(units: Units, reals: Reals, samples: Samples, window: Window, k: int, summed: bool) -> Tensor:
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
