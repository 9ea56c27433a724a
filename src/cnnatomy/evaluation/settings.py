"""The settings of the exhibit: types and limits. Values and what they mean: `conf/dissect/evaluation.yaml`."""

from __future__ import annotations

from dataclasses import dataclass

from cnnatomy.settings import Amount


@dataclass(frozen=True)
class Settings:
    misread: Amount
