"""What each pixel, each spot of a spectrogram, each word or each moment of a signal does to the output."""

from cnnatomy.dissect.attribution.measure import measure
from cnnatomy.dissect.attribution.settings import Settings
from cnnatomy.dissect.attribution.show import show

__all__ = ["Settings", "measure", "show"]
