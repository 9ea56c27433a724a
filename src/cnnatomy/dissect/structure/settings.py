"""The settings of the method: types and limits. Values and what they mean: `conf/dissect/structure.yaml`."""

from __future__ import annotations

from dataclasses import dataclass

from cnnatomy.settings import Count


@dataclass(frozen=True)
class Settings:
    boxes: Count
