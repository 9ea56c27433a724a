"""The settings of the lesson: types and limits. Values and what they mean: `conf/lesson/shapes.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cnnatomy.settings import Count, Length


@dataclass(frozen=True)
class Settings:
    shape: Annotated[list[Count], Length(3, 3)]
    classes: Count
    filters: Annotated[list[Count], Length(2, 2)]
    units: Count
