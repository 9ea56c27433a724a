"""The input that excites each filter most."""

from cnnatomy.dissect.filter_maximisation.measure import measure
from cnnatomy.dissect.filter_maximisation.settings import Settings
from cnnatomy.dissect.filter_maximisation.show import show

__all__ = ["Settings", "measure", "show"]
