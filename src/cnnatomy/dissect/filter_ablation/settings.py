"""The settings of the method: types and limits. Values and what they mean: `conf/dissect/filter_ablation.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cnnatomy.settings import Amount, Count, NotNegative, Positive, Within


@dataclass(frozen=True)
class Settings:
    layers: list[str] | None
    samples: Count
    ranked: Count
    step: Annotated[float, Within(above=0, most=1)]
    search: Count
    curve: Count
    draws: Amount
    idle: NotNegative
    work: Positive
