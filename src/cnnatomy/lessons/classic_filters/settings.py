"""The settings of the lesson: types and limits. Values and what they mean: `conf/lesson/classic_filters.yaml`."""

from __future__ import annotations

from dataclasses import dataclass

from cnnatomy.settings import Amount


@dataclass(frozen=True)
class Settings:
    data: str
    sample: Amount
    seed: Amount
