"""The settings of the method: types and limits. Values and what they mean: `conf/dissect/class_maximisation.yaml`."""

from __future__ import annotations

from dataclasses import dataclass

from cnnatomy.settings import Amount, Count, Label, Positive


@dataclass(frozen=True)
class Settings:
    classes: Count | list[Label]
    steps: Count
    starts: Count
    others: Amount
    work: Positive
