"""Which class each filter of a text network speaks for, and how purely it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import PADDING, Facts
from cnnatomy.dissect.ngrams.slots import Reader, given, ngrams
from cnnatomy.inspection.layers import Layer, batch_size, capture

FEWEST = 20  # training sentences that must lie above a threshold, so that chance alone makes none
SAME = 1e-4  # of the largest: how far a pooled value may lie from what the dense layer reads


@dataclass(frozen=True)
class Purity:
    """How often a filter's firings come from the class it votes for.

    threshold: the lowest value above which, in training, the wanted share of firings is of the class; None where
    there is none.
    hits, n: test sentences above the threshold that are of the class, and all above it.
    """

    threshold: float | None
    hits: int
    n: int


def dense_votes(
    network: nn.Module, layers: Sequence[Layer], readers: Sequence[Reader], facts: Facts, inputs: np.ndarray
) -> dict[str, np.ndarray]:
    """The weights of each filter in the dense layer, (filters, classes), by layer.

    For those filters only whose greatest value over time the network's last dense layer reads as it is. That is seen
    from the numbers: on a batch of sentences both must be the same.
    """
    classes = len(facts.classes)
    dense = next((one for one in reversed(layers) if isinstance(one.module, nn.Linear)), None)
    if dense is None or dense.shape != (classes,):
        return {}
    batch = np.asarray(inputs[: batch_size(facts.shape)])
    x = to_tensor(facts, batch)
    read = given(network, dense.name, x)
    module: Any = dense.module
    weight = module.weight.detach()
    held = capture(network, x, sorted({reader.after.name for reader in readers}))
    found = {}
    for reader in readers:
        maps = held[reader.after.name].flatten(2)
        seen = ngrams(batch, reader, facts)
        heard = torch.from_numpy(((seen != PADDING) & (seen != len(facts.vocabulary or ()))).any(axis=2))
        for pooled in (maps.amax(2), maps.masked_fill(~heard[:, None], 0).amax(2)):
            place = _block(read, pooled)
            if place is not None:
                found[reader.layer.name] = weight[:, place : place + reader.filters].T.numpy()
    return found


def _block(read: Tensor, pooled: Tensor) -> int | None:
    """From which column on `read` holds `pooled`."""
    near = SAME * max(1e-6, float(pooled.abs().max()))
    width = pooled.shape[1]
    if read.dim() != 2:
        return None
    places = range(read.shape[1] - width + 1)
    return next((at for at in places if float((read[:, at : at + width] - pooled).abs().max()) <= near), None)


def correlated_votes(peaks: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """The correlation of each filter's greatest value with each class, (filters, classes); 0 where nothing varies."""
    known = labels >= 0
    one = np.eye(classes)[labels[known]]
    fired = np.maximum(peaks[known], 0)
    one, fired = one - one.mean(axis=0), fired - fired.mean(axis=0)
    scale = np.outer(np.sqrt((fired**2).sum(axis=0)), np.sqrt((one**2).sum(axis=0)))
    return np.divide(fired.T @ one, scale, out=np.zeros_like(scale), where=scale > 0)


def threshold(peaks: np.ndarray, of_class: np.ndarray, purity: float) -> float | None:
    """The lowest value above which the share `purity` of sentences is of the class; None where there is none.

    peaks: (sentences,), the filter's greatest value in each. of_class: bool (sentences,). Only values above zero count.
    Jacovi, Sar Shalom & Goldberg (2018), section 4.
    """
    fires = peaks > 0
    order = np.argsort(-peaks[fires], kind="stable")
    values, hits = peaks[fires][order], np.cumsum(of_class[fires][order])
    n = np.arange(1, len(values) + 1)
    last = np.append(values[1:] < values[:-1], True) if len(values) else np.zeros(0, dtype=bool)  # of equal values
    pure = np.flatnonzero((hits >= purity * n) & (n >= FEWEST) & last)
    return float(values[pure[-1]]) if len(pure) else None


def purity(
    trained: tuple[np.ndarray, np.ndarray] | None, tested: tuple[np.ndarray, np.ndarray], wanted: float
) -> Purity:
    """A filter's threshold, chosen on training sentences, and its purity above it on the test sentences.

    Each pair is (peaks, whether it is of the class the filter votes for). Without training sentences every firing
    counts.
    """
    level = threshold(*trained, wanted) if trained is not None else 0.0
    if level is None:
        return Purity(None, 0, 0)
    peaks, of_class = tested
    above = (peaks >= level) & (peaks > 0)
    return Purity(level, int((above & of_class).sum()), int(above.sum()))
