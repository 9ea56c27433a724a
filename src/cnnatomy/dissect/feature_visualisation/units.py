"""The units of a layer: the value of one of them for each image of a batch, the window it sees, and what data do to it.

A unit's value is what its activation reads: the convolution's or dense layer's output, through the normalisation
between them. Behind the activation many values are zero and give no direction in which to climb.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Samples
from cnnatomy.inspection.calls import number_of
from cnnatomy.inspection.choosing import evenly
from cnnatomy.inspection.convolving import laid_out, own_channel
from cnnatomy.inspection.hooks import hooked
from cnnatomy.inspection.layers import Layer, activated, batch_size, evaluating

CLOSE = 1e-3  # two ways to compute a value agree if they differ by no more than this share of the largest


class Reached(BaseException):
    """The forward pass has come to what was wanted of it; nobody but `Units` sees it, a network's `except` neither."""


@dataclass(frozen=True)
class Reals:
    """What real samples do to the units of a layer; arrays have an entry a unit.

    best, sample, place: the largest value at one position, the sample that has it, and where, (units, axes of a map).
    best_sum, sample_sum: the largest sum of a map after the activation, and the sample that has it.
    mean, spread: mean and standard deviation of the value over samples and positions; mean_sum, spread_sum of the sums.
    fires: how many of the samples make the unit's activation exceed zero anywhere; compared: of how many.
    """

    best: np.ndarray
    sample: np.ndarray
    place: np.ndarray
    best_sum: np.ndarray
    sample_sum: np.ndarray
    mean: np.ndarray
    spread: np.ndarray
    mean_sum: np.ndarray
    spread_sum: np.ndarray
    fires: np.ndarray
    compared: int


@dataclass(frozen=True)
class Window:
    """The smallest input on which one unit of a layer sees only what is there: no padding, no border.

    shape: (channels, *places) of that input. place: of the unit in the layer's map. seen: the part of the input that
    the unit sees, a slice an axis. step: input positions from one place of the map to the next; None: the whole
    input, whose parts can't be shifted.
    """

    shape: tuple[int, ...]
    place: tuple[int, ...]
    seen: tuple[slice, ...]
    step: tuple[int, ...] | None


class Units:
    """The units of one layer of a network.

    `values(x, which)` gives for image i of a batch the map of unit `which[i]` before the activation, and after it;
    nothing behind the layer is computed, and of plain convolutions and dense layers only the channel asked for.

    x: one sample as the network sees it, (1, *shape). Raises nothing of its own: what can't be done the short way
    (a custom module, a normalisation over channels) is done the long way.
    """

    def __init__(self, network: nn.Module, traced: Sequence[Layer], layer: Layer, x: Tensor) -> None:
        self.network, self.layer = network, layer
        activation = activated(traced, layer)
        self.activation = None if activation is layer else activation
        self.count, self.maps = layer.shape[0], tuple(layer.shape[1:])
        between = traced[traced.index(layer) + 1 : traced.index(activation)] if self.activation else []
        self._scale, self._shift = _folded([found.module for found in between], self.count)
        self._short = False
        self._short = self._agree(x)

    def __repr__(self) -> str:
        return f"Units({self.layer.name!r}, {self.count} of {self.maps})"

    def values(self, x: Tensor, which: Tensor) -> tuple[Tensor, Tensor]:
        """The map of unit `which[i]` of image i, (n, *map), before and after the activation."""
        if self._short:
            before = _own_channel(self.layer.module, self._reach(self.layer, x, given=True), which)
            shape = (-1,) + (1,) * (before.dim() - 1)
            before = before * self._scale[which].reshape(shape) + self._shift[which].reshape(shape)
            return before, self.activate(before)
        whole = self.whole(x)
        rows = torch.arange(len(x))
        return whole[rows, which], self.activate(whole)[rows, which]

    def whole(self, x: Tensor) -> Tensor:
        """The values of all units, before the activation: (n, units, *map)."""
        if self.activation is None:
            return self._reach(self.layer, x, given=False)
        return self._reach(self.activation, x, given=True)

    def activate(self, before: Tensor) -> Tensor:
        # A copy, because many activations work in place.
        return before if self.activation is None else self.activation.module(before.clone())

    def _reach(self, layer: Layer, x: Tensor, given: bool) -> Tensor:
        """What a layer is given, or what it gives, for `x`."""
        with listening(self.network, [(layer, _stop)], given):
            try:
                self.network(laid_out(self.network, x))
            except Reached as reached:
                return reached.args[0]
        raise RuntimeError(f"the layer {layer.name!r} took no part in the forward pass")

    def _agree(self, x: Tensor) -> bool:
        """Whether the channel alone is what the layer makes of it, before and after the activation."""
        if not _can_be_alone(self.layer.module):
            return False
        which = torch.linspace(0, self.count - 1, min(8, self.count)).long()
        with torch.no_grad():
            noisy = x + 0.1 * x.std().nan_to_num(1.0).clamp_min(0.1) * torch.linspace(-1, 1, x.numel()).reshape(x.shape)
            whole = self.whole(noisy)
            after = self.activate(whole)
            self._short = True
            try:
                mine, mine_after = self.values(noisy.expand(len(which), *x.shape[1:]), which)
            except (RuntimeError, IndexError):  # such as a PReLU with a slope for each channel
                return False
            finally:
                self._short = False
        return _close(mine, whole[0, which]) and _close(mine_after, after[0, which])

    def window(self, shape: Sequence[int], x: Tensor) -> Window:
        """Where to look at one position of the map. shape: of a sample, x: one as the network sees it, (1, *shape).

        Cut out of the image if that changes nothing, which is tried; else the whole image and the unit in its middle.
        """
        field, sides = self.layer.field, tuple(shape[1:])
        if field is None or len(field.size) != len(sides) or len(self.maps) != len(sides):
            return Window(tuple(shape), tuple(units // 2 for units in self.maps), (slice(None),) * len(sides), None)
        first = [-(-max(0, -start) // stride) for start, stride in zip(field.start, field.stride, strict=True)]
        begins = [s + d * p for s, d, p in zip(field.start, field.stride, first, strict=True)]
        ends = [begin + size for begin, size in zip(begins, field.size, strict=True)]
        if all(end <= side for end, side in zip(ends, sides, strict=True)):
            seen = tuple(slice(begin, end) for begin, end in zip(begins, ends, strict=True))
            window = Window((shape[0], *ends), tuple(first), seen, field.stride)
            if self._fits(window, x):
                return window
        # In the middle, and wholly inside where that can be.
        place = tuple(units // 2 for units in self.maps)
        seen = tuple(
            slice(max(0, begin), min(side, beyond))
            for (begin, beyond), side in zip(field.of_unit(place), sides, strict=True)
        )
        return Window(tuple(shape), place, seen, None)

    def _fits(self, window: Window, x: Tensor) -> bool:
        """Whether the unit at `window.place` sees of a part of an image what the image's unit there sees."""
        part = x[(slice(None), slice(None), *(slice(0, side) for side in window.shape[1:]))]
        try:
            with torch.no_grad():
                small, large = self.whole(part), self.whole(x)
            return _close(at(small, window.place), at(large, window.place))
        except Exception:  # whatever the network does with another size than its own
            return False


def listen(units: Sequence[Units], samples: Samples, compared: int) -> list[Reals]:
    """What the samples of a split, at most so many and evenly spread, do to the units of each of some layers."""
    places = evenly(len(samples), compared)
    ledgers = [_Ledger(unit, samples.facts.shape, places) for unit in units]
    network = units[0].network
    given: list[tuple[Layer, Callable[[Tensor], None]]] = []
    made: list[tuple[Layer, Callable[[Tensor], None]]] = []
    for one, ledger in zip(units, ledgers, strict=True):
        if one.activation is None:
            made.append((one.layer, ledger.write_both))
        else:
            given.append((one.activation, ledger.write_before))
            made.append((one.activation, ledger.write_after))
    step = batch_size(samples.facts.shape)
    with evaluating(network), torch.no_grad(), listening(network, given, True), listening(network, made, False):
        for start in range(0, len(places), step):
            network(laid_out(network, to_tensor(samples.facts, samples.inputs[places[start : start + step]])))
    return [ledger.closed() for ledger in ledgers]


class _Ledger:
    """Keeps, batch after batch, what `Reals` says of one layer."""

    def __init__(self, units: Units, shape: Sequence[int], samples: np.ndarray) -> None:
        self.units, self.samples = units, samples
        self.inside = _inside(units, shape)
        n = units.count
        self.best, self.best_sum = np.full(n, -np.inf), np.full(n, -np.inf)
        self.sample, self.sample_sum = np.zeros(n, int), np.zeros(n, int)
        self.place = np.zeros((n, len(units.maps)), int)
        self.sums = {key: np.zeros(n) for key in ("value", "square", "sum", "sum_square")}
        self.fires = np.zeros(n, int)
        self.seen = self.values = self.summed = 0

    def write_both(self, values: Tensor) -> None:
        self.write_before(values)
        self.write_after(values)

    def write_before(self, before: Tensor) -> None:
        flat = before.reshape(*before.shape[:2], -1)[:, :, self.inside]
        peaks, places = flat.max(2)
        found = peaks.max(0)
        better = np.flatnonzero(found.values.double().numpy() > self.best)
        rows = found.indices.numpy()[better]
        self.best[better] = found.values.double().numpy()[better]
        self.sample[better] = self.samples[self.seen + rows]
        where = self.inside.numpy()[places.numpy()[rows, better]]
        if self.units.maps:
            self.place[better] = np.stack(np.unravel_index(where, self.units.maps), axis=1)
        self.sums["value"] += flat.sum((0, 2), dtype=torch.float64).numpy()
        self.sums["square"] += flat.double().square().sum((0, 2)).numpy()
        self.values += flat.shape[0] * flat.shape[2]

    def write_after(self, after: Tensor) -> None:
        flat = after.reshape(*after.shape[:2], -1)
        sums = flat.sum(2, dtype=torch.float64)
        found = sums.max(0)
        better = np.flatnonzero(found.values.numpy() > self.best_sum)
        self.best_sum[better] = found.values.numpy()[better]
        self.sample_sum[better] = self.samples[self.seen + found.indices.numpy()[better]]
        self.sums["sum"] += sums.sum(0).numpy()
        self.sums["sum_square"] += sums.square().sum(0).numpy()
        self.fires += (flat.amax(2) > 0).sum(0).numpy()
        self.seen += len(flat)

    def closed(self) -> Reals:
        mean, mean_sum = self.sums["value"] / self.values, self.sums["sum"] / self.seen
        return Reals(
            best=self.best,
            sample=self.sample,
            place=self.place,
            best_sum=self.best_sum,
            sample_sum=self.sample_sum,
            mean=mean,
            spread=np.sqrt(np.maximum(self.sums["square"] / self.values - mean**2, 0)),
            mean_sum=mean_sum,
            spread_sum=np.sqrt(np.maximum(self.sums["sum_square"] / self.seen - mean_sum**2, 0)),
            fires=self.fires,
            compared=self.seen,
        )


@contextmanager
def listening(
    network: nn.Module, heard: Sequence[tuple[Layer, Callable[[Tensor], None]]], given: bool
) -> Iterator[None]:
    """Call a function with what its layer is given, or with what it gives, in each forward pass of the network."""
    calls: Counter[nn.Module] = Counter()
    functions = {(layer.module, number_of(layer.name)): function for layer, function in heard}

    def called(module: nn.Module, x: Any) -> None:
        calls[module] += 1
        if (function := functions.get((module, calls[module]))) is not None:
            function(x[0] if isinstance(x, tuple) else x)

    def over(module: nn.Module, inputs: Any) -> None:  # a new pass counts from one
        calls.clear()

    handles = [network.register_forward_pre_hook(over)]
    for module in {layer.module for layer, _ in heard}:
        if given:
            handles.append(module.register_forward_pre_hook(called))
        else:
            handles.append(module.register_forward_hook(lambda module, _, output: called(module, output)))
    with hooked(handles):
        yield


def _stop(x: Tensor) -> None:
    raise Reached(x)


def at(maps: Tensor, place: tuple[int, ...]) -> Tensor:
    """What maps (…, *axes) hold at one place of their axes."""
    for index in reversed(place):
        maps = maps[..., index]
    return maps


def _inside(units: Units, shape: Sequence[int]) -> Tensor:
    """Which positions of the flattened map see nothing but the image; all where none does or that can't be said."""
    everywhere = torch.arange(math.prod(units.maps))
    field = units.layer.field
    if field is None or len(field.size) != len(units.maps) or len(units.maps) != len(shape) - 1:
        return everywhere
    axes = []
    for start, stride, size, count, side in zip(
        field.start, field.stride, field.size, units.maps, shape[1:], strict=True
    ):
        first = start + stride * np.arange(count)
        axes.append((first >= 0) & (first + size <= side))
    inside = np.flatnonzero(np.logical_and.reduce(np.meshgrid(*axes, indexing="ij")).ravel())
    return torch.from_numpy(inside) if len(inside) else everywhere


def _folded(modules: Sequence[nn.Module], count: int) -> tuple[Tensor, Tensor]:
    """What normalisation with fixed statistics does to a channel: value × scale + shift, (channels,) each."""
    scale, shift = torch.ones(count), torch.zeros(count)
    for module in modules:
        if isinstance(module, _BatchNorm) and module.running_var is not None and module.num_features == count:
            assert module.running_mean is not None
            by = (module.running_var + module.eps).rsqrt()
            weight = by if module.weight is None else by * module.weight
            bias = 0.0 if module.bias is None else module.bias
            scale, shift = scale * weight, (shift - module.running_mean) * weight + bias
    return scale.detach(), shift.detach()


def _can_be_alone(module: nn.Module) -> bool:
    if type(module) is nn.Linear:
        return True
    return type(module) is nn.Conv2d and module.padding_mode == "zeros" and not isinstance(module.padding, str)


def _own_channel(module: nn.Module, x: Tensor, which: Tensor) -> Tensor:
    """The channel `which[i]` of a convolution of image i, (n, rows, columns); of a dense layer (n,)."""
    if isinstance(module, nn.Linear):
        made = (x * module.weight[which]).sum(1)
        return made if module.bias is None else made + module.bias[which]
    assert isinstance(module, nn.Conv2d)
    return own_channel(module, x, which)


def _close(one: Tensor, other: Tensor) -> bool:
    scale = float(other.abs().max())
    return one.shape == other.shape and bool((one - other).abs().max() <= CLOSE * max(scale, 1e-6))
