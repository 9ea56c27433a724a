"""How good a network is: its predictions, the numbers made of them, and the exhibit `evaluation`."""

from cnnatomy.evaluation.findings import evaluation
from cnnatomy.evaluation.metrics import metrics
from cnnatomy.evaluation.predictions import predict

__all__ = ["evaluation", "metrics", "predict"]
