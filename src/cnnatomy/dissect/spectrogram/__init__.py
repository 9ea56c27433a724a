"""The same words by different voices: what the network gets of them, and how far the pattern moves."""

from cnnatomy.dissect.spectrogram.measure import measure
from cnnatomy.dissect.spectrogram.settings import Settings
from cnnatomy.dissect.spectrogram.show import show

__all__ = ["Settings", "measure", "show"]
