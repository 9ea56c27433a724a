"""What the channels of a layer make of a sample."""

from cnnatomy.dissect.feature_maps.measure import measure
from cnnatomy.dissect.feature_maps.settings import Settings
from cnnatomy.dissect.feature_maps.show import show

__all__ = ["Settings", "measure", "show"]
