"""The settings of the method: types and limits. Values and what they mean: `conf/dissect/feature_maps.yaml`."""

from __future__ import annotations

from dataclasses import dataclass

from cnnatomy.settings import Amount, Count, Label


@dataclass(frozen=True)
class Settings:
    label: Label | None
    sample: Amount | list[Amount] | None
    layers: list[str] | None
    columns: Count
    compared: Count
