"""The input that a network takes most for each class, without and with knowing what data look like."""

from cnnatomy.dissect.class_maximisation.measure import measure
from cnnatomy.dissect.class_maximisation.settings import Settings
from cnnatomy.dissect.class_maximisation.show import show

__all__ = ["Settings", "measure", "show"]
