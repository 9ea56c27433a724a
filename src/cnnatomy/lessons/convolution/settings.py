"""The settings of the lesson: types and limits. Values and what they mean: `conf/lesson/convolution.yaml`."""

from __future__ import annotations

from dataclasses import dataclass

from cnnatomy.settings import Count


@dataclass(frozen=True)
class Settings:
    box: Count
    image: list[list[float]]
    filters: list[list[list[float]]]
