"""The settings of the method: types and limits. Values and what they mean: `conf/dissect/live.yaml`."""

from __future__ import annotations

from dataclasses import dataclass

from cnnatomy.settings import Count, NotNegative, Positive, Share


@dataclass(frozen=True)
class Settings:
    most_megabytes: Positive
    samples: Count
    compared: Count
    differ: Share
    apart: NotNegative
    looks_kilobytes: NotNegative
    looks_differ: Share
