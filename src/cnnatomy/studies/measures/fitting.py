"""How much better a network does on samples that it was trained on."""

from __future__ import annotations

from torch import nn

from cnnatomy.data.prepared import Dataset
from cnnatomy.exhibit import Number
from cnnatomy.inspection.choosing import evenly
from cnnatomy.studies.measures.always import LOOKED_AT, right


def gap(network: nn.Module, data: Dataset, *, seed: int) -> list[Number]:
    """Accuracy on the training samples less that on the test samples; nothing is drawn at random.

    Of training samples as many are looked at, as they are stored, as for `train_accuracy`.
    """
    train, test = data.split("train"), data.split("test")
    fitted = right(network, train, evenly(len(train), LOOKED_AT)).mean()
    return [Number("gap", float(fitted - right(network, test).mean()), unit="fraction")]
