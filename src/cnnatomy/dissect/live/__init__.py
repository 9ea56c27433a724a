"""The network as a program that the page runs: its steps, its weights in few bits, samples to begin with."""

from cnnatomy.dissect.live.measure import measure
from cnnatomy.dissect.live.settings import Settings
from cnnatomy.dissect.live.show import show

__all__ = ["Settings", "measure", "show"]
