"""What the filters of a text network look for: n-grams, their class, and the words that decide a sentence."""

from cnnatomy.dissect.ngrams.measure import measure
from cnnatomy.dissect.ngrams.settings import Settings
from cnnatomy.dissect.ngrams.show import show

__all__ = ["Settings", "measure", "show"]
