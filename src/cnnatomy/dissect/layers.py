"""Which layers a network has, what each of their units sees of the input, and what they hold for a sample."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.padding import _ConstantPadNd

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)
POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.AvgPool1d, nn.AvgPool2d)
GLOBAL_POOLS = (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)
MIXERS = (nn.Linear, nn.RNNBase, nn.MultiheadAttention)  # they mix places, even where the shape stays
PASSED = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.GroupNorm,
    nn.LayerNorm,
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Identity,
)


class LayerNotFound(LookupError):
    """The network has no such layer; the message names those that there are."""


@dataclass(frozen=True)
class Field:
    """The part of the input that the units of a layer see; each tuple has one entry an axis of the input.

    size: input positions that one unit sees.
    stride: input positions from one unit to the next.
    start: the first input position that unit 0 sees; negative where it looks into the padding.
    units: units along the axis; 1 where nothing moves along it any more.
    """

    size: tuple[int, ...]
    stride: tuple[int, ...]
    start: tuple[int, ...]
    units: tuple[int, ...]

    def of_unit(self, place: Sequence[int]) -> tuple[tuple[int, int], ...]:
        """First and last-plus-one input position that the unit at `place` sees, an axis each; not cut at the border."""
        firsts = [start + stride * at for start, stride, at in zip(self.start, self.stride, place, strict=True)]
        return tuple((first, first + size) for first, size in zip(firsts, self.size, strict=True))


@dataclass(frozen=True)
class Layer:
    """One call of one module in a forward pass.

    name: of the module; a module that is called again has `#2`, `#3` … behind it.
    shape: of its output for one sample, without the batch.
    field: what its units see of the input; None where that can't be followed.
    reads, writes: what tells its input and output apart from every other tensor of the pass.
    """

    name: str
    module: nn.Module
    shape: tuple[int, ...]
    field: Field | None
    reads: tuple[object, ...]
    writes: tuple[object, ...]


def trace(network: nn.Module, x: Tensor) -> list[Layer]:
    """Every module's calls in one forward pass on `x`, (1, *shape of a sample), in the order in which they end.

    What units see is followed through convolutions, pooling, padding and whatever leaves the shape alone. It is exact
    for a chain of modules; a tensor that a function made in between is taken for the last module's output.
    """
    layers: list[Layer] = []
    kept: list[Tensor] = []  # as long as they live, no other tensor gets their place in memory
    calls: Counter[str] = Counter()
    fields: dict[object, Field | None] = {}
    last: Field | None = _untouched(x)
    fields[_storage(x)] = last

    def before(module: nn.Module, inputs: tuple[object, ...]) -> None:
        kept.extend(tensor for tensor in inputs if isinstance(tensor, Tensor))
        pending.append(_key(inputs[0]) if inputs and isinstance(inputs[0], Tensor) else ())

    def after(name: str) -> Callable[[nn.Module, tuple[object, ...], object], None]:
        def hook(module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
            nonlocal last
            reads = pending.pop()
            given = inputs[0] if inputs else None
            made = output[0] if isinstance(output, tuple) and output else output
            if not isinstance(given, Tensor) or not isinstance(made, Tensor):
                return
            kept.append(made)
            if next(module.children(), None) is None or isinstance(module, CONVOLUTIONS):
                last = _moved(module, fields.get(_storage(given), last), given, made)
                fields[_storage(made)] = last
            calls[name] += 1
            layers.append(
                Layer(
                    name=name if calls[name] == 1 else f"{name}#{calls[name]}",
                    module=module,
                    shape=tuple(made.shape[1:]),
                    field=fields.get(_storage(made), last),
                    reads=reads,
                    writes=_key(made),
                )
            )

        return hook

    pending: list[tuple[object, ...]] = []
    handles = []
    for name, module in network.named_modules():
        if name:
            handles.append(module.register_forward_pre_hook(before))
            handles.append(module.register_forward_hook(after(name)))
    try:
        # Not inference mode: its tensors don't count their changes in place, by which inputs are told apart.
        with evaluating(network), torch.no_grad():
            network(x)
    finally:
        for handle in handles:
            handle.remove()
    return layers


def stages(layers: Sequence[Layer]) -> list[list[Layer]]:
    """The convolutions in forward order; those that read the same tensor side by side stand together.

    Raises LayerNotFound if there is none.
    """
    together: dict[object, list[Layer]] = {}
    for layer in layers:
        if isinstance(layer.module, CONVOLUTIONS):
            together.setdefault(layer.reads, []).append(layer)
    if not together:
        raise LayerNotFound(f"the network has no convolution. {_named(layers)}")
    return list(together.values())


def activated(layers: Sequence[Layer], layer: Layer) -> Layer:
    """The activation that follows `layer`, through normalisation and dropout; `layer` itself where none does."""
    written = layer.writes
    for following in layers[layers.index(layer) + 1 :]:
        if not _same_numbers(following.reads, written):
            continue
        if type(following.module).__module__ == nn.ReLU.__module__:
            return following
        if isinstance(following.module, PASSED):
            written = following.writes
    return layer


def named(layers: Sequence[Layer], name: str) -> Layer:
    """The layer of this name. Raises LayerNotFound, with the nearest name."""
    for layer in layers:
        if layer.name == name:
            return layer
    near = get_close_matches(name, [layer.name for layer in layers], n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}?" if near else _named(layers)
    raise LayerNotFound(f"the network has no layer {name!r}. {hint}")


def capture(network: nn.Module, x: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
    """The outputs of the layers of these names (as `trace` gives them) for a batch, each a copy of its own."""
    held: dict[str, Tensor] = {}
    calls: Counter[str] = Counter()
    modules = dict(network.named_modules())

    def hook_of(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            calls[name] += 1
            called = name if calls[name] == 1 else f"{name}#{calls[name]}"
            if called in names:
                # A copy: an activation in place would change it later.
                held[called] = (output[0] if isinstance(output, tuple) else output).detach().clone()

        return hook

    handles = []
    for name in {called.partition("#")[0] for called in names}:
        if name not in modules:
            raise LayerNotFound(f"the network has no layer {name!r}")
        handles.append(modules[name].register_forward_hook(hook_of(name)))
    try:
        with evaluating(network), torch.no_grad():
            network(x)
    finally:
        for handle in handles:
            handle.remove()
    for name in names:
        if name not in held:
            raise LayerNotFound(f"the layer {name!r} took no part in the forward pass")
    return {name: held[name] for name in names}


def batch_size(shape: Sequence[int]) -> int:
    """How many samples of this shape to send through a network at once: what the processor's caches and 2 GB hold."""
    return int(min(250, max(1, 2**20 // math.prod(shape))))


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """The network in evaluation mode, and back as it was."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def _named(layers: Sequence[Layer]) -> str:
    names = [layer.name for layer in layers]
    return (
        f"Its layers are: {', '.join(names[:30])}{' …' if len(names) > 30 else '.'}" if names else "It has no layers."
    )


def _storage(x: Tensor) -> object:
    return x.untyped_storage().data_ptr()


def _key(x: Tensor) -> tuple[object, ...]:
    return _storage(x), x.storage_offset(), tuple(x.shape), x._version


def _same_numbers(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Whether two tensors are the same one, seen perhaps in another shape."""
    return bool(one) and (one[0], one[-1]) == (other[0], other[-1])


def _untouched(x: Tensor) -> Field:
    """What the positions of the input itself see: themselves. A text (1, words) has one axis, an image two."""
    units = tuple(x.shape[2:]) if x.dim() > 2 else tuple(x.shape[1:])
    ones = (1,) * len(units)
    return Field(ones, ones, (0,) * len(units), units)


def _moved(module: nn.Module, field: Field | None, given: Tensor, made: Tensor) -> Field | None:
    """What the units of a module's output see, when those of its input see `field`."""
    if field is None or isinstance(module, MIXERS):
        return None
    if isinstance(module, CONVOLUTIONS + POOLS + GLOBAL_POOLS + (_ConstantPadNd,)):
        return _slid(module, field, tuple(given.shape[2:]), tuple(made.shape[2:]))
    return field if made.shape == given.shape or isinstance(module, (nn.Flatten, nn.Embedding)) else None


def _slid(module: nn.Module, field: Field, given: tuple[int, ...], made: tuple[int, ...]) -> Field:
    """`field` after a window slid over axes that are `given` long, which gave axes that are `made` long."""
    kernel, stride, padding, dilation = (
        _window(module, key, given, made) for key in ("kernel_size", "stride", "padding", "dilation")
    )
    size, step, start, units = (list(part) for part in (field.size, field.stride, field.start, field.units))
    free = list(range(len(units)))
    for axis, length in enumerate(given):
        # The module's axes are the input's, in order, less those that became channels, plus those that are none of it.
        found = next((place for place in free if units[place] == length), None)
        if found is None:
            continue
        free.remove(found)
        start[found] -= padding[axis] * step[found]
        size[found] += (kernel[axis] - 1) * dilation[axis] * step[found]
        step[found] *= stride[axis]
        units[found] = made[axis]
    for place in free:  # the units along such an axis became channels: they are seen together
        size[place] += (units[place] - 1) * step[place]
        units[place] = 1
    return replace(field, size=tuple(size), stride=tuple(step), start=tuple(start), units=tuple(units))


def _window(module: nn.Module, key: str, given: tuple[int, ...], made: tuple[int, ...]) -> tuple[int, ...]:
    """The module's kernel size, stride, padding in front or dilation along each axis."""
    axes = len(given)
    if isinstance(module, GLOBAL_POOLS):  # as one window over everything; exact where the output is one unit
        return {"kernel_size": tuple(-(-g // m) for g, m in zip(given, made, strict=True)),
                "stride": tuple(max(1, g // m) for g, m in zip(given, made, strict=True)),
                "padding": (0,) * axes}.get(key, (1,) * axes)  # fmt: skip
    if isinstance(module, _ConstantPadNd):
        return tuple(module.padding[-2::-2]) if key == "padding" else (1,) * axes
    value = getattr(module, key, 1)
    if key == "padding":
        inside = next((child for child in module.children() if isinstance(child, _ConstantPadNd)), None)
        if inside is not None:  # such as EfficientNet's convolutions, which pad their input themselves
            return tuple(inside.padding[-2::-2])
        if value == "same":
            kernel, dilation = _window(module, "kernel_size", given, made), _window(module, "dilation", given, made)
            return tuple(d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True))
        if value == "valid":
            return (0,) * axes
    return tuple(value) if isinstance(value, tuple | list) else (int(value),) * axes
