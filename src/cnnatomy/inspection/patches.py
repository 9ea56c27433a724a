"""The parts of real samples that excite a filter most: found, cut out, and put together as pictures."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import PADDING, Facts, Samples
from cnnatomy.drawing import curves
from cnnatomy.drawing.showing import picture
from cnnatomy.exhibit import say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection.layers import Layer, activated, batch_size, capture, driven, named, stages

OUTSIDE = (203, 153, 224)  # lilac, the padding around a sample: rare in photographs, and no colour of spectrograms
MANY = 256  # filters of a network up to which all are looked at
DEPTHS = 6  # convolutions looked at of a network with more filters
SAMPLED = 16  # filters looked at of each of these
OVERHEAD = 400  # bytes that an item of an exhibit takes besides its pixels


@dataclass(frozen=True)
class Patch:
    """A part of a sample, and how strongly it drives a filter there.

    sample: its place in the split. unit: the place on the filter's map. window: first and last-plus-one position of
    the input that the unit sees, an axis each; positions outside the input are padding. value: the filter's output
    before the activation.
    """

    sample: int
    unit: tuple[int, ...]
    window: tuple[tuple[int, int], ...]
    value: float


@dataclass(frozen=True)
class Source:
    """A convolution whose filters are looked at, and the layer whose output says how strongly they are driven."""

    layer: Layer
    output: Layer
    filters: tuple[int, ...]

    @property
    def name(self) -> str:
        return self.layer.name


@dataclass(frozen=True)
class Found:
    """What drives the filters of a convolution that are looked at.

    patches: for each of them its patches, best first. fires: (filters,) how many samples raise it above zero anywhere.
    """

    patches: list[list[Patch]]
    fires: np.ndarray


def sources(
    facts: Facts, layers: Sequence[Layer], names: Sequence[str] | None = None, sampled: int = SAMPLED
) -> tuple[list[Source], int]:
    """The convolutions and filters to look at, and how many filters the network has in all.

    By default all; of a network with more than `MANY` filters some convolutions from the first to the last, and some
    filters of each, evenly spread. `names` asks for convolutions, of which all filters are taken, up to `MANY`.
    Convolutions whose field can't be followed, and those that see everything at each place, have no patches.

    Raises LayerNotFound for an unknown name or a network without convolution, ValueError for a layer of that name that
    has no patches, DoesNotApply where no layer has any.
    """
    found = [layer for stage in stages(layers) for layer in stage]
    total = sum(layer.shape[0] for layer in found)
    if names is not None:
        chosen = [named(layers, name) for name in names]
        for layer in chosen:
            if not _has_patches(layer):
                raise ValueError(
                    f"layers: {layer.name!r} has no patches: its output for a sample is {layer.shape}, and what a unit "
                    "of it sees is all of the input or can't be followed"
                )
        return [_source(layers, layer, MANY // len(chosen)) for layer in chosen], total
    found = [layer for layer in found if _has_patches(layer)]
    if not found:
        raise DoesNotApply(say("patching.no_field"))
    if total <= MANY:
        return [_source(layers, layer, MANY) for layer in found], total
    # Parts rather than wholes: the deepest units of a large network see more than the input holds.
    found = [layer for layer in found if _sees_parts(layer, facts)] or found
    found = [layer for layer in found if activated(layers, layer) is not layer] or found
    places = dict.fromkeys(np.linspace(0, len(found) - 1, DEPTHS).round().astype(int).tolist())
    return [_source(layers, found[place], sampled) for place in places], total


def strongest(network: nn.Module, samples: Samples, looked_at: Sequence[Source], count: int) -> dict[str, Found]:
    """For each convolution by name the patches that drive its filters most.

    One patch a sample, at its best place; where the split has fewer than `count` samples, several of one sample, as
    far as they don't overlap. Windows of a sentence without any word don't count.
    """
    peaks, places = _peaks(network, samples, looked_at)
    several = len(samples) < count
    found: dict[str, Found] = {}
    for source in looked_at:
        best = peaks[source.name]
        if several:
            rows = _apart(network, samples, source, count)
        else:
            order = np.argsort(-best, axis=0, kind="stable")[:count]
            rows = [
                [
                    _patch(source, sample, int(places[source.name][sample, column]), float(best[sample, column]))
                    for sample in order[:, column].tolist()
                    if np.isfinite(best[sample, column])
                ]
                for column in range(len(source.filters))
            ]
        found[source.name] = Found(rows, (best > 0).sum(axis=0))
    return found


def refed(network: nn.Module, samples: Samples, source: Source, rows: Sequence[Sequence[Patch]]) -> np.ndarray:
    """What each filter answers to its patches when all the rest of the input is another sample's, in order.

    Each patch stays where it was, so that it meets the same border; nothing outside of its window is the same.
    """
    pairs = [(channel, patch) for channel, row in zip(source.filters, rows, strict=True) for patch in row]
    values = np.zeros(len(pairs))
    size = batch_size(samples.facts.shape)
    for start in range(0, len(pairs), size):
        part = pairs[start : start + size]
        mixed = []
        for _, patch in part:
            other = (patch.sample + 1) % len(samples)
            # With one sample only, a blank stands around the patch.
            mix = np.array(samples.inputs[other]) if other != patch.sample else np.zeros_like(samples.inputs[other])
            window = inside(samples.facts, patch.window)
            mix[window] = samples.inputs[patch.sample][window]
            mixed.append(mix)
        maps = capture(network, to_tensor(samples.facts, np.stack(mixed)), [source.output.name])[source.output.name]
        for place, (channel, patch) in enumerate(part):
            values[start + place] = float(maps[(place, channel, *patch.unit)])
    return values


def crop(facts: Facts, drawn: np.ndarray, window: Sequence[tuple[int, int]]) -> np.ndarray:
    """The window of a sample as pixels. `drawn`: the whole sample, as `showing.picture` draws it.

    Padding around the sample is `OUTSIDE`, where the window is smaller than the sample; else it is cut off.
    """
    rows, columns = ((0, length) if last - first >= length else (first, last) for (first, last), length in zip(
        window, facts.shape[1:], strict=True))  # fmt: skip
    height, width = drawn.shape[:2]
    if facts.kind == "sounds":  # drawn with the frequencies upward
        rows = (height - rows[1], height - rows[0])
    if rows[0] >= 0 and columns[0] >= 0 and rows[1] <= height and columns[1] <= width:
        return drawn[slice(*rows), slice(*columns)]
    coloured = drawn if drawn.ndim == 3 else np.repeat(drawn[..., None], 3, axis=2)
    patch = np.empty((rows[1] - rows[0], columns[1] - columns[0], 3), dtype=np.uint8)
    patch[:] = OUTSIDE
    here = [slice(max(0, first), min(last, length)) for (first, last), length in zip(
        (rows, columns), (height, width), strict=True)]  # fmt: skip
    there = [slice(part.start - first, part.stop - first) for part, (first, _) in zip(
        here, (rows, columns), strict=True)]  # fmt: skip
    if all(part.stop > part.start for part in here):
        patch[tuple(there)] = coloured[tuple(here)]
    return patch


def inside(facts: Facts, window: Sequence[tuple[int, int]]) -> tuple[slice, ...]:
    """The window as an index into a sample, cut off at its borders; a sample has its channels in front, a text none."""
    part = tuple(slice(max(0, first), max(0, last)) for first, last in window)
    return part if facts.kind == "texts" else (slice(None), *part)


def shrunk(pixels: np.ndarray, most: int) -> np.ndarray:
    """A picture at a whole fraction of its size, so that no side is longer than `most`: the mean of each block."""
    factor = -(-max(pixels.shape[:2]) // most)
    if factor == 1:
        return pixels
    from PIL import Image

    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).reduce(factor))


def sheet(pictures: Sequence[np.ndarray], columns: int, gap: int = 1) -> np.ndarray:
    """Pictures of one size in rows of so many at most, with lines of middle grey between."""
    height, width = pictures[0].shape[:2]
    coloured = any(one.ndim == 3 for one in pictures)
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    whole = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 128, dtype=np.uint8)
    for place, one in enumerate(pictures):
        row, column = divmod(place, columns)
        top, left = row * (height + gap), column * (width + gap)
        whole[top : top + height, left : left + width] = one if one.ndim == 3 else one[..., None]
    return whole if coloured else whole[..., 0]


def fitting(count: int, cost: Callable[[int], float], room: float) -> list[int]:
    """As many of `count` things, evenly spread, as cost no more than `room` together; at least one where there is any.

    cost: what the thing at a place costs, worked out only where it is asked for.
    """
    if count == 0:
        return []
    for many in range(int(np.clip(room // cost(0), 1, count)), 0, -1):
        places = np.unique(np.linspace(0, count - 1, many).round().astype(int)).tolist()
        if many == 1 or sum(map(cost, places)) <= room:
            return places
    return [0]


def weight_of(pixels: np.ndarray) -> int:
    """About how many bytes a picture takes in an exhibit, with what is said of it."""
    return len(zlib.compress(pixels.tobytes(), 9)) + OVERHEAD


class Drawn:
    """The samples of a split as pixels, each drawn once."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self._kept: dict[int, np.ndarray] = {}

    def patch(self, patch: Patch) -> np.ndarray:
        facts = self.samples.facts
        if facts.kind == "signals":  # drawn anew: a curve that is cut has lost its axes
            return curves.signal(
                facts, np.asarray(self.samples.inputs[patch.sample]), patch.window[0], size=curves.SMALL
            )
        return crop(facts, self.whole(patch.sample), patch.window)

    def whole(self, sample: int) -> np.ndarray:
        if sample not in self._kept:
            self._kept[sample] = picture(self.samples.facts, self.samples.inputs[sample])
        return self._kept[sample]


def _has_patches(layer: Layer) -> bool:
    return layer.field is not None and len(layer.shape) in (2, 3) and any(units > 1 for units in layer.field.units)


def _sees_parts(layer: Layer, facts: Facts) -> bool:
    """Whether its units see at most half of the input along each axis on which they differ."""
    lengths = facts.shape if facts.kind == "texts" else facts.shape[1:]
    field = layer.field
    return field is not None and all(
        2 * size <= length for size, units, length in zip(field.size, field.units, lengths, strict=True) if units > 1
    )


def _source(layers: Sequence[Layer], layer: Layer, most: int) -> Source:
    filters = np.unique(np.linspace(0, layer.shape[0] - 1, min(most, layer.shape[0])).round().astype(int))
    return Source(layer, driven(layers, layer), tuple(filters.tolist()))


def _patch(source: Source, sample: int, flat: int, value: float) -> Patch:
    unit = tuple(int(place) for place in np.unravel_index(flat, source.output.shape[1:]))
    return Patch(sample, unit, source.layer.window(unit), value)


def _peaks(
    network: nn.Module, samples: Samples, looked_at: Sequence[Source]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """For each convolution the peak of each filter on each sample and its flat place, (samples, filters) each."""
    peaks: dict[str, list[np.ndarray]] = {source.name: [] for source in looked_at}
    places: dict[str, list[np.ndarray]] = {source.name: [] for source in looked_at}
    size = batch_size(samples.facts.shape)
    for start in range(0, len(samples), size):
        batch = samples.inputs[start : start + size]
        held = capture(network, to_tensor(samples.facts, batch), [source.output.name for source in looked_at])
        for source in looked_at:
            maps = held[source.output.name][:, list(source.filters)]
            peak, place = _seen(samples.facts, source, batch, maps).flatten(2).max(dim=2)
            peaks[source.name].append(peak.double().cpu().numpy())
            places[source.name].append(place.cpu().numpy())
    return (
        {name: np.concatenate(found) for name, found in peaks.items()},
        {name: np.concatenate(found) for name, found in places.items()},
    )


def _seen(facts: Facts, source: Source, batch: np.ndarray, maps: torch.Tensor) -> torch.Tensor:
    """The maps, with the windows of a sentence that hold no word at minus infinity."""
    field = source.layer.field
    if facts.kind != "texts" or field is None or 0 not in source.layer.along[1:]:
        return maps
    filled = batch != PADDING
    lengths = np.where(filled.any(axis=1), filled.shape[1] - np.argmax(filled[:, ::-1], axis=1), 0)
    axis = source.layer.along.index(0) + 1
    first = field.start[0] + field.stride[0] * np.arange(maps.shape[axis])
    empty = (first >= lengths[:, None]) | (first + field.size[0] <= 0)
    shape = [len(batch)] + [maps.shape[axis] if place == axis else 1 for place in range(1, maps.dim())]
    return maps.masked_fill(torch.from_numpy(empty).reshape(shape), -torch.inf)


def _apart(network: nn.Module, samples: Samples, source: Source, count: int) -> list[list[Patch]]:
    """For each filter the strongest patches that don't overlap with a stronger one of the same sample."""
    maps = capture(network, to_tensor(samples.facts, samples.inputs[:]), [source.output.name])[source.output.name]
    seen = _seen(samples.facts, source, samples.inputs[:], maps[:, list(source.filters)]).double().cpu().numpy()
    rows = []
    for column in range(len(source.filters)):
        values = seen[:, column].reshape(len(samples), -1)
        row: list[Patch] = []
        for flat in np.argsort(-values, axis=None, kind="stable").tolist():
            sample, place = divmod(flat, values.shape[1])
            if len(row) == count or not np.isfinite(values[sample, place]):
                break
            patch = _patch(source, sample, place, float(values[sample, place]))
            if not any(one.sample == sample and _overlap(one.window, patch.window) for one in row):
                row.append(patch)
        rows.append(row)
    return rows


def _overlap(one: Sequence[tuple[int, int]], other: Sequence[tuple[int, int]]) -> bool:
    return all(a < d and c < b for (a, b), (c, d) in zip(one, other, strict=True))
