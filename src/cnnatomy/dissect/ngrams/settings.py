"""The settings of the method: types and limits. Values and what they mean: `conf/dissect/ngrams.yaml`."""

from __future__ import annotations

from dataclasses import dataclass

from cnnatomy.settings import Amount, Count, Share


@dataclass(frozen=True)
class Settings:
    layers: list[str] | None
    filters: Amount
    ngrams: Count
    sentences: Count
    purity: Share
    tested: Count
    deleted: Share
    draws: Count
    shown: Amount
