"""Hooks on a network's modules that are there for a while only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from cnnatomy.inspection.calls import module_of, next_call


@contextmanager
def hooked(handles: Sequence[RemovableHandle]) -> Iterator[None]:
    """While this holds, these hooks are there; then, whatever has happened, no more."""
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def in_graph(network: nn.Module, layers: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """While this holds, what a pass makes at these layers (as `trace` names them) is kept here, in torch's graph.

    So gradients at it can be asked for. What follows gets a copy: an activation in place would change it.
    """
    calls: Counter[str] = Counter()
    held: dict[str, Tensor] = {}

    def keep(name: str, output: Tensor) -> Tensor | None:
        called = next_call(name, calls)
        if called not in layers:
            return None
        held[called] = output if output.requires_grad else output.detach().requires_grad_()
        return held[called].clone()

    handles = [
        network.get_submodule(name).register_forward_hook(lambda _, inputs, output, name=name: keep(name, output))
        for name in {module_of(layer) for layer in layers}
    ]
    with hooked(handles):
        yield held
