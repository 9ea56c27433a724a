"""The settings of the method: types and limits. Values and what they mean: `conf/dissect/kernels.yaml`."""

from __future__ import annotations

from dataclasses import dataclass

from cnnatomy.settings import Count


@dataclass(frozen=True)
class Settings:
    columns: Count
    symmetric: bool
