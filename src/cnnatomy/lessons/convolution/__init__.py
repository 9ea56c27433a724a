"""A convolution by hand, window by window."""

from cnnatomy.lessons.convolution.measure import measure
from cnnatomy.lessons.convolution.settings import Settings
from cnnatomy.lessons.convolution.show import show

__all__ = ["Settings", "measure", "show"]
