"""The real patches that excite each filter most."""

from cnnatomy.dissect.top_patches.measure import measure
from cnnatomy.dissect.top_patches.settings import Settings
from cnnatomy.dissect.top_patches.show import show

__all__ = ["Settings", "measure", "show"]
