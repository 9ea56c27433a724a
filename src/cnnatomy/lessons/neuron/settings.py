"""The settings of the lesson: types and limits. Values and what they mean: `conf/lesson/neuron.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cnnatomy.settings import Amount, Count, Length, Positive


@dataclass(frozen=True)
class Settings:
    layers: Annotated[list[Count], Length(3)]
    target: Amount
    rate: Positive
    seed: Amount
