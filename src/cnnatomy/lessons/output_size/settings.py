"""The settings of the lesson: types and limits. Values and what they mean: `conf/lesson/output_size.yaml`."""

from __future__ import annotations

from dataclasses import dataclass

from cnnatomy.settings import Amount, Count


@dataclass(frozen=True)
class Settings:
    sizes: list[Count]
    kernels: list[Count]
    strides: list[Count]
    paddings: list[Amount]
    dilations: list[Count]
