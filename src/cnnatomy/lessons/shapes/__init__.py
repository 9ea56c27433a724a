"""The lecture's chain of layers, shape by shape."""

from cnnatomy.lessons.shapes.measure import measure
from cnnatomy.lessons.shapes.settings import Settings
from cnnatomy.lessons.shapes.show import show

__all__ = ["Settings", "measure", "show"]
