"""A network whose filters are silent below a threshold of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.dissect.ngrams.slots import Reader
from cnnatomy.inspection.hooks import hooked


@contextmanager
def silenced_below(network: nn.Module, readers: Sequence[Reader], levels: Mapping[str, np.ndarray]) -> Iterator[None]:
    """Within it, each filter's map is zero wherever its value before the activation is below its level.

    levels: (filters,) by layer, in the units of `Reader.score`; infinite for a filter that is to be silent altogether.
    """
    scores: dict[str, Tensor] = {}
    handles = []

    def watch(reader: Reader) -> None:
        name = reader.layer.name
        level = torch.as_tensor(levels[name], dtype=torch.float32)

        def score(module: nn.Module, inputs: object, output: Tensor) -> None:
            scores[name] = output.clone()  # an activation in place would change it

        def silence(module: nn.Module, inputs: object, output: Tensor) -> Tensor:
            shape = (-1,) + (1,) * (output.dim() - 2)
            return output * (scores[name] >= level.reshape(shape))

        handles.append(reader.score.module.register_forward_hook(score))
        handles.append(reader.after.module.register_forward_hook(silence))

    for reader in readers:
        watch(reader)
    with hooked(handles):
        yield
