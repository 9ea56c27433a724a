"""The settings of the method: types and limits. Values and what they mean: `conf/dissect/style.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cnnatomy.settings import Amount, Count, Length, NotNegative, Share, Within


@dataclass(frozen=True)
class Settings:
    content: Amount | None
    style: Amount | None
    candidates: Count
    weights: Annotated[list[NotNegative], Length(least=1, differ=True)]
    content_layer: str | None
    content_depth: Share
    style_layers: list[str] | None
    style_depths: list[Share]
    steps: Count
    blur: NotNegative
    blur_of_sounds: NotNegative
    size: Annotated[int, Within(least=8)]
    colours: Annotated[int, Within(least=2, most=256)]
