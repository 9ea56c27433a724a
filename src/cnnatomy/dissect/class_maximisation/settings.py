"""The settings of the method: types and limits. Values and what they mean: `conf/dissect/class_maximisation.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cnnatomy.settings import Amount, Count, Label, Length, Positive


@dataclass(frozen=True)
class Settings:
    classes: Count | Annotated[list[Label], Length(differ=True)]
    steps: Count
    starts: Count
    others: Amount
    work: Positive
