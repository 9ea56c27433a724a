"""Kinds of settings: what the class of a method's or a lesson's settings says of them beside their types.

Each has a dataclass `Settings` in a module `settings.py` of its own; `cnnatomy.config.settings` checks values by it.
What the values are, and what they mean, is said in its YAML file alone. Only the standard library is imported here and
in those modules: a configuration is checked before threads are set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True)
class Within:
    """Limits of a number."""

    least: float | None = None
    above: float | None = None
    most: float | None = None
    below: float | None = None


@dataclass(frozen=True)
class Length:
    """Limits of how many entries a list has, and whether none may stand in it twice."""

    least: int = 0
    most: int | None = None
    differ: bool = False


@dataclass(frozen=True)
class OneOf:
    """The texts that one may be."""

    names: tuple[str, ...]


Limits = Within | Length | OneOf

Count = Annotated[int, Within(least=1)]
"""How many, where none makes no sense."""
Amount = Annotated[int, Within(least=0)]
"""How many, perhaps none; the place of a sample too."""
Share = Annotated[float, Within(least=0, most=1)]
Positive = Annotated[float, Within(above=0)]
NotNegative = Annotated[float, Within(least=0)]
Label = str | int
"""A class, by its name; `label=6` is read as a number."""
