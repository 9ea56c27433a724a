"""Which filters are good, idle, harmful, too many: the network without each, and without more and more."""

from cnnatomy.dissect.filter_ablation.measure import measure
from cnnatomy.dissect.filter_ablation.settings import Settings
from cnnatomy.dissect.filter_ablation.show import show

__all__ = ["Settings", "measure", "show"]
