"""The input that excites each dense unit most, against filters: whole shapes against textures."""

from cnnatomy.dissect.dense_maximisation.measure import measure
from cnnatomy.dissect.dense_maximisation.settings import Settings
from cnnatomy.dissect.dense_maximisation.show import show

__all__ = ["Settings", "measure", "show"]
