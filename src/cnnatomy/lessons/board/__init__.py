"""A board is no picture: what pooling does to a position of Go, and a network without it."""

from cnnatomy.lessons.board.measure import measure
from cnnatomy.lessons.board.settings import Settings
from cnnatomy.lessons.board.show import show

__all__ = ["Settings", "measure", "show"]
