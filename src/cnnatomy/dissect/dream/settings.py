"""The settings of the method: types and limits. Values and what they mean: `conf/dissect/dream.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cnnatomy.settings import Amount, Count, Label, NotNegative, Share, Within


@dataclass(frozen=True)
class Settings:
    label: Label | None
    sample: Amount | list[Amount] | None
    layers: list[str] | None
    depths: list[Share]
    octaves: Count
    ratio: Annotated[float, Within(above=1)]
    smallest: Count
    iterations: Count
    step: float
    blur: NotNegative
    jitter: NotNegative
    draws: Annotated[int, Within(least=2)]
    colours: Annotated[int, Within(least=2, most=256)]
