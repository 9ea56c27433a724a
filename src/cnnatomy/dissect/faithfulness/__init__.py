"""Which maps can be believed: deletion, insertion, flipping, and the randomisation test."""

from cnnatomy.dissect.faithfulness.measure import measure
from cnnatomy.dissect.faithfulness.settings import Settings
from cnnatomy.dissect.faithfulness.show import show

__all__ = ["Settings", "measure", "show"]
