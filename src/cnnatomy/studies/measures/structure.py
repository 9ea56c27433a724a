"""What can be said of a network by its layers alone."""

from __future__ import annotations

from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import SPLITS, Dataset
from cnnatomy.exhibit import Number
from cnnatomy.inspection.layers import trace


def receptive_field(network: nn.Module, data: Dataset, *, seed: int) -> list[Number]:
    """Positions of the input, along its first axis, that a unit of the last map sees; nothing is drawn at random.

    The last map is what the first layer reads that puts all places together. Raises ValueError where there is none or
    where what its units see can't be followed.
    """
    samples = data.split(next(split for split in SPLITS if split in data.facts.splits))
    fields = [layer.field for layer in trace(network, to_tensor(data.facts, samples.inputs[:1]))]
    maps = [field for field in fields if field is not None and field.units[0] > 1]
    if not maps or None in fields:
        raise ValueError(f"{type(network).__name__} has no map of which it is known what its units see")
    return [Number("receptive_field", maps[-1].size[0])]
