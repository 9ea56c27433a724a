"""Deep Dream: what a layer sees in a picture, made more so."""

from cnnatomy.dissect.dream.measure import measure
from cnnatomy.dissect.dream.settings import Settings
from cnnatomy.dissect.dream.show import show

__all__ = ["Settings", "measure", "show"]
