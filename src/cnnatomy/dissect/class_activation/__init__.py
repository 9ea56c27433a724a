"""Where a class is read in the last maps: Grad-CAM and two more, at their own resolution."""

from cnnatomy.dissect.class_activation.measure import measure
from cnnatomy.dissect.class_activation.settings import Settings
from cnnatomy.dissect.class_activation.show import show

__all__ = ["Settings", "measure", "show"]
