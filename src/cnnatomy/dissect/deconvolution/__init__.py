"""What a filter responded to in its best patches: reconstruction by deconvolution."""

from cnnatomy.dissect.deconvolution.measure import measure
from cnnatomy.dissect.deconvolution.settings import Settings
from cnnatomy.dissect.deconvolution.show import show

__all__ = ["Settings", "measure", "show"]
