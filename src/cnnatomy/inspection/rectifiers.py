"""The ReLUs of a network: found, and their backward pass replaced for a while.

Guided backpropagation and deconvolution treat a ReLU differently on the way back. They can do so only where it is a
module; one that a function applies (`torch.relu`, `F.relu`, `x.clamp(min=0)`) would silently be passed as usual, and
the picture would be of something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from cnnatomy.exhibit import say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection.hooks import hooked
from cnnatomy.inspection.layers import evaluating
from cnnatomy.watching import Watching

RECTIFIERS = (nn.ReLU, nn.ReLU6)
_OPERATIONS = {"relu", "relu_", "relu6", "relu6_", "hardtanh", "hardtanh_", "threshold", "threshold_"}
_CLAMPS = {"clamp", "clamp_", "clamp_min", "clamp_min_"}

Backward = Callable[[Tensor, Tensor], Tensor]
"""From the gradient at a ReLU's output and the mask of the units that let it pass, the gradient at its input."""


class FunctionalReLU(DoesNotApply):
    """The network applies ReLU by a function, so that its backward pass can't be changed."""


def refuse_functional(network: nn.Module, x: Tensor) -> None:
    """Raise FunctionalReLU if a forward pass on `x`, (n, *shape), rectifies outside of the modules nn.ReLU and ReLU6.

    Counted are ReLU, ReLU6, thresholds at zero and clamps whose lower end is zero.
    """
    inside = 0
    found: list[str] = []

    class Watch(Watching):
        def __torch_dispatch__(
            self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
        ) -> Any:
            if not inside and _rectifies(func, args, kwargs or {}):
                found.append(func.overloadpacket.__name__.rstrip("_"))
            return func(*args, **(kwargs or {}))

    def enter(module: nn.Module, inputs: Any) -> None:
        nonlocal inside
        inside += 1

    def leave(module: nn.Module, inputs: Any, output: Any) -> None:
        nonlocal inside
        inside -= 1

    handles: list[RemovableHandle] = []
    for module in rectifiers(network):
        handles += [module.register_forward_pre_hook(enter), module.register_forward_hook(leave)]
    with hooked(handles), evaluating(network), torch.no_grad(), Watch():
        network(x)
    if found:
        names = sorted(set(found))
        if len(found) == 1:
            raise FunctionalReLU(say("inspection.functional_relu.once", names=names))
        raise FunctionalReLU(say("inspection.functional_relu.times", names=names, n=len(found)))


def rectifiers(network: nn.Module) -> list[nn.Module]:
    """The ReLU and ReLU6 modules of a network, each once, however often it is called."""
    return [module for module in network.modules() if isinstance(module, RECTIFIERS)]


@contextmanager
def passing_back(network: nn.Module, backward: Backward) -> Iterator[None]:
    """While this holds, the gradient goes back through every ReLU and ReLU6 module by the rule `backward`.

    The rule gets the gradient and a bool mask, true where the unit is on (above zero, for ReLU6 also below six).
    In-place modules and modules that are called again work: each call makes a tensor of its own.
    """

    class Rectified(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, high: float | None) -> Tensor:
            ctx.save_for_backward((x > 0) if high is None else (x > 0) & (x < high))
            return x.clamp(min=0, max=high)

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> Any:
            (on,) = ctx.saved_tensors
            return backward(gradients[0], on), None

    changed = rectifiers(network)
    for module in changed:
        high = 6.0 if isinstance(module, nn.ReLU6) else None
        module.forward = lambda x, high=high: Rectified.apply(x, high)
    try:
        yield
    finally:
        for module in changed:
            del module.forward  # the class's own comes back


def guided(gradient: Tensor, on: Tensor) -> Tensor:
    """Springenberg et al. 2015: only what is positive, and only through units that are on."""
    return gradient.clamp(min=0) * on


def _rectifies(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    packet = getattr(func, "overloadpacket", None)
    name = getattr(packet, "__name__", "")
    if not args or not isinstance(args[0], Tensor) or not args[0].is_floating_point():
        return False
    if name in ("hardtanh", "hardtanh_", "threshold", "threshold_"):
        low = args[1] if len(args) > 1 else kwargs.get("min_val", kwargs.get("threshold", -1))
        return low == 0
    if name in _CLAMPS:
        low = args[1] if len(args) > 1 else kwargs.get("min")
        return isinstance(low, int | float) and low == 0
    return name in _OPERATIONS
