"""Whether what a unit is said to see of the input holds, by experiment."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from cnnatomy.data.prepared import Facts
from cnnatomy.inspection.hooks import hooked
from cnnatomy.inspection.layers import Layer, capture


def confirm(network: nn.Module, x: Tensor, layer: Layer, facts: Facts) -> bool:
    """Whether the field of a layer holds: NaN anywhere outside of what its middle unit sees doesn't reach the unit, and
    NaN along each edge inside does (as far as the edge is no padding)."""
    unit = tuple(length // 2 for length in layer.shape[1:])
    window = layer.window(unit)
    lengths = facts.shape if facts.kind == "texts" else facts.shape[1:]
    inside = np.ones(lengths, dtype=bool)
    for axis, (first, last) in enumerate(window):
        outside = np.ones(lengths[axis], dtype=bool)
        outside[max(0, first) : max(0, last)] = False
        inside &= ~outside.reshape([-1 if place == axis else 1 for place in range(len(lengths))])
    probes, expected = [~inside], [False]
    for axis, (first, last) in enumerate(window):
        for edge in (first, last - 1):
            if 0 <= edge < lengths[axis]:
                along = [slice(None)] * len(lengths)
                along[axis] = slice(edge, edge + 1)
                probe = np.zeros(lengths, dtype=bool)
                probe[tuple(along)] = inside[tuple(along)]
                probes.append(probe)
                expected.append(True)
    spoilt = torch.from_numpy(np.stack(probes))
    batch = x.expand(len(probes), *x.shape[1:]).clone()
    if x.is_floating_point():
        maps = capture(network, batch.masked_fill(spoilt[:, None], torch.nan), [layer.name])[layer.name]
    else:
        with hooked(_spoiling_words(network, spoilt)):
            maps = capture(network, batch, [layer.name])[layer.name]
    found = maps[:, 0].isnan().flatten(1)[:, int(np.ravel_multi_index(unit, layer.shape[1:]))].tolist()
    return found == expected


def _spoiling_words(network: nn.Module, spoilt: Tensor) -> list[RemovableHandle]:
    """Hooks by which the vectors of the words at these places, (n, words), are NaN: tokens can't be."""
    return [
        module.register_forward_hook(lambda _, inputs, output: output.masked_fill(spoilt[..., None], torch.nan))
        for module in network.modules()
        if isinstance(module, nn.Embedding)
    ]
