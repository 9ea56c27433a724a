"""Layers spread over a network's depth."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from cnnatomy.inspection.layers import Layer, activated, named, stages

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
