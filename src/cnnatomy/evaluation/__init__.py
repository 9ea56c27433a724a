"""How good a network is: its predictions, the numbers made of them, and the exhibit `evaluation`."""

from cnnatomy.evaluation.measure import measure
from cnnatomy.evaluation.metrics import metrics
from cnnatomy.evaluation.predictions import predict
from cnnatomy.evaluation.settings import Settings
from cnnatomy.evaluation.show import show

__all__ = ["Settings", "measure", "metrics", "predict", "show"]
