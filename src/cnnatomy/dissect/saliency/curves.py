"""What becomes of a class's probability when the places that a map calls important are taken away, or given alone."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import PADDING, UNKNOWN, Samples
from cnnatomy.dissect.saliency.attributions import baseline_of
from cnnatomy.inspection.convolving import laid_out
from cnnatomy.inspection.layers import batch_size, evaluating

TESTS = ("deletion", "insertion", "flipping")
#: What a sample is at the ends of a curve: the same for every map, and for deletion the other way round than insertion.
ENDS = {
    ("deletion", 0.0): "whole",
    ("deletion", 1.0): "blank",
    ("insertion", 0.0): "blank",
    ("insertion", 1.0): "whole",
    ("flipping", 0.0): "whole",
    ("flipping", 1.0): "flipped",
}


def ranks(maps: Tensor, valid: np.ndarray, tie_breaker: np.ndarray) -> np.ndarray:
    """The place of each position in the order of importance, int (n, *places): 0 the most important.

    maps: (n, *places), the larger the more important. Places that are not `valid` come last. Equal ones follow the
    order of `tie_breaker`, (n, *places), so that a coarse map is not read row by row.
    """
    flat = np.where(valid, maps.double().numpy(), -np.inf).reshape(len(maps), -1)
    order = np.lexsort((tie_breaker.reshape(len(maps), -1), -flat), axis=1)
    found = np.empty_like(order)
    np.put_along_axis(found, order, np.arange(order.shape[1])[None], axis=1)
    return found.reshape(maps.shape)


def area(curves: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The mean height of each curve, (n,): the area below it, by trapezoids."""
    return np.trapezoid(curves, shares, axis=1)


class Changing:
    """Samples of a split, at `places`, of which a network is asked again as more of each is changed; target: (n,)."""

    def __init__(self, network: nn.Module, samples: Samples, places: np.ndarray, target: Tensor) -> None:
        self._network, self._samples, self._target = network, samples, target
        self._inputs = np.asarray(samples.inputs[places])
        self._ends: dict[str, np.ndarray] = {}  # what the curves begin and end with, whatever the order

    def curve(self, order: np.ndarray, shares: np.ndarray, test: str) -> np.ndarray:
        """The probability of each sample's class when so large a share of its places is changed, (n, shares).

        order: of `ranks`. test: "deletion" puts the baseline at the most important places (words are cut out, and those
        behind move up); "insertion" gives these alone, the rest being baseline; "flipping" turns them into their
        opposite: white for black, loud for quiet, the unknown word for a word, a signal upside down about its channels'
        means.
        """
        words = self._samples.facts.kind == "texts"
        total = (self._inputs != PADDING).sum(axis=1) if words else np.full(len(order), order[0].size)
        found = []
        for share in shares:
            end = ENDS.get((test, float(share)), "")
            if end not in self._ends:
                # Half of a place counts as one, exactly and not by the even number.
                top = order < np.floor(share * total + 0.5).astype(int).reshape(-1, *[1] * (order.ndim - 1))
                found.append(self._probability(top, test))
                if end:
                    self._ends[end] = found[-1]
            else:
                found.append(self._ends[end])
        return np.stack(found, axis=1)

    def _probability(self, top: np.ndarray, test: str) -> np.ndarray:
        size, found = batch_size(self._samples.facts.shape), []
        changed = self._changed(top, test)
        with evaluating(self._network), torch.no_grad():
            for first in range(0, len(changed), size):
                part = slice(first, first + size)
                logits = self._network(laid_out(self._network, changed[part])).double()
                found.append(logits.softmax(1).gather(1, self._target[part, None])[:, 0])
        return torch.cat(found).numpy()

    def _changed(self, top: np.ndarray, test: str) -> Tensor:
        """The samples with what is at the `top` places changed, as a network takes them."""
        facts = self._samples.facts
        if facts.kind == "texts":
            return _words(self._inputs, top, test)
        x, mask, nothing = to_tensor(facts, self._inputs), torch.from_numpy(top)[:, None], baseline_of(self._samples).x
        if test == "flipping":
            other = nothing + (nothing if facts.kind == "signals" else _fullest(self._samples)) - x
            return torch.where(mask, other, x)
        return torch.where(mask if test == "deletion" else ~mask, nothing, x)


def _fullest(samples: Samples) -> Tensor:
    """White, or the loudest value there is, in every place."""
    facts = samples.facts
    full = np.full((1, *facts.shape), 255 if facts.kind == "images" else float(samples.inputs.max()))
    return to_tensor(facts, full.astype(samples.inputs.dtype))


def _words(inputs: np.ndarray, top: np.ndarray, test: str) -> Tensor:
    if test == "flipping":
        return torch.from_numpy(np.where(top & (inputs != PADDING), UNKNOWN, inputs)).long()
    kept = (inputs != PADDING) & (top if test == "insertion" else ~top)
    front = np.argsort(~kept, axis=1, kind="stable")  # those kept move up, in their order
    return torch.from_numpy(np.take_along_axis(np.where(kept, inputs, PADDING), front, axis=1)).long()
