"""What the first layer looks for: the weights of the convolutions that read the input."""

from cnnatomy.dissect.kernels.measure import measure
from cnnatomy.dissect.kernels.settings import Settings
from cnnatomy.dissect.kernels.show import show

__all__ = ["Settings", "measure", "show"]
