"""The filter as a template: where a picture is like it."""

from cnnatomy.lessons.template.measure import measure
from cnnatomy.lessons.template.settings import Settings
from cnnatomy.lessons.template.show import show

__all__ = ["Settings", "measure", "show"]
