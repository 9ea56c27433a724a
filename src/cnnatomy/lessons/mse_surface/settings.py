"""The settings of the lesson: types and limits. Values and what they mean: `conf/lesson/mse_surface.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cnnatomy.settings import Amount, Count, Length, Positive, Share


@dataclass(frozen=True)
class Settings:
    seed: Amount
    samples: Count
    truth: Annotated[list[float], Length(2, 2)]
    other: Annotated[list[float], Length(2, 2)]
    start: Annotated[list[float], Length(2, 2)]
    steps: Count
    step_sizes: Annotated[list[Positive], Length(3, 3)]
    momentum: Share
    batch: Count
    xor_starts: Count
