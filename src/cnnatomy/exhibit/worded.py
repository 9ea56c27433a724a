"""Blocks with the sentences that the locale has together: `<key>.title`, `<key>.caption`, of figures `<key>.alt`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnatomy.exhibit.blocks import Figure
from cnnatomy.exhibit.words import Say, Text, say

if TYPE_CHECKING:
    import pandas as pd


def headed(key: str, /, **values: Any) -> tuple[Say, Say]:
    """A block's title, and its caption, which the values fill."""
    return say(f"{key}.title"), say(f"{key}.caption", **values)


def figure(
    name: str, key: str, svg: str, data: pd.DataFrame | None = None, caption: Text | None = None, /, **values: Any
) -> Figure:
    """A drawing; the values fill what it is for those who can't see it, and the caption unless another one is given."""
    title, own = headed(key, **values)
    return Figure(name, svg, say(f"{key}.alt", **values), data, title, own if caption is None else caption)
