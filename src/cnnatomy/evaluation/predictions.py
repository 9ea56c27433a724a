"""What a network says of each sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from cnnatomy.data.prepared import Samples


def predict(network: nn.Module, samples: Samples) -> pd.DataFrame:
    """One row a sample: split, id, label, prediction, confidence, and p_<class> for every class.

    Labels and predictions are class indices, −1 for no label. Probabilities are softmax outputs to six decimals,
    `confidence` the one of the prediction. Two classes may have the same name (ImageNet has two cranes), so read the
    probabilities by place: they are the last len(classes) columns.

    The network is left as it was, in training or evaluation mode. Raises ValueError if it gives anything but one finite
    number a class.
    """
    import pandas as pd
    import torch

    from cnnatomy.inspection.layers import evaluating
    from cnnatomy.inspection.predicting import batches

    facts, rows = samples.facts, []
    with evaluating(network), torch.no_grad():
        for x in batches(facts, samples.inputs):
            if x.dim() == 4:  # twice as fast on a processor for the lecture's network, measured
                x = x.contiguous(memory_format=torch.channels_last)
            given = network(x).double()
            if given.dim() != 2 or given.shape[1] != len(facts.classes):
                raise ValueError(
                    f"the network gives outputs of shape {tuple(given.shape)}, but {facts.name!r} has "
                    f"{len(facts.classes)} classes; it should give (samples, {len(facts.classes)})"
                )
            rows.append(given.detach().numpy())  # a network may take gradients of its own
    logits = np.concatenate(rows) if rows else np.zeros((0, len(facts.classes)))
    if not np.isfinite(logits).all():
        first = samples.table["id"][int(np.argwhere(~np.isfinite(logits))[0, 0])]
        raise ValueError(f"the network's output for the sample {first!r} is infinite or undefined; train it again")
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = np.round(exponents / exponents.sum(axis=1, keepdims=True), 6)
    prediction = logits.argmax(axis=1)
    table = pd.DataFrame(
        {
            "split": samples.split,
            "id": samples.table["id"],
            "label": samples.labels,
            "prediction": prediction,
            "confidence": probabilities[np.arange(len(prediction)), prediction],
        }
    )
    columns = pd.Index([f"p_{name}" for name in facts.classes])
    return pd.concat([table, pd.DataFrame(probabilities, columns=columns)], axis=1)


def probabilities_of(predictions: pd.DataFrame, classes: int) -> np.ndarray:
    """The probabilities of `predict`, (samples, classes), read by place."""
    return predictions.iloc[:, -classes:].to_numpy(dtype=np.float64)
