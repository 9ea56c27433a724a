"""Nine weights learn Sobel's filter from the picture that it makes."""

from cnnatomy.lessons.learn_sobel.measure import measure
from cnnatomy.lessons.learn_sobel.settings import Settings
from cnnatomy.lessons.learn_sobel.show import show

__all__ = ["Settings", "measure", "show"]
