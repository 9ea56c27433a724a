"""The settings of the method: types and limits. Values and what they mean: `conf/dissect/top_patches.yaml`."""

from __future__ import annotations

from dataclasses import dataclass

from cnnatomy.settings import Amount, Count


@dataclass(frozen=True)
class Settings:
    layers: list[str] | None
    patches: Count
    kilobytes: Count
    heard: Amount
