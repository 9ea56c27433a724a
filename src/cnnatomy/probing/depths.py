"""Layers spread over a network's depth, and what they hold in a form that gradients can flow back from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from cnnatomy.probing.layers import Layer, LayerNotFound, activated, evaluating, named, stages

NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)


def after_activation(layers: Sequence[Layer]) -> list[Layer]:
    """What the convolutions become behind their activations, in forward order.

    Convolutions without an activation behind them count only where none has one. Raises LayerNotFound where there is
    no convolution.
    """
    pairs = [(convolution, activated(layers, convolution)) for stage in stages(layers) for convolution in stage]
    return [after for convolution, after in pairs if after is not convolution] or [after for _, after in pairs]


def before_activation(layers: Sequence[Layer]) -> list[Layer]:
    """What the convolutions give, normalised where a normalisation follows at once, in forward order.

    Raises LayerNotFound where there is no convolution.
    """
    found = []
    for convolution in (convolution for stage in stages(layers) for convolution in stage):
        behind = layers[layers.index(convolution) + 1 :]
        normalised = (
            layer for layer in behind if isinstance(layer.module, NORMALISATIONS) and layer.reads == convolution.writes
        )
        found.append(next(normalised, convolution))
    return found


def at_depths(
    layers: Sequence[Layer], found: Sequence[Layer], names: Sequence[str] | None, shares: Sequence[float]
) -> list[Layer]:
    """The layers of these names; without names those of `found` that lie at these shares of it, 0 first and 1 last.

    Of fewer than there are shares, each once. Raises LayerNotFound, with the nearest name.
    """
    if names is not None:
        return [named(layers, name) for name in ([names] if isinstance(names, str) else names)]
    places = [int(share * (len(found) - 1) + 0.5) for share in shares]
    return [found[place] for place in dict.fromkeys(places)]


class _Enough(Exception):
    """All that was asked for has been computed."""


def activations(network: nn.Module, x: Tensor, names: Sequence[str]) -> list[Tensor]:
    """What the layers of these names (as `trace` gives them) hold for a batch, with the graph behind it.

    The network is in evaluation mode meanwhile, so that normalisation is frozen; the pass ends with the last layer
    asked for, so that what comes after need not accept the input's size.
    """
    held: dict[str, Tensor] = {}
    calls: Counter[str] = Counter()
    modules = dict(network.named_modules())

    def hook_of(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            calls[name] += 1
            called = name if calls[name] == 1 else f"{name}#{calls[name]}"
            if called in names:
                # A copy: an activation in place would change it later.
                held[called] = (output[0] if isinstance(output, tuple) else output).clone()
                if len(held) == len(set(names)):
                    raise _Enough

        return hook

    handles = [
        modules[name].register_forward_hook(hook_of(name)) for name in {name.partition("#")[0] for name in names}
    ]
    try:
        with evaluating(network):
            network(x)
    except _Enough:
        pass
    finally:
        for handle in handles:
            handle.remove()
    for name in names:
        if name not in held:
            raise LayerNotFound(f"the layer {name!r} took no part in the forward pass")
    return [held[name] for name in names]
