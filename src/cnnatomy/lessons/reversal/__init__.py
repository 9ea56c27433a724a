"""The reversal: weights fixed, the input changed."""

from cnnatomy.lessons.reversal.measure import measure
from cnnatomy.lessons.reversal.settings import Settings
from cnnatomy.lessons.reversal.show import show

__all__ = ["Settings", "measure", "show"]
