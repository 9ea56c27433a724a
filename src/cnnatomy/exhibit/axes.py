"""What stands along the sides of a picture, and what its colours mean: shown where the picture is enlarged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cnnatomy.exhibit.words import Text, described

Colours = Literal["signed", "amount", "grey"]


@dataclass(frozen=True)
class Axis:
    """One side of a picture: what it is, and what stands along it.

    ticks: how far along, from 0 (left, or top) to 1, and the number or word there.
    """

    title: Text
    ticks: Sequence[tuple[float, Text]] = ()

    def describe(self) -> dict[str, Any]:
        ticks = [[round(float(at), 4), described(text)] for at, text in self.ticks]
        return {"title": described(self.title)} | ({"ticks": ticks} if ticks else {})


@dataclass(frozen=True)
class Scale:
    """What the colours of pictures mean, as `drawing.showing` gives them.

    colours: `signed` (blue below zero, red above), `amount` (black to pale yellow) or `grey` (black to white).
    ends: the numbers at its ends, where all pictures share them; else `Item.ends` has those of each.
    """

    colours: Colours
    title: Text
    ends: tuple[float, float] | None = None

    def describe(self) -> dict[str, Any]:
        known = {"colours": self.colours, "title": described(self.title)}
        return known | ({"ends": [float(end) for end in self.ends]} if self.ends is not None else {})
