"""What the network reads in samples of a split, and some to look at: right ones of many classes, and bold errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Samples
from cnnatomy.drawing.showing import class_name
from cnnatomy.exhibit.blocks import State
from cnnatomy.probing.layers import batch_size
from cnnatomy.probing.outputs import logits_of
from cnnatomy.probing.work import affordable, multiply_adds

SEARCHED = 3e10  # multiply-adds spent on looking for errors


@dataclass(frozen=True)
class Answer:
    """What the network reads in one sample: its place in the split, its label (−1: none), the class, how sure."""

    place: int
    label: int
    read: int
    confidence: float

    @property
    def state(self) -> State:
        return "" if self.label < 0 else "right" if self.label == self.read else "wrong"

    def said(self, samples: Samples) -> str:
        read = f"read as {class_name(samples.facts, self.read)} ({100 * self.confidence:.0f} %)"
        return read if self.label < 0 else f"{class_name(samples.facts, self.label)}, {read}"


def spread_out(samples: Samples, most: int) -> np.ndarray:
    """Places of at most so many samples, evenly spread over the split."""
    return np.unique(np.linspace(0, len(samples) - 1, min(most, len(samples))).astype(int))


def answers(network: nn.Module, samples: Samples, places: Sequence[int] | np.ndarray) -> list[Answer]:
    """What the network reads in these samples. Raises NoLogits before any long work."""
    places = np.asarray(places, dtype=int)
    size, found = batch_size(samples.facts.shape), []
    for first in range(0, len(places), size):
        x = to_tensor(samples.facts, samples.inputs[places[first : first + size]])
        found.append(logits_of(network, x, len(samples.facts.classes)))
    sure, read = torch.cat(found).double().softmax(1).max(1)
    return [
        Answer(int(place), int(samples.labels[place]), int(what), float(how))
        for place, what, how in zip(places, read, sure, strict=True)
    ]


def to_look_at(
    network: nn.Module, samples: Samples, right: int, wrong: int, chosen: int | Sequence[int] | None
) -> list[Answer]:
    """The chosen samples; without a choice so many that are read right, of classes as many as can be, and wrong ones,
    the surest first. Of unlabelled samples the first `right` + `wrong`.

    Raises ValueError for a place outside of the split, NoLogits for a network that gives no class.
    """
    if chosen is not None:
        places = [chosen] if isinstance(chosen, int) else list(chosen)
        for place in places:
            if not isinstance(place, int) or not 0 <= place < len(samples):
                raise ValueError(
                    f"sample: {place!r} is no place in the {samples.split} split of {samples.facts.name!r}, which has "
                    f"{len(samples)} samples; give one of 0 to {len(samples) - 1}"
                )
        return answers(network, samples, places)
    answers(network, samples, [0])  # a network without logits is refused before anything is counted
    each = multiply_adds(network, to_tensor(samples.facts, samples.inputs[:1]))
    found = answers(network, samples, spread_out(samples, affordable(SEARCHED, each, 200, 20_000)))
    if all(answer.label < 0 for answer in found):
        return found[: right + wrong]
    good, seen = [], set()
    for answer in found:
        if answer.state == "right" and answer.read not in seen:
            good.append(answer)
            seen.add(answer.read)
    good += [answer for answer in found if answer.state == "right" and answer not in good][: max(0, right - len(good))]
    # Classes evenly spread, so that few samples are not all of the first ones.
    good.sort(key=lambda answer: (answer.read, answer.place))
    kept = (
        [good[i] for i in np.unique(np.linspace(0, len(good) - 1, min(right, len(good))).astype(int))] if good else []
    )
    bad = sorted((a for a in found if a.state == "wrong"), key=lambda answer: (-answer.confidence, answer.place))
    return kept + bad[:wrong]
