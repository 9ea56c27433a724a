"""The maps of chosen layers for chosen samples, and how they stand among those of other samples.

Zeiler & Fergus 2014, Visualizing and understanding convolutional networks, ECCV.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import PADDING, Axis, Samples
from cnnatomy.dissect.feature_maps.settings import Settings
from cnnatomy.exhibit.blocks import State, Unit
from cnnatomy.exhibit.rounding import significant
from cnnatomy.inspection.answers import Answer, answers
from cnnatomy.inspection.choosing import chosen_samples, evenly
from cnnatomy.inspection.fields import Field
from cnnatomy.inspection.layers import Layer, LayerNotFound, activated, capture, named, stages, trace
from cnnatomy.inspection.predicting import in_batches
from cnnatomy.statistics.numbers import Numbers

ENOUGH = 20  # samples to compare with; with fewer nothing is said of other samples
SAME = 1e-5  # share of a peak within which two are equal


@dataclass(frozen=True)
class Maps:
    """What a layer makes of one sample, float64 (channels, rows, columns), or (channels, places) along one axis.

    sample: its id. units: which places along the last axis of the layer's maps these are, bool (places,): of a
    sentence those that see some of it. rank: share of the compared samples whose peak is lower, those of the same peak
    counting half, (channels,).
    """

    sample: str
    values: np.ndarray
    units: np.ndarray
    rank: np.ndarray

    @cached_property
    def mean(self) -> np.ndarray:
        """(channels,)."""
        return self.values.reshape(len(self.values), -1).mean(axis=1)

    @cached_property
    def peak(self) -> np.ndarray:
        """(channels,)."""
        return self.values.reshape(len(self.values), -1).max(axis=1)

    @cached_property
    def zeros(self) -> np.ndarray:
        """Share of places at or below zero, (channels,)."""
        return (self.values.reshape(len(self.values), -1) <= 0).mean(axis=1)


@dataclass(frozen=True)
class OfLayer:
    """The maps of one layer for each sample that is shown.

    source: the layer by whose name they go. layer: the one whose output they are. fires: how many of the `compared`
    samples raise each map above zero anywhere, (channels,).
    """

    source: Layer
    layer: Layer
    fires: np.ndarray
    compared: int
    maps: list[Maps]

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def enough(self) -> bool:
        """Whether there are enough other samples to say anything of them."""
        return self.compared >= ENOUGH

    @property
    def dead(self) -> int:
        """How many maps are zero on all compared samples."""
        return int((self.fires == 0).sum())

    def state(self, maps: Maps, channel: int) -> State:
        """Live on this sample, dead on all, or neither: silent here and live elsewhere."""
        if maps.peak[channel] > 0:
            return "live"
        return "dead" if self.fires[channel] == 0 and self.enough else ""


@dataclass(frozen=True)
class FeatureMaps:
    """axes: of a sample. answers: what the network reads in each sample that is shown."""

    axes: Sequence[Axis]
    answers: list[Answer]
    layers: list[OfLayer]


def measure(network: nn.Module, samples: Samples, settings: Settings) -> FeatureMaps:
    """Every channel of chosen layers for chosen samples; by default of the first two convolutions, after their
    activations.

    settings: `label`, `sample`, `layers`, `compared`; see conf/dissect/feature_maps.yaml. Raises LayerNotFound for an
    unknown layer or a network without convolution, WrongSetting for an unknown class or a place outside the split,
    NoLogits for a network that gives no class.
    """
    places = chosen_samples(samples, settings.sample, settings.label)
    read = answers(network, samples, places)
    looked_at = _layers(trace(network, to_tensor(samples.facts, samples.inputs[places[:1]])), settings.layers)
    layers = [layer for _, layer in looked_at]
    peaks = _peaks(network, samples, evenly(len(samples), settings.compared), layers)
    shown = [_maps(network, samples, place, layers, peaks) for place in places]
    return FeatureMaps(
        axes=samples.facts.axes,
        answers=read,
        layers=[
            OfLayer(source, layer, (others > 0).sum(axis=0), len(others), [of_sample[at] for of_sample in shown])
            for at, ((source, layer), others) in enumerate(zip(looked_at, peaks, strict=True))
        ],
    )


def _layers(traced: Sequence[Layer], names: Sequence[str] | None) -> list[tuple[Layer, Layer]]:
    """Pairs: the layer by whose name the maps go, and the one whose output they are."""
    if names is not None:
        pairs = [(layer, layer) for layer in (named(traced, name) for name in names)]
    else:
        pairs = [(layer, activated(traced, layer)) for stage in stages(traced)[:2] for layer in stage]
    for source, layer in pairs:
        if len(layer.shape) not in (2, 3):
            raise LayerNotFound(
                f"the layer {source.name!r} has no maps: its output for a sample is {layer.shape}, not (channels, "
                "rows, columns) or (channels, places)"
            )
    return pairs


def _units(
    shape: Sequence[int], field: Field | None, samples: Samples, places: Sequence[int] | np.ndarray
) -> np.ndarray:
    """Which places along the last axis of a layer's maps see anything of each sample, bool (samples, places).

    All do, but those on a sentence that see nothing but the padding around it.
    """
    seen = np.ones((len(places), shape[-1]), dtype=bool)
    if samples.facts.kind != "texts" or field is None or len(shape) != 2:
        return seen
    filled = samples.inputs[places] != PADDING
    lengths = filled.shape[1] - np.argmax(filled[:, ::-1], axis=1)
    first = field.start[0] + field.stride[0] * np.arange(shape[-1])
    return (first < lengths[:, None]) & (first + field.size[0] > 0)


def _peaks(network: nn.Module, samples: Samples, places: np.ndarray, layers: Sequence[Layer]) -> list[np.ndarray]:
    """For each layer the peak of every map on these samples, (samples, channels)."""
    peaks: list[list[np.ndarray]] = [[] for _ in layers]
    for batch, x in in_batches(samples, places):
        held = capture(network, x, [layer.name for layer in layers])
        for found, layer in zip(peaks, layers, strict=True):
            maps = held[layer.name]
            seen = torch.from_numpy(_units(maps.shape[1:], layer.field, samples, batch))
            maps = maps.masked_fill(~seen.reshape(len(batch), *[1] * (maps.dim() - 2), -1), -torch.inf)
            found.append(maps.flatten(2).amax(2).double().cpu().numpy())
    return [np.concatenate(found) for found in peaks]


def _maps(
    network: nn.Module, samples: Samples, place: int, layers: Sequence[Layer], peaks: Sequence[np.ndarray]
) -> list[Maps]:
    """What each layer makes of a sample. peaks: of each layer, see `_peaks`."""
    x = to_tensor(samples.facts, samples.inputs[place : place + 1])
    held = capture(network, x, [layer.name for layer in layers])
    found = []
    for layer, others in zip(layers, peaks, strict=True):
        whole = held[layer.name][0]
        units = _units(whole.shape, layer.field, samples, [place])[0]
        values = whole.double().cpu().numpy()[..., units]
        rank = ranks(values.reshape(len(values), -1).max(axis=1), others)
        found.append(Maps(str(samples.table["id"][place]), values, units, rank))
    return found


def ranks(peak: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The share of other samples with a lower peak, equal ones counting half, (channels,).

    peak: (channels,). others: (samples, channels). Sentences that share a filter's best word have one peak, which a
    batch of another size gives in other last bits.
    """
    same = np.isclose(others, peak, rtol=SAME, atol=0)
    return ((others < peak) & ~same).mean(axis=0) + same.mean(axis=0) / 2


def numbers(found: FeatureMaps) -> Numbers:
    """Of all layers together; then of each, and of its maps for each sample."""
    rows, shown = Numbers(), [maps for one in found.layers for maps in one.maps]
    n, enough = sum(len(one.fires) for one in found.layers), found.layers[0].enough
    rows.add("maps", n)
    if enough:
        rows.add("dead", sum(one.dead for one in found.layers) / n, unit="fraction", n=n)
    silent = np.concatenate([maps.peak <= 0 for maps in shown])
    zeros = np.concatenate([maps.zeros for maps in shown])
    rows.add("silent", float(silent.mean()), unit="fraction", n=len(silent))
    rows.add("map_zeros", significant(float(zeros.mean())), unit="fraction", n=len(zeros))
    if (field := found.layers[-1].layer.field) is not None:
        lengths = [len(axis.values) for axis in found.axes]
        seen = [min(size, length) / length for size, length in zip(field.size, lengths, strict=False)]
        rows.add("sees", significant(float(np.prod(seen))), unit="fraction")
    for one in found.layers:
        with rows.about(f"layer={one.name}"):
            _of_layer(rows, one, found.axes)
            for maps in one.maps:
                _of_maps(rows, one, maps)
    return rows


def _of_layer(rows: Numbers, one: OfLayer, axes: Sequence[Axis]) -> None:
    rows.add("maps", one.layer.shape[0])
    if one.enough:
        rows.add("dead", one.dead, n=one.compared)
    if one.layer.field is not None:
        for axis, size, units in zip(axes, one.layer.field.size, one.layer.field.units, strict=False):
            with rows.about(f"axis={axis.name}"):
                rows.add("receptive_field", size)
                rows.add("map_size", units)


def _of_maps(rows: Numbers, one: OfLayer, maps: Maps) -> None:
    with rows.about(f"sample={maps.sample}"):
        rows.add("silent", int((maps.peak <= 0).sum()), n=len(maps.peak))
    for channel, (mean, peak, zeros) in enumerate(zip(maps.mean, maps.peak, maps.zeros, strict=True)):
        with rows.about(f"filter={channel};sample={maps.sample}"):
            rows.add("map_mean", significant(float(mean)))
            rows.add("map_max", significant(float(peak)))
            rows.add("map_zeros", float(zeros), unit="fraction")
            if one.enough:
                rows.add("map_rank", float(maps.rank[channel]), unit="fraction", n=one.compared)
                with rows.about("", Unit(one.name, channel)):
                    rows.share("fires", int(one.fires[channel]), one.compared)
