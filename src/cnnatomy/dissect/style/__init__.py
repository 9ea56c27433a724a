"""Deep Style: one sample's content in another one's style."""

from cnnatomy.dissect.style.measure import measure
from cnnatomy.dissect.style.settings import Settings
from cnnatomy.dissect.style.show import show

__all__ = ["Settings", "measure", "show"]
