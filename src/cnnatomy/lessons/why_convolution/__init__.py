"""Why a convolution: the weights of a dense layer against it."""

from cnnatomy.lessons.why_convolution.measure import measure
from cnnatomy.lessons.why_convolution.settings import Settings
from cnnatomy.lessons.why_convolution.show import show

__all__ = ["Settings", "measure", "show"]
