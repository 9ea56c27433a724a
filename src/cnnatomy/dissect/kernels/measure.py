"""How much pattern there is in the weights that read the input, against untrained weights of the same shape.

Krizhevsky, Sutskever & Hinton 2012, ImageNet classification with deep convolutional neural networks, figure 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Facts, Samples
from cnnatomy.dissect.kernels.settings import Settings
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.frequencies import frequencies, gains
from cnnatomy.inspection.layers import Layer, stages, trace
from cnnatomy.statistics.numbers import Numbers

IDLE = 1e-3  # a filter whose norm is below this share of its layer's largest has no weight to speak of
UNTRAINED = 400  # layers to compare with; their 95 % band is then good to about a tenth of its width


@dataclass(frozen=True)
class Spectrum:
    """To which frequencies filters along time answer.

    frequencies: in Hz, or swings a step where time has no unit. gains: (filters, frequencies), the size of each
    filter's Fourier transform. peak: (filters,), the frequency that each answers to most.
    """

    timed: bool
    frequencies: np.ndarray
    gains: np.ndarray
    peak: np.ndarray


@dataclass(frozen=True)
class Kernels:
    """The filters of one convolution, float64 (filters, channels, *kernel), and what is measured of each, (filters,).

    norm: root of the sum of squared weights. idle: whether that is next to nothing.
    neighbours: whether a kernel has any weights side by side; without, its smoothness says nothing.
    smoothness, likeness: see the functions of that name; 0 for idle filters.
    outside: whether the smoothness lies outside the band that holds 95 % of untrained filters.
    untrained_smoothness, untrained_likeness: 95 % band of the mean over as many untrained filters as are not idle.
    components: principal components that hold 95 % of the squared weights; untrained_components: of untrained filters.
    """

    layer: str
    weights: np.ndarray
    norm: np.ndarray
    idle: np.ndarray
    neighbours: bool
    smoothness: np.ndarray
    outside: np.ndarray
    untrained_smoothness: tuple[float, float]
    likeness: np.ndarray
    untrained_likeness: tuple[float, float]
    components: int
    untrained_components: float
    spectrum: Spectrum | None

    @property
    def working(self) -> int:
        """How many filters are not idle."""
        return int((~self.idle).sum())

    @property
    def mean_smoothness(self) -> float:
        """Of the filters that are not idle."""
        return float(self.smoothness.sum() / max(1, self.working))

    @property
    def mean_likeness(self) -> float:
        """Of the filters that are not idle."""
        return float(self.likeness.sum() / max(1, self.working))

    @property
    def verdict(self) -> str:
        """Whether neighbouring weights agree more, less, or no more than in untrained layers: above, below, within."""
        low, high = self.untrained_smoothness
        return "above" if self.mean_smoothness > high else "below" if self.mean_smoothness < low else "within"


def measure(network: nn.Module, samples: Samples, settings: Settings) -> list[Kernels]:
    """Of every convolution that reads the input; several of them where they stand side by side.

    Raises LayerNotFound if the network has no convolution.
    """
    first = stages(trace(network, to_tensor(samples.facts, samples.inputs[:1])), by_sample=False)[0]
    return [_of_layer(layer, samples.facts) for layer in first]


def _of_layer(layer: Layer, facts: Facts) -> Kernels:
    weights = layer.module.weight.detach().double().cpu().numpy()  # type: ignore[operator]
    norm = np.sqrt((weights**2).sum(axis=tuple(range(1, weights.ndim))))
    idle = norm <= IDLE * norm.max()
    working = weights[~idle] if not idle.all() else weights
    # The axes along which neighbours mean something: places, not channels and not the entries of a word vector.
    last = weights.ndim - 1
    ordered = {"texts": range(2, 3), "signals": range(last, last + 1)}.get(facts.kind, range(2, weights.ndim))
    axes = [axis for axis in ordered if weights.shape[axis] > 1]
    random = np.random.default_rng(0)
    # What an untrained layer starts from: independent, uniform. The scale makes no difference to any of these numbers.
    untrained = [random.uniform(-1, 1, working.shape) for _ in range(_affordable(working))]
    smooth = np.array([smoothness(kernels, axes) for kernels in untrained])
    low, high = _band(smooth)
    trained = np.where(idle, 0.0, smoothness(weights, axes))
    alike = np.zeros(len(weights))
    alike[~idle] = likeness(weights[~idle])
    return Kernels(
        layer=layer.name,
        weights=weights,
        norm=norm,
        idle=idle,
        neighbours=bool(axes),
        smoothness=trained,
        outside=~idle & ((trained < low) | (trained > high)),
        untrained_smoothness=_band(smooth.mean(axis=1)),
        likeness=alike,
        untrained_likeness=_band([likeness(kernels).mean() for kernels in untrained]),
        components=components(weights),
        untrained_components=float(np.mean([components(kernels) for kernels in untrained[:10]])),
        spectrum=_spectrum(layer, weights, facts),
    )


def smoothness(weights: np.ndarray, axes: Sequence[int]) -> np.ndarray:
    """How far neighbouring weights agree: 1 all equal, 0 unrelated, −1 alternating; (filters,).

    weights: (filters, …). 2 Σ w·w′ / Σ (w² + w′²) over the pairs of neighbours along `axes`: a lag-1 autocorrelation
    that doesn't take the mean away, because in nine weights the mean is part of the pattern. A filter of zeros gets 0.
    """
    product = np.zeros(len(weights))
    square = np.zeros(len(weights))
    for axis in axes:
        ahead, behind = np.delete(weights, 0, axis), np.delete(weights, -1, axis)
        rest = tuple(range(1, weights.ndim))
        product += (ahead * behind).sum(axis=rest)
        square += (ahead**2 + behind**2).sum(axis=rest)
    return np.divide(2 * product, square, out=np.zeros(len(weights)), where=square > 0)


def likeness(weights: np.ndarray) -> np.ndarray:
    """The largest |cosine| of each filter with another one, (filters,): 1 means that another filter does the same."""
    if len(weights) < 2:
        return np.zeros(len(weights))
    flat = weights.reshape(len(weights), -1)
    norm = np.linalg.norm(flat, axis=1, keepdims=True)
    unit = np.divide(flat, norm, out=np.zeros_like(flat), where=norm > 0)
    cosines = np.abs(unit @ unit.T)
    np.fill_diagonal(cosines, 0)
    return cosines.max(axis=1)


def components(weights: np.ndarray) -> int:
    """How many principal directions hold 95 % of the squared weights of a layer."""
    values = np.linalg.svd(weights.reshape(len(weights), -1), compute_uv=False) ** 2
    return int(np.searchsorted(np.cumsum(values), 0.95 * values.sum()) + 1)


def _spectrum(layer: Layer, weights: np.ndarray, facts: Facts) -> Spectrum | None:
    if facts.kind != "signals" or not isinstance(layer.module, nn.Conv1d) or weights.shape[2] == 1:
        return None
    axis = facts.axes[0]
    at, found = frequencies(axis.values[1] - axis.values[0]), gains(weights, layer.module.dilation[0])
    return Spectrum(timed=axis.unit == "s", frequencies=at, gains=found, peak=at[found.argmax(axis=1)])


def _affordable(weights: np.ndarray) -> int:
    """Fewer untrained layers where one is large: 20 million weights take about a second."""
    return int(np.clip(20_000_000 // weights.size, 40, UNTRAINED))


def _band(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)


def numbers(found: Sequence[Kernels]) -> Numbers:
    """Of all filters that read the input, then of each layer, then of each filter."""
    rows = Numbers()
    rows.add("filters", sum(len(one.weights) for one in found))
    rows.add("weights", sum(one.weights.size for one in found))
    rows.share("idle", sum(int(one.idle.sum()) for one in found), sum(len(one.weights) for one in found))
    # A filter of one word, or of one place, has no neighbouring weights to tell structure from.
    if ordered := [one for one in found if one.neighbours]:
        rows.share("structured", sum(int(one.outside.sum()) for one in ordered), sum(one.working for one in ordered))
        rows.mean("smoothness", np.concatenate([one.smoothness[~one.idle] for one in ordered]), between=(-1, 1))
    rows.mean("likeness", np.concatenate([one.likeness[~one.idle] for one in found]), between=(0, 1))
    for one in found:
        with rows.about(f"layer={one.layer}"):
            _of_the_layer(rows, one)
            rows.each("filter", of_filters(one))
            if one.spectrum is not None:
                for index in np.flatnonzero(~one.idle):
                    with rows.about(f"filter={index}"):
                        peak = significant(float(one.spectrum.peak[index]))
                        rows.add("peak_frequency", peak, unit="Hz" if one.spectrum.timed else "")
    return rows


def _of_the_layer(rows: Numbers, one: Kernels) -> None:
    rows.add("filters", len(one.weights))
    rows.add("idle_filters", int(one.idle.sum()), n=len(one.weights))
    rows.add("components", one.components, n=len(one.weights))
    rows.add("components_untrained", one.untrained_components, n=len(one.weights))
    if one.working and one.neighbours:
        rows.mean("smoothness", one.smoothness[~one.idle], between=(-1, 1))
        rows.band("smoothness_untrained", one.untrained_smoothness, n=one.working)
        rows.share("structured", int(one.outside.sum()), one.working)
    if one.working:
        rows.mean("likeness", one.likeness[~one.idle], between=(0, 1))
        rows.band("likeness_untrained", one.untrained_likeness, n=one.working)


def of_filters(one: Kernels) -> dict[str, np.ndarray]:
    """What is said of each filter, (filters,), in the table of numbers and beside its picture."""
    rest = tuple(range(1, one.weights.ndim))
    squares = one.norm**2
    each = {
        "norm": one.norm,
        "smallest_weight": one.weights.min(axis=rest),
        "largest_weight": one.weights.max(axis=rest),
        "share_of_squares": squares / max(float(squares.sum()), np.finfo(float).tiny),
        "likeness": one.likeness,
    }
    return each | ({"smoothness": one.smoothness} if one.neighbours else {})
