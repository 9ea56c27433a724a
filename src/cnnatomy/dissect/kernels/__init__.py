"""What the first layer looks for: the weights of the convolutions that read the input."""

from cnnatomy.dissect.kernels.measure import measure
from cnnatomy.dissect.kernels.show import show

__all__ = ["measure", "show"]
