"""The settings of the lesson: types and limits. Values and what they mean: `conf/lesson/learn_sobel.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cnnatomy.settings import Amount, Count, Length, Positive


@dataclass(frozen=True)
class Settings:
    data: str
    sample: Amount
    seeds: Count
    iterations: Count
    snapshots: Annotated[list[Amount], Length(differ=True)]
    learning_rate: Positive
