"""A network and those of its filters that are removed, one by one or several at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cnnatomy.inspection.ablation import ChannelAblation

Filter = tuple[int, int]  # which part, which channel


@dataclass(frozen=True)
class Part:
    """The filters of one layer that are removed.

    name: of the convolution. point: where they are set to zero. channels: those removed. total: all there are.
    """

    name: str
    point: str
    channels: np.ndarray
    total: int


@dataclass(frozen=True)
class Removable:
    """The parts of a network whose filters are removed."""

    removal: ChannelAblation
    parts: list[Part]

    @property
    def filters(self) -> list[Filter]:
        """All that are removed, layer by layer."""
        return [(at, int(channel)) for at, part in enumerate(self.parts) for channel in part.channels]

    def masks(self, gone: Sequence[Filter]) -> dict[str, Tensor]:
        """Which channels are left of each point, bool (channels,)."""
        masks = {part.point: torch.ones(part.total, dtype=torch.bool) for part in self.parts}
        for at, channel in gone:
            masks[self.parts[at].point][channel] = False
        return masks
