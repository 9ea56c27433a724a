"""A network with some of its filters removed, of which only what depends on them is computed again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from cnnatomy.inspection.calls import module_of, next_call
from cnnatomy.inspection.convolving import frozen, laid_out
from cnnatomy.inspection.hooks import hooked
from cnnatomy.inspection.layers import Layer, activated, evaluating

TOUCHED = 4  # multiply-adds that reading and writing one number of a map costs, about

Change = Callable[[Any], Tensor | None]


def ablation_point(layers: Sequence[Layer], layer: Layer) -> Layer:
    """Where the maps of a convolution are set to zero: behind its activation, or else its normalisation, or itself."""
    after = activated(layers, layer)
    if after is not layer:
        return after
    norms = (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm)
    return next((one for one in layers if isinstance(one.module, norms) and one.reads == layer.writes), layer)


class ChannelAblation:
    """Logits of a network without some of its filters.

    layers: as `trace` gives them. points: those among them whose channels can be set to zero. example: one sample,
    (1, *shape).

    What a point reaches is seen from the path of gradients on the example, so that it holds for any network; modules
    that a point doesn't reach give again what they gave the first time.
    """

    def __init__(self, network: nn.Module, layers: Sequence[Layer], points: Sequence[Layer], example: Tensor) -> None:
        self.network = network
        self.layers = layers
        self._modules = dict(network.named_modules())
        # Whole modules are replaced where they have no modules in them: what is between them is computed again.
        self._leaves = [layer.name for layer in layers if next(layer.module.children(), None) is None]
        self._reached = {point.name: self._reached_by(point.name, example) for point in points}
        self._spoilt: set[str] = set()
        for point in points:
            self._spoilt |= self._spoilt_by(point.name, example)

    def cost(self, point: str) -> int:
        """About how many multiply-adds a sample takes without one channel of a point."""
        held = sum(TOUCHED * prod(layer.shape) for layer in self.layers if layer.name in self._leaves)
        return held + sum(work(layer) for layer in self.layers if layer.name in self._reached[point])

    @torch.no_grad()
    def logits(self, x: Tensor, masks: Mapping[str, Tensor]) -> Tensor:
        """The logits with those channels of each point set to zero where its mask, bool (channels,), is False."""
        with evaluating(self.network), self._changed({name: _masked(mask) for name, mask in masks.items()}):
            return self.network(laid_out(self.network, x))

    @torch.no_grad()
    def without_each(
        self, x: Tensor, point: str, channels: Sequence[int], masks: Mapping[str, Tensor]
    ) -> Iterator[Tensor]:
        """The logits without each of these channels of a point in turn, on top of what `masks` removes."""
        x, reached = laid_out(self.network, x), self._reached[point]
        held: dict[str, Any] = {}

        def keep(name: str) -> Change:
            def change(output: Any) -> Tensor | None:
                made = _masked(masks[name])(output) if name in masks else None
                held[name] = _copied(output if made is None else made)
                return made

            return change

        first = {name: _masked(mask) for name, mask in masks.items() if name in reached}
        kept = {name: keep(name) for name in {*self._leaves, point} if name not in reached}
        with evaluating(self.network):
            with self._changed({**first, **kept}):
                self.network(x)
            maps = held[point]
            for channel in channels:
                held[point] = maps.clone()
                held[point][:, channel] = 0
                with self._replaced(held), self._changed(first):
                    logits = self.network(x)
                yield logits

    def _reached_by(self, point: str, example: Tensor) -> set[str]:
        """The calls of modules whose input depends on the point's output."""
        found: set[str] = set()
        counts: Counter[str] = Counter()

        def look(name: str) -> Callable[..., Tensor | None]:
            def hook(module: nn.Module, inputs: tuple[object, ...], output: Any) -> Tensor | None:
                called = next_call(name, counts)
                if any(isinstance(one, Tensor) and one.requires_grad for one in inputs):
                    found.add(called)
                elif called == point:
                    return output.detach().clone().requires_grad_().clone()
                return None

            return hook

        handles = [self._modules[name].register_forward_hook(look(name)) for name in self._watched(self._leaves, point)]
        with hooked(handles), frozen(self.network), torch.enable_grad():
            self.network(example)
        return found - {point}

    @torch.no_grad()
    def _spoilt_by(self, point: str, example: Tensor) -> set[str]:
        """The calls whose outputs something in place changes later: they must be given as copies."""
        held: dict[str, Any] = {}

        def keep(name: str) -> Change:
            def change(output: Any) -> Tensor | None:
                held[name] = _copied(output)
                return None

            return change

        names = {*self._leaves, point} - self._reached[point]
        with evaluating(self.network):
            with self._changed({name: keep(name) for name in names}):
                self.network(example)
            before = {name: _versions(output) for name, output in held.items()}
            with self._replaced(held):
                self.network(example)
        return {name for name, output in held.items() if _versions(output) != before[name]}

    def _watched(self, names: Sequence[str] | Mapping[str, object], *more: str) -> list[str]:
        """The modules of these calls."""
        return sorted({module_of(name) for name in (*names, *more)})

    @contextmanager
    def _changed(self, changes: Mapping[str, Change]) -> Iterator[None]:
        """Within it, the outputs of these calls go through a function each."""
        counts: Counter[str] = Counter()

        def hook_of(name: str) -> Callable[..., Tensor | None]:
            def hook(module: nn.Module, inputs: object, output: Tensor) -> Tensor | None:
                change = changes.get(next_call(name, counts))
                return None if change is None else change(output)

            return hook

        handles = [self._modules[name].register_forward_hook(hook_of(name)) for name in self._watched(changes)]
        with hooked(handles):
            yield

    @contextmanager
    def _replaced(self, outputs: Mapping[str, Any]) -> Iterator[None]:
        """Within it, these calls compute nothing and give what is given."""
        counts: Counter[str] = Counter()
        watched = {name: self._modules[name].forward for name in self._watched(outputs)}

        def given(name: str) -> Callable[..., Any]:
            def replaced(*args: Any, **kwargs: Any) -> Any:
                called = next_call(name, counts)
                if called not in outputs:
                    return watched[name](*args, **kwargs)
                return _copied(outputs[called]) if called in self._spoilt else outputs[called]

            return replaced

        own = {name: "forward" in self._modules[name].__dict__ for name in watched}
        try:
            for name in watched:
                self._modules[name].__dict__["forward"] = given(name)
            yield
        finally:
            for name, forward in watched.items():
                if own[name]:
                    self._modules[name].__dict__["forward"] = forward
                else:
                    del self._modules[name].__dict__["forward"]


def work(layer: Layer) -> int:
    """About how many multiply-adds one call of a module takes for one sample."""
    module = layer.module
    touched = TOUCHED * prod(layer.shape) if next(module.children(), None) is None else 0
    if isinstance(module, nn.Conv1d | nn.Conv2d):
        return touched + prod(layer.shape) * module.in_channels // module.groups * prod(module.kernel_size)
    return touched + (prod(layer.shape) * module.in_features if isinstance(module, nn.Linear) else 0)


def _copied(output: Any) -> Any:
    """What a module gave, with copies of its tensors: one, or several as of a recurrent layer."""
    if isinstance(output, tuple | list):
        parts = [_copied(part) for part in output]
        return type(output)(*parts) if hasattr(output, "_fields") else type(output)(parts)
    if isinstance(output, Mapping):
        return {key: _copied(value) for key, value in output.items()}
    return output.clone() if isinstance(output, Tensor) else output


def _versions(output: Any) -> list[int]:
    """How often each tensor of what a module gave was changed in place."""
    if isinstance(output, tuple | list):
        return [version for part in output for version in _versions(part)]
    if isinstance(output, Mapping):
        return _versions(list(output.values()))
    return [output._version] if isinstance(output, Tensor) else []


def _masked(mask: Tensor) -> Callable[[Tensor], Tensor]:
    def change(output: Tensor) -> Tensor:
        return output * mask.to(output.dtype).reshape(-1, *[1] * (output.dim() - 2))

    return change
