"""The settings of the method: types and limits. Values and what they mean: `conf/dissect/learning.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cnnatomy.settings import Amount, Count, Positive, Within


@dataclass(frozen=True)
class Settings:
    others: Amount
    samples: Count
    compared: Annotated[int, Within(least=4)]
    settled: Annotated[float, Within(above=0, below=1)]
    learned: Annotated[float, Within(above=0, most=1)]
    maps: Count
    classes: Amount
    climb: Count
    work: Positive
