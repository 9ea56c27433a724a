"""The settings of the lesson: types and limits. Values and what they mean: `conf/lesson/template.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cnnatomy.settings import Count, Length


@dataclass(frozen=True)
class Settings:
    marked: Count
    image: Annotated[list[list[float]], Length(1)]
    filter: Annotated[list[list[float]], Length(1)]
