"""How the network learned: its filters, maps and answers as they were while it was trained."""

from cnnatomy.dissect.learning.measure import measure
from cnnatomy.dissect.learning.settings import Settings
from cnnatomy.dissect.learning.show import show

__all__ = ["Settings", "measure", "show"]
