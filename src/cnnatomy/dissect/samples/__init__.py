"""The data themselves: the one exhibit that needs no network, and no torch."""

from cnnatomy.dissect.samples.measure import measure
from cnnatomy.dissect.samples.settings import Settings
from cnnatomy.dissect.samples.show import show

__all__ = ["Settings", "measure", "show"]
