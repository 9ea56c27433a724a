"""What units see of the input: receptive fields, followed through every operator of a forward pass.

Followed are the operators that torch itself runs, so that it makes no difference whether a module, a function or a
method of a tensor called them, and where paths meet (a sum, branches side by side) the fields are united.

Of statistics over all places (layer normalisation, a gate such as squeeze-and-excitation, which multiplies a whole map
by one number) no field is made: what a unit sees is what differs from place to place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from cnnatomy.watching import Watching

Factor = tuple[int | None, int]
"""A part of a tensor's axis: the axis of the input along which it runs (None: none, as of channels), and its length."""

Dims = tuple[tuple[Factor, ...], ...]
"""An entry for each axis of a tensor; several factors where axes were flattened into one."""


@dataclass(frozen=True)
class Fold:
    """Padding along one axis by what is there: units beyond the first and the last are mirrored, or those themselves.

    first, last: where the windows of the first and of the last unit that is not padding begin; size: of each window.
    """

    first: int
    last: int
    size: int
    mirrored: bool

    def of(self, begin: int, beyond: int) -> tuple[int, int]:
        """What a window sees in truth that runs over such padding."""
        low, high = begin, beyond - self.size  # where the windows of its units begin
        parts = []
        if low <= self.last and high >= self.first:
            parts.append((max(low, self.first), min(high, self.last)))
        if low < self.first:
            parts.append(self._mirrored(self.first, low, min(high, self.first - 1)))
        if high > self.last:
            parts.append(self._mirrored(self.last, max(low, self.last + 1), high))
        return min(part[0] for part in parts), max(part[1] for part in parts) + self.size

    def _mirrored(self, end: int, low: int, high: int) -> tuple[int, int]:
        return (2 * end - high, 2 * end - low) if self.mirrored else (end, end)


@dataclass(frozen=True)
class Field:
    """The part of the input that the units of a layer see; each tuple has one entry an axis of the input.

    size: input positions that one unit sees.
    stride: input positions from one unit to the next.
    start: the first input position that unit 0 sees; negative where it looks into the padding.
    units: units along the axis; 1 where nothing moves along it any more.
    folds: where layers before are padded by what is there, the first first.
    """

    size: tuple[int, ...]
    stride: tuple[int, ...]
    start: tuple[int, ...]
    units: tuple[int, ...]
    folds: tuple[tuple[Fold, ...], ...] = ()

    def of_unit(self, place: Sequence[int]) -> tuple[tuple[int, int], ...]:
        """First and last-plus-one input position that the unit at `place` sees, an axis each; not cut at the border.

        A unit that looks so far into mirrored padding that its window doesn't hold what is mirrored there has a window
        of the same size further inside, which does.
        """
        firsts = [start + stride * at for start, stride, at in zip(self.start, self.stride, place, strict=True)]
        folds = self.folds or ((),) * len(firsts)
        return tuple(_unfolded(*one) for one in zip(firsts, self.size, folds, strict=True))


def _unfolded(first: int, size: int, folds: Sequence[Fold]) -> tuple[int, int]:
    """A window of this size that holds what the one at `first` sees: that itself, where it does."""
    low, high = first, first + size
    for fold in reversed(folds):
        low, high = fold.of(low, high)
    if low >= first and high <= first + size:
        return first, first + size
    return (low, low + size) if high > first + size else (high - size, high)


@dataclass(frozen=True)
class _Span:
    """What a unit sees along one axis of the input."""

    size: int = 1
    stride: int = 1
    start: int = 0
    folds: tuple[Fold, ...] = ()

    def slid(self, kernel: int, stride: int, padding: int, dilation: int) -> _Span:
        return replace(
            self,
            size=self.size + (kernel - 1) * dilation * self.stride,
            stride=self.stride * stride,
            start=self.start - padding * self.stride,
        )

    def united(self, other: _Span) -> _Span:
        start = min(self.start, other.start)
        folds, fewer = sorted((self.folds, other.folds), key=len, reverse=True)
        if folds[: len(fewer)] != fewer:
            raise _Lost  # each way into padding of its own
        return _Span(max(self.start + self.size, other.start + other.size) - start, self.stride, start, folds)

    def folded(self, units: int, mirrored: bool) -> _Span:
        """Before so many units are padded by what is there."""
        fold = Fold(self.start, self.start + self.stride * (units - 1), self.size, mirrored)
        return replace(self, folds=(*self.folds, fold))

    def whole(self, units: int) -> _Span:
        return replace(self, size=self.size + (units - 1) * self.stride)


class _Lost(Exception):
    """What an operator's output sees can't be said in these terms."""


@dataclass(frozen=True)
class Seen:
    """What a tensor's entries see: along which axes of the input its own axes run, and a span an axis of the input."""

    dims: Dims
    spans: tuple[_Span, ...]

    @classmethod
    def itself(cls, x: Tensor) -> Seen:
        """The input, (n, channels, *axes), or (n, places) of tokens: each position sees itself."""
        first = 2 if x.dim() > 2 else 1
        dims: list[tuple[Factor, ...]] = [((None, length),) for length in x.shape[:first]]
        dims += [((axis, length),) for axis, length in enumerate(x.shape[first:])]
        return cls(tuple(dims), (_Span(),) * (x.dim() - first))

    @property
    def field(self) -> Field:
        units = [1] * len(self.spans)
        for dim in self.dims:
            for axis, length in dim:
                if axis is not None:
                    units[axis] = length
        size, stride, start = (tuple(getattr(span, key) for span in self.spans) for key in ("size", "stride", "start"))
        folds = tuple(span.folds for span in self.spans)
        return Field(size, stride, start, tuple(units), folds if any(folds) else ())

    @property
    def along(self) -> tuple[int | None, ...]:
        """For each axis of a sample's tensor (without the batch) the axis of the input along which it runs."""
        return tuple(
            next((axis for axis, _ in dim if axis is not None), None) if len(dim) == 1 else None
            for dim in self.dims[1:]
        )

    def _moving(self) -> set[int]:
        return {axis for dim in self.dims for axis, length in dim if axis is not None and length > 1}

    def _with(self, spans: Mapping[int, _Span], dims: Sequence[tuple[Factor, ...]]) -> Seen:
        return Seen(tuple(dims), tuple(spans.get(axis, span) for axis, span in enumerate(self.spans)))

    def _whole(self, places: Sequence[int], dims: Sequence[tuple[Factor, ...]]) -> Seen:
        """After the units along these axes of the tensor were put together, which leaves it with the axes `dims`."""
        found = {axis: length for place in places for axis, length in self.dims[place] if axis is not None}
        return self._with({axis: self.spans[axis].whole(length) for axis, length in found.items()}, dims)


class Following(Watching):
    """While this mode holds, what every tensor that is made of `x` sees, and what it was made by.

    Tensors are kept alive meanwhile, so that no other takes their place in memory.
    """

    def __init__(self, x: Tensor) -> None:
        super().__init__()
        self._kept: dict[int, tuple[Tensor, Seen | None, frozenset[str]]] = {}
        self._keep(x, Seen.itself(x), frozenset())

    def seen(self, x: Tensor) -> Seen | None:
        """What the tensor's entries see; None where that can't be followed, or where it isn't made of the input."""
        return self._kept[id(x)][1] if id(x) in self._kept else None

    def makers(self, x: Tensor) -> frozenset[str]:
        """The last marks on the way from the input to the tensor, of each way one."""
        return self._kept[id(x)][2] if id(x) in self._kept else frozenset()

    def mark(self, x: Tensor, maker: str) -> None:
        """From here on `x` is made by `maker`."""
        self._keep(x, self.seen(x), frozenset([maker]))

    def _keep(self, x: Tensor, seen: Seen | None, makers: frozenset[str]) -> None:
        self._kept[id(x)] = (x, seen, makers)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        given = [value for argument in (*args, *(kwargs or {}).values()) for value in _flat(argument)]
        given = [value for value in given if isinstance(value, Tensor) and id(value) in self._kept]
        if given and func.overloadpacket.__name__ not in _NEW:
            makers = frozenset[str]().union(*(self.makers(value) for value in given))
            for made in _flat(out):
                if isinstance(made, Tensor):
                    seen = self._followed(func, args, kwargs or {}, given, made)
                    # Of what an operator gives besides, such as the statistics of a normalisation, nothing is said.
                    fits = seen is not None and _lengths(seen.dims) == tuple(made.shape)
                    self._keep(made, seen if fits else None, makers)
        return out

    def _followed(
        self, func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], given: Sequence[Tensor], out: Tensor
    ) -> Seen | None:
        if any(self.seen(value) is None for value in given):
            return None
        name = func.overloadpacket.__name__
        arguments = {a.name: a.default_value for a in func._schema.arguments if a.has_default_value()}
        arguments |= {a.name: value for a, value in zip(func._schema.arguments, args, strict=False)} | dict(kwargs)
        try:
            if name in _RULES:
                source = next(value for value in _flat_all(args) if isinstance(value, Tensor))
                return _RULES[name](self.seen, source, arguments, out)
            if torch.Tag.pointwise in func.tags or name in _POINTWISE:
                return _united([(value, self._sure(value)) for value in given], tuple(out.shape))
        except _Lost:
            pass
        return None

    def _sure(self, x: Tensor) -> Seen:
        seen = self.seen(x)
        if seen is None:
            raise _Lost
        return seen


Rule = Callable[[Callable[[Tensor], "Seen | None"], Tensor, Mapping[str, Any], Tensor], "Seen | None"]


def _flat(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]


def _flat_all(values: Sequence[Any]) -> list[Any]:
    return [part for value in values for part in _flat(value)]


def _lengths(dims: Dims) -> tuple[int, ...]:
    return tuple(math.prod(length for _, length in dim) for dim in dims)


def _tidy(dim: Sequence[Factor]) -> tuple[Factor, ...]:
    """Neighbouring factors that are no axis of the input as one, ones of length 1 left out."""
    tidy: list[Factor] = []
    for axis, length in dim:
        if axis is None and tidy and tidy[-1][0] is None:
            tidy[-1] = (None, tidy[-1][1] * length)
        elif axis is not None or length > 1:
            tidy.append((axis, length))
    return tuple(tidy) or ((None, 1),)


def _moved(dim: tuple[Factor, ...]) -> tuple[Factor, ...]:
    return tuple(factor for factor in _tidy(dim) if factor[1] > 1)


def _one_of(rule: Callable[[Seen, Mapping[str, Any], Tensor], Seen | None]) -> Rule:
    """A rule of operators on one tensor: their first one."""

    def ruled(
        seen: Callable[[Tensor], Seen | None], source: Tensor, arguments: Mapping[str, Any], out: Tensor
    ) -> Seen | None:
        known = seen(source)
        return None if known is None else rule(known, arguments, out)

    return ruled


def _slid(seen: Seen, out: Tensor, windows: Sequence[tuple[int, int, int, int]]) -> Seen:
    """After windows (kernel, stride, padding in front, dilation) slid over the last axes of the tensor."""
    dims, spans = list(seen.dims), {}
    for place, window in zip(range(len(dims) - len(windows), len(dims)), windows, strict=True):
        length = out.shape[place]
        dim = _tidy(dims[place])
        if len(dim) > 1:
            raise _Lost  # a window over several axes of the input that were flattened into one
        axis = dim[0][0]
        dims[place] = ((axis, length),)
        if axis is not None:
            spans[axis] = seen.spans[axis].slid(*window)
    return seen._with(spans, dims)


def _each(value: Any, axes: int) -> list[int]:
    values = list(value) if isinstance(value, list | tuple) else [value]
    return values * axes if len(values) == 1 else values


def _convolution(seen: Seen, given: Mapping[str, Any], out: Tensor) -> Seen | None:
    if given["transposed"]:
        return None
    kernel = list(given["weight"].shape[2:])
    windows = list(
        zip(kernel, *(_each(given[key], len(kernel)) for key in ("stride", "padding", "dilation")), strict=True)
    )
    # Entries along an axis that became channels, as the frames of a spectrogram may, are seen together.
    channels = [*seen.dims[:1], ((None, out.shape[1]),), *seen.dims[2:]]
    return _slid(seen._whole([1], channels), out, windows)


def _pool(seen: Seen, given: Mapping[str, Any], out: Tensor) -> Seen:
    kernel = _each(given["kernel_size"], 1)
    kernel = _each(given["kernel_size"], 1 if len(kernel) > 1 else out.dim() - 2)
    stride = _each(given["stride"], len(kernel)) if given["stride"] else kernel
    others = (_each(given.get(key, default), len(kernel)) for key, default in (("padding", 0), ("dilation", 1)))
    return _slid(seen, out, list(zip(kernel, stride, *others, strict=True)))


def _adaptive_pool(seen: Seen, given: Mapping[str, Any], out: Tensor) -> Seen:
    axes = len(_each(given["output_size"], 1))
    windows = []
    for length, made in zip(_lengths(seen.dims)[-axes:], out.shape[-axes:], strict=True):
        if length % made:
            raise _Lost  # the windows are not all of one size
        windows.append((length // made, length // made, 0, 1))
    return _slid(seen, out, windows)


def _padded(seen: Seen, given: Mapping[str, Any], out: Tensor) -> Seen:
    front = _each(given.get("pad", given.get("padding")), 1)[-2::-2]
    return _slid(seen, out, [(1, 1, padding, 1) for padding in front])


def _folded(mirrored: bool) -> Callable[[Seen, Mapping[str, Any], Tensor], Seen]:
    """After padding by what is there: the nearest ones mirrored, or the last one again and again."""

    def rule(seen: Seen, given: Mapping[str, Any], out: Tensor) -> Seen:
        padding, lengths = _each(given["padding"], 1), _lengths(seen.dims)
        spans = {}
        for place in range(-len(padding) // 2, 0):
            dim = _tidy(seen.dims[place])
            front, behind = padding[2 * (-1 - place)], padding[2 * (-1 - place) + 1]
            if len(dim) == 1 and dim[0][0] is not None and (front or behind):
                spans[dim[0][0]] = seen.spans[dim[0][0]].folded(lengths[place], mirrored)
        return _padded(seen._with(spans, seen.dims), given, out)

    return rule


def _viewed(seen: Seen, given: Mapping[str, Any], out: Tensor) -> Seen:
    """The same entries in the same order, as a tensor of another shape."""
    factors = [factor for dim in seen.dims for factor in _tidy(dim) if factor != (None, 1)]
    dims = []
    for length in out.shape:
        dim: list[Factor] = []
        left = length
        while left > 1 or (factors and factors[0][1] == 1 and not dim):
            if not factors:
                raise _Lost
            axis, size = factors.pop(0)
            if left % size == 0:
                dim.append((axis, size))
                left //= size
            elif axis is None and size % left == 0:
                dim.append((None, left))
                factors.insert(0, (None, size // left))
                left = 1
            else:
                raise _Lost  # an axis of the input is cut into pieces
        dims.append(_tidy(dim))
    return Seen(tuple(dims), seen.spans)


def _permuted(seen: Seen, given: Mapping[str, Any], out: Tensor) -> Seen:
    order = list(range(len(seen.dims)))
    if "dims" in given:
        order = [place % len(order) for place in given["dims"]]
    elif "dim0" in given:
        one, other = given["dim0"] % len(order), given["dim1"] % len(order)
        order[one], order[other] = order[other], order[one]
    else:
        order.reverse()
    return Seen(tuple(seen.dims[place] for place in order), seen.spans)


def _expanded(seen: Seen, given: Mapping[str, Any], out: Tensor) -> Seen:
    return _united([(None, seen)], tuple(out.shape))


def _selected(seen: Seen, given: Mapping[str, Any], out: Tensor) -> Seen:
    place = given["dim"] % len(seen.dims)
    return replace(_sliced_at(seen, place, given["index"], 1, 1), dims=seen.dims[:place] + seen.dims[place + 1 :])


def _sliced(seen: Seen, given: Mapping[str, Any], out: Tensor) -> Seen:
    place = given["dim"] % len(seen.dims)
    return _sliced_at(seen, place, given["start"] or 0, given["step"], out.shape[place])


def _sliced_at(seen: Seen, place: int, first: int, step: int, length: int) -> Seen:
    dim = _tidy(seen.dims[place])
    if len(dim) > 1:
        raise _Lost
    axis, before = dim[0]
    dims = [*seen.dims[:place], ((axis, length),), *seen.dims[place + 1 :]]
    if axis is None:
        return Seen(tuple(dims), seen.spans)
    first = min(max(0, first + before if first < 0 else first), before)
    return seen._with({axis: seen.spans[axis].slid(1, step, -first, 1)}, dims)


def _windowed(seen: Seen, given: Mapping[str, Any], out: Tensor) -> Seen:
    """After `Tensor.unfold`: windows along an axis, whose entries stand along a new last one."""
    place = given["dimension"] % len(seen.dims)
    dim = _tidy(seen.dims[place])
    if len(dim) > 1:
        raise _Lost
    axis = dim[0][0]
    dims = [*seen.dims[:place], ((axis, out.shape[place]),), *seen.dims[place + 1 :], ((None, given["size"]),)]
    spans = {} if axis is None else {axis: seen.spans[axis].slid(given["size"], given["step"], 0, 1)}
    return seen._with(spans, dims)


def _split(seen: Seen, given: Mapping[str, Any], out: Tensor) -> Seen:
    place = given["dim"] % len(seen.dims)
    if _moved(seen.dims[place]) and any(axis is not None for axis, _ in seen.dims[place]):
        raise _Lost  # the pieces see different parts
    dims = [*seen.dims[:place], ((None, out.shape[place]),), *seen.dims[place + 1 :]]
    return Seen(tuple(dims), seen.spans)


def _reduced(seen: Seen, given: Mapping[str, Any], out: Tensor) -> Seen:
    """After a mean, sum or maximum over axes: it sees all that the entries along them saw."""
    count = len(seen.dims)
    asked = given.get("dim")
    places = list(range(count)) if asked is None or asked == [] else [place % count for place in _each(asked, 1)]
    if out.dim() == count:
        dims = [((None, 1),) if place in places else dim for place, dim in enumerate(seen.dims)]
    else:
        dims = [dim for place, dim in enumerate(seen.dims) if place not in places]
    return seen._whole(places, dims)


def _multiplied(
    seen: Callable[[Tensor], Seen | None], source: Tensor, given: Mapping[str, Any], out: Tensor
) -> Seen | None:
    """A matrix product of what is made of the input with weights: it sees all that is along the last axis."""
    left = next(given[key] for key in ("mat1", "batch1", "input", "self") if key in given)
    known = seen(left)
    others = (given.get(key) for key in ("mat2", "batch2", "other", "vec", "weight"))
    if known is None or any(isinstance(other, Tensor) and seen(other) is not None for other in others):
        return None
    return known._whole([len(known.dims) - 1], [*known.dims[:-1], ((None, out.shape[-1]),)])


def _embedded(
    seen: Callable[[Tensor], Seen | None], source: Tensor, given: Mapping[str, Any], out: Tensor
) -> Seen | None:
    known = seen(given["indices"])
    return None if known is None else Seen((*known.dims, ((None, out.shape[-1]),)), known.spans)


def _joined(
    seen: Callable[[Tensor], Seen | None], source: Tensor, given: Mapping[str, Any], out: Tensor
) -> Seen | None:
    """Tensors put one behind the other along an axis that is none of the input's, as channels are."""
    stacked = out.dim() > source.dim()
    place = given["dim"] % out.dim()
    found = []
    for tensor in given["tensors"]:
        known = seen(tensor)
        if known is not None:
            dims = list(known.dims)
            if stacked:
                dims.insert(place, ((None, 1),))
            elif len(_moved(dims[place])) > 1 or any(axis is not None for axis, _ in _moved(dims[place])):
                raise _Lost
            dims[place] = ((None, out.shape[place]),)
            found.append((None, Seen(tuple(dims), known.spans)))
    return _united(found, tuple(out.shape))


def _inserted(seen: Seen, given: Mapping[str, Any], out: Tensor) -> Seen:
    dims = list(seen.dims)
    dims.insert(given["dim"] % out.dim(), ((None, 1),))
    return Seen(tuple(dims), seen.spans)


def _squeezed(seen: Seen, given: Mapping[str, Any], out: Tensor) -> Seen:
    count = len(seen.dims)
    asked = range(count) if given.get("dim") is None else [place % count for place in _each(given["dim"], 1)]
    lengths = _lengths(seen.dims)
    dims = [dim for place, dim in enumerate(seen.dims) if place not in asked or lengths[place] != 1]
    return Seen(tuple(dims), seen.spans)


def _same(seen: Seen, given: Mapping[str, Any], out: Tensor) -> Seen:
    return seen


def _united(found: Sequence[tuple[Tensor | None, Seen]], shape: tuple[int, ...]) -> Seen:
    """What the entries of a tensor of this shape see that is made, entry by entry, of others (as broadcasting has it).

    One that is the same along an axis of the input on which another moves, as a gate is, adds nothing to it.
    """
    dims = []
    for place in range(-len(shape), 0):
        candidates = {
            _moved(seen.dims[place]) for _, seen in found if -place <= len(seen.dims) and _moved(seen.dims[place])
        }
        if len(candidates) > 1:
            raise _Lost
        still = next((_tidy(seen.dims[place]) for _, seen in found if -place <= len(seen.dims)), ((None, 1),))
        dim = next(iter(candidates), still)
        if math.prod(length for _, length in dim) != shape[place]:
            dim = ((None, shape[place]),)
        dims.append(dim)
    spans = []
    for axis in range(len(found[0][1].spans)):
        moving = [seen.spans[axis] for _, seen in found if axis in seen._moving()]
        if len({span.stride for span in moving}) > 1:
            raise _Lost
        parts = moving or [seen.spans[axis] for _, seen in found]
        whole = parts[0]
        for part in parts[1:]:
            whole = whole.united(part)
        spans.append(whole)
    return Seen(tuple(dims), tuple(spans))


def _named(names: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


_POINTWISE = {
    *("hardswish", "hardswish_", "hardsigmoid", "_prelu_kernel", "copy_", "masked_fill", "masked_fill_"),
    *("mish_", "threshold_", "log_sigmoid_forward", "rrelu_with_noise", "rrelu_with_noise_"),
    *("leaky_relu", "leaky_relu_", "hardtanh_", "celu_", "elu_", "selu_", "hardsigmoid_"),  # untagged in torch 2.11
}
_NEW = {"zeros_like", "ones_like", "full_like", "empty_like", "new_zeros", "new_ones", "new_full", "new_empty"}
_RULES: dict[str, Rule] = {
    **_named("convolution mkldnn_convolution _convolution", _one_of(_convolution)),
    **_named("max_pool1d max_pool2d max_pool2d_with_indices max_pool1d_with_indices", _one_of(_pool)),
    **_named("avg_pool1d avg_pool2d", _one_of(_pool)),
    **_named("_adaptive_avg_pool2d adaptive_avg_pool1d adaptive_avg_pool2d", _one_of(_adaptive_pool)),
    **_named("adaptive_max_pool1d adaptive_max_pool2d", _one_of(_adaptive_pool)),
    **_named("constant_pad_nd", _one_of(_padded)),
    **_named("reflection_pad1d reflection_pad2d", _one_of(_folded(True))),
    **_named("replication_pad1d replication_pad2d", _one_of(_folded(False))),
    **_named("view _unsafe_view reshape flatten unflatten _reshape_alias", _one_of(_viewed)),
    **_named("permute transpose t", _one_of(_permuted)),
    **_named("expand", _one_of(_expanded)),
    **_named("unsqueeze", _one_of(_inserted)),
    **_named("squeeze", _one_of(_squeezed)),
    **_named("select", _one_of(_selected)),
    **_named("slice", _one_of(_sliced)),
    **_named("unfold", _one_of(_windowed)),
    **_named("split split_with_sizes chunk", _one_of(_split)),
    **_named("mean sum amax amin max min logsumexp std var norm linalg_vector_norm prod any all", _one_of(_reduced)),
    **_named("mm addmm bmm baddbmm matmul linear mv", _multiplied),
    **_named("embedding", _embedded),
    **_named("cat stack", _joined),
    **_named("native_batch_norm _native_batch_norm_legit_no_training cudnn_batch_norm batch_norm", _one_of(_same)),
    **_named("native_layer_norm native_group_norm native_dropout _softmax _log_softmax", _one_of(_same)),
    **_named("clone _to_copy detach alias contiguous lift_fresh dropout", _one_of(_same)),
}
