"""How large a feature map is."""

from cnnatomy.lessons.output_size.measure import measure
from cnnatomy.lessons.output_size.settings import Settings
from cnnatomy.lessons.output_size.show import show

__all__ = ["Settings", "measure", "show"]
