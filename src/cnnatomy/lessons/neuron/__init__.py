"""A neuron, a layer of them, and backpropagation by hand."""

from cnnatomy.lessons.neuron.measure import measure
from cnnatomy.lessons.neuron.settings import Settings
from cnnatomy.lessons.neuron.show import show

__all__ = ["Settings", "measure", "show"]
