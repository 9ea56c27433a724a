"""The settings of the lesson: types and limits. Values and what they mean: `conf/lesson/board.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cnnatomy.settings import Count, Length


@dataclass(frozen=True)
class Settings:
    position: Annotated[list[str], Length(2)]
    side: Count
    planes: Count
    filters: Count
    layers: Count
    pool: list[Count]
