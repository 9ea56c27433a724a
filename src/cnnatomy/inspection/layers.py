"""Which layers a network has, what each of their units sees of the input, and what they hold for a sample."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor, nn

from cnnatomy.exhibit import say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection.calls import module_of, next_call
from cnnatomy.inspection.fields import Field, Following
from cnnatomy.inspection.hooks import hooked

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)
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


class NotBySample(DoesNotApply):
    """Convolutions are there, and none has a map for each sample."""

    def __init__(self) -> None:
        super().__init__(say("inspection.not_by_sample"))


class NoConvolution(LayerNotFound, DoesNotApply):
    """The network has no convolution at all, so that what shows them has nothing to show."""

    def __init__(self) -> None:
        DoesNotApply.__init__(self, say("inspection.no_convolution"))


@dataclass(frozen=True)
class Layer:
    """One call of one module in a forward pass.

    name: of the module; a module that is called again has `#2`, `#3` … behind it.
    shape: of its output for one sample, without the batch.
    field: what its units see of the input; None where that can't be followed.
    reads, writes: what tells its input and output apart from every other tensor of the pass.
    along: for each axis of `shape` the axis of the input along which it runs; None for channels and for what can't be
        followed.
    after: the names of the layers that its input is made of, functions in between left out: layers without parts, and
        layers with parts in which paths meet by a function, as a sum.
    meets: the names of the layers that a layer with parts puts together at its end; none where it does no such thing.
    by_sample: whether the first axis of its output counts the samples; parts of them may be put into the batch.
    """

    name: str
    module: nn.Module
    shape: tuple[int, ...]
    field: Field | None
    reads: tuple[object, ...]
    writes: tuple[object, ...]
    along: tuple[int | None, ...] = ()
    after: frozenset[str] = frozenset()
    meets: frozenset[str] = frozenset()
    by_sample: bool = True

    def window(self, place: Sequence[int]) -> tuple[tuple[int, int], ...]:
        """What the unit at `place` of a map sees: first and last-plus-one position of the input, an axis each.

        `place` has an entry an axis of `shape` behind the channels. Positions outside the input are padding. Raises
        ValueError where the layer has no field.
        """
        if self.field is None:
            raise ValueError(f"what the units of {self.name!r} see can't be followed")
        at = [0] * len(self.field.size)
        for axis, unit in zip(self.along[1:], place, strict=True):
            if axis is not None:
                at[axis] = int(unit)
        return self.field.of_unit(at)


def trace(network: nn.Module, x: Tensor) -> list[Layer]:
    """Every module's calls in one forward pass on `x`, (1, *shape of a sample), in the order in which they end.

    What units see is followed through whatever torch runs (see `fields`), also between modules; it is the smallest
    window that holds all that a unit sees.
    """
    layers, single = list[Layer](), _by_sample(network, x)
    kept: list[Tensor] = []  # as long as they live, no other tensor gets their place in memory
    calls: Counter[str] = Counter()
    following = Following(x)

    def before(module: nn.Module, inputs: tuple[object, ...]) -> None:
        given = inputs[0] if inputs and isinstance(inputs[0], Tensor) else None
        kept.extend(tensor for tensor in inputs if isinstance(tensor, Tensor))
        made_by = frozenset[str]().union(*(following.makers(one) for one in inputs if isinstance(one, Tensor)))
        pending.append((() if given is None else _key(given), made_by))

    def after(name: str) -> Callable[[nn.Module, tuple[object, ...], object], None]:
        def hook(module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
            reads, made_by = pending.pop()
            given = inputs[0] if inputs else None
            made = output[0] if isinstance(output, tuple) and output else output
            if not isinstance(given, Tensor) or not isinstance(made, Tensor):
                return
            kept.append(made)
            seen = following.seen(made)
            called = next_call(name, calls)
            meets = frozenset[str]() if whole(module) else following.makers(made)
            if whole(module) or len(meets) > 1:
                following.mark(made, called)
            layers.append(
                Layer(
                    name=called,
                    module=module,
                    shape=tuple(made.shape[1:]),
                    field=None if seen is None else seen.field,
                    reads=reads,
                    writes=_key(made),
                    along=(None,) * (made.dim() - 1) if seen is None else seen.along,
                    after=made_by,
                    meets=meets if len(meets) > 1 else frozenset(),
                    by_sample=made.shape[:1] == x.shape[:1] and (single is None or called in single),
                )
            )

        return hook

    pending: list[tuple[tuple[object, ...], frozenset[str]]] = []
    handles = []
    for name, module in _named(network):
        handles.append(module.register_forward_pre_hook(before))
        handles.append(module.register_forward_hook(after(name)))
    # Not inference mode: its tensors don't count their changes in place, by which inputs are told apart.
    with hooked(handles), evaluating(network), torch.no_grad(), following:
        network(x)
    return layers


def _by_sample(network: nn.Module, x: Tensor) -> set[str] | None:
    """The calls whose output has two entries for two samples; None where the network does not take two.

    Others get parts of samples as if each were one, or one sample after the other.
    """
    found: set[str] = set()
    calls: Counter[str] = Counter()

    def hook_of(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            made = output[0] if isinstance(output, tuple) and output else output
            if isinstance(inputs[0] if inputs else None, Tensor) and isinstance(made, Tensor):
                called = next_call(name, calls)
                if made.shape[:1] == (2,):
                    found.add(called)

        return hook

    handles = [module.register_forward_hook(hook_of(name)) for name, module in _named(network)]
    try:
        with hooked(handles), evaluating(network), torch.no_grad():
            network(torch.cat([x[:1], x[:1]]))
    except Exception:  # of the network's own code, of any kind
        return None
    return found


def _named(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """All modules of a pass by name: what makes weights is none."""
    return [one for one in network.named_modules() if one[0] and ".parametrizations." not in f".{one[0]}."]


def whole(module: nn.Module) -> bool:
    """Whether a module has no parts, or is a layer for all its parts: a convolution that pads its input by a module."""
    return isinstance(module, CONVOLUTIONS + (nn.Linear,)) or next(module.children(), None) is None


def stages(layers: Sequence[Layer], *, by_sample: bool = True) -> list[list[Layer]]:
    """The convolutions in forward order; those that read the same tensor side by side stand together.

    by_sample: only those that have a map for each sample. Raises NoConvolution if there is none, NotBySample if there
    is none such.
    """
    together: dict[object, list[Layer]] = {}
    convolutions = [layer for layer in layers if isinstance(layer.module, CONVOLUTIONS)]
    for layer in convolutions:
        if layer.by_sample or not by_sample:
            together.setdefault(layer.reads, []).append(layer)
    if convolutions and not together:
        raise NotBySample
    if not together:
        raise NoConvolution
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


def driven(layers: Sequence[Layer], layer: Layer) -> Layer:
    """The layer whose output the activation behind `layer` gets: the last normalisation or dropout, or `layer` itself.

    It says how strongly a unit is driven: an activation such as ReLU6 makes equal what lies beyond its ends.
    """
    last = layer
    for following in layers[layers.index(layer) + 1 :]:
        if _same_numbers(following.reads, last.writes) and whole(following.module):
            if not isinstance(following.module, PASSED) or following.shape != layer.shape:
                break
            last = following
    return last


def named(layers: Sequence[Layer], name: str) -> Layer:
    """The layer of this name. Raises LayerNotFound, with the nearest name."""
    for layer in layers:
        if layer.name == name:
            return layer
    near = get_close_matches(name, [layer.name for layer in layers], n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}?" if near else _listed(layers)
    raise LayerNotFound(f"the network has no layer {name!r}. {hint}")


def with_maps(layers: Sequence[Layer], names: Sequence[str]) -> list[Layer]:
    """The layers of these names. Raises LayerNotFound, also for one whose output has no places."""
    chosen = [named(layers, name) for name in names]
    for layer in chosen:
        if len(layer.shape) < 2:
            raise LayerNotFound(f"the layer {layer.name!r} has no maps: its output for a sample is {layer.shape}")
    return chosen


def capture(network: nn.Module, x: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
    """The outputs of the layers of these names for a batch, as `activations` gives them, without gradients."""
    with torch.no_grad():
        found = activations(network, x, names)
    return {name: one.detach() for name, one in zip(names, found, strict=True)}  # a network may take its own gradients


def activations(network: nn.Module, x: Tensor, names: Sequence[str]) -> list[Tensor]:
    """What the layers of these names (as `trace` gives them) hold for a batch, with the graph behind it.

    Each is a copy of its own. The network is in evaluation mode meanwhile, so that normalisation is frozen; the pass
    ends with the last layer asked for, so that what comes after need not accept the input's size. Raises LayerNotFound
    for one that takes no part in it.
    """
    held: dict[str, Tensor] = {}
    calls: Counter[str] = Counter()

    def hook_of(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            called = next_call(name, calls)
            if called in names:
                held[called] = _kept(output[0] if isinstance(output, tuple) else output)
                if len(held) == len(set(names)):
                    raise _Enough

        return hook

    handles = []
    for name in {module_of(called) for called in names}:
        try:
            module = network.get_submodule(name)
        except AttributeError:
            raise LayerNotFound(f"the network has no layer {name!r}") from None
        handles.append(module.register_forward_hook(hook_of(name)))
    with hooked(handles), evaluating(network), suppress(_Enough):
        network(x)
    for name in names:
        if name not in held:
            raise LayerNotFound(f"the layer {name!r} took no part in the forward pass")
    return [held[name] for name in names]


def _kept(output: Tensor) -> Tensor:
    """A copy, for an activation in place would change it later; of 16 bits in 32, which numpy and sums want."""
    return output.float() if output.dtype in (torch.bfloat16, torch.float16) else output.clone()


def batch_size(shape: Sequence[int]) -> int:
    """How many samples of this shape to send through a network at once: what the processor's caches and 2 GB hold."""
    return int(min(250, max(1, 2**20 // math.prod(shape))))


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """The network in evaluation mode, and back as it was."""
    modes = {module: module.training for module in network.modules()}
    if any(modes.values()):
        network.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            if module.training != mode:  # setting what is set already takes longer than a small network's pass
                module.training = mode


class _Enough(Exception):
    """All that was asked for has been computed."""


def _listed(layers: Sequence[Layer]) -> str:
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
