"""The settings of the method: types and limits. Values and what they mean: `conf/dissect/attribution.yaml`."""

from __future__ import annotations

from dataclasses import dataclass

from cnnatomy.settings import Amount, Count


@dataclass(frozen=True)
class Settings:
    right: Amount
    wrong: Amount
    sample: Amount | list[Amount] | None
    methods: list[str] | None
    compared: Count
