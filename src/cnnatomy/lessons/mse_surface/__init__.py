"""Walking down the error surface of a network of two weights."""

from cnnatomy.lessons.mse_surface.measure import measure
from cnnatomy.lessons.mse_surface.settings import Settings
from cnnatomy.lessons.mse_surface.show import show

__all__ = ["Settings", "measure", "show"]
