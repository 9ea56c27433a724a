"""The settings of the lesson: types and limits. Values and what they mean: `conf/lesson/convolution.yaml`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    signal: list[float]
    weights: list[float]
    image: list[list[float]]
    filters: list[list[list[float]]]
