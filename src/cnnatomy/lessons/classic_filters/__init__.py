"""Filters that people made by hand, on a photograph in grey."""

from cnnatomy.lessons.classic_filters.measure import measure
from cnnatomy.lessons.classic_filters.settings import Settings
from cnnatomy.lessons.classic_filters.show import show

__all__ = ["Settings", "measure", "show"]
