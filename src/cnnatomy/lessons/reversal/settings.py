"""The settings of the lesson: types and limits. Values and what they mean: `conf/lesson/reversal.yaml`."""

from __future__ import annotations

from dataclasses import dataclass

from cnnatomy.settings import Amount, Count, NotNegative


@dataclass(frozen=True)
class Settings:
    steps: Count
    penalty: NotNegative
    seed: Amount
