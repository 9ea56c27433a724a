"""The network drawn, with the size, the receptive field and the cost of every layer."""

from cnnatomy.dissect.structure.measure import measure
from cnnatomy.dissect.structure.settings import Settings
from cnnatomy.dissect.structure.show import show

__all__ = ["Settings", "measure", "show"]
