"""The settings of the method: types and limits. Values and what they mean: `conf/dissect/filter_maximisation.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cnnatomy.settings import Amount, Count, Length, Positive


@dataclass(frozen=True)
class Settings:
    layers: list[str] | None
    units: Annotated[list[Amount], Length(differ=True)] | None
    steps: Count
    starts: Count
    side: Count
    compared: Count
    work: Positive
    shown: Count
