"""What the network reads in samples of a split, and some to look at: right ones of many classes, and bold errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Samples
from cnnatomy.exhibit import Say, say
from cnnatomy.exhibit.blocks import State
from cnnatomy.inspection.choosing import chosen_samples, evenly
from cnnatomy.inspection.predicting import logits
from cnnatomy.inspection.work import affordable, effort

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

    def said(self, samples: Samples) -> Say:
        names = samples.facts.classes
        if self.label < 0:
            return say("data.read.as", read=names[self.read], share=self.confidence)
        return say("data.read.of", label=names[self.label], read=names[self.read], share=self.confidence)


def answers(network: nn.Module, samples: Samples, places: Sequence[int] | np.ndarray) -> list[Answer]:
    """What the network reads in these samples. Raises NoLogits before any long work."""
    places = np.asarray(places, dtype=int)
    sure, read = logits(network, samples.facts, samples.inputs[places]).softmax(1).max(1)
    return [
        Answer(int(place), int(samples.labels[place]), int(what), float(how))
        for place, what, how in zip(places, read, sure, strict=True)
    ]


def to_look_at(
    network: nn.Module, samples: Samples, right: int, wrong: int, chosen: int | Sequence[int] | None
) -> list[Answer]:
    """The chosen samples; without a choice so many that are read right, of classes as many as can be, and wrong ones,
    the surest first. Of unlabelled samples the first `right` + `wrong`.

    Raises WrongSetting for a place outside of the split, NoLogits for a network that gives no class.
    """
    if chosen is not None:
        return answers(network, samples, chosen_samples(samples, chosen, None))
    answers(network, samples, [0])  # a network without logits is refused before anything is counted
    each = effort(network, to_tensor(samples.facts, samples.inputs[:1]))
    found = answers(network, samples, evenly(len(samples), affordable(SEARCHED, each, 200, 20_000)))
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
    kept = [good[i] for i in evenly(len(good), right)]
    bad = sorted((a for a in found if a.state == "wrong"), key=lambda answer: (-answer.confidence, answer.place))
    return kept + bad[:wrong]
