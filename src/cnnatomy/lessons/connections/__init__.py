"""What is connected with what: all to all, by blocks, and by one kernel for all places."""

from cnnatomy.lessons.connections.measure import measure
from cnnatomy.lessons.connections.settings import Settings
from cnnatomy.lessons.connections.show import show

__all__ = ["Settings", "measure", "show"]
