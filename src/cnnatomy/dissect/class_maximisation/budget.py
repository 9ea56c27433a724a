"""How large the inputs, how many the classes, starts and steps may be within the work that is allowed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Samples
from cnnatomy.dissect.class_maximisation.settings import Settings
from cnnatomy.dissect.feature_visualisation.optimise import PASSES
from cnnatomy.dissect.feature_visualisation.regularisers import spread
from cnnatomy.inspection.convolving import frozen
from cnnatomy.inspection.work import affordable, effort

SHORTER = 5  # by which a climb is shortened where the work doesn't allow all of it
FEWEST = 5  # classes that are seen however large the network is
SMALLER = (1, 2, 3, 4)  # by which whole number large images are made smaller, until the work allows


@dataclass(frozen=True)
class Plan:
    """What is done. samples, training: made smaller if need be. classes: how many are looked at."""

    samples: Samples
    training: Samples
    starts: int
    steps: int
    classes: int


def planned(
    network: nn.Module, samples: Samples, training: Samples, classes: int, ways: int, settings: Settings
) -> Plan:
    """What keeps within `work`. ways: in which inputs are made for each of the classes.

    settings: `starts`, `steps`, `work`. Raises ValueError for a network whose output is not (n, classes).
    """
    x = to_tensor(samples.facts, samples.inputs[:1])
    with torch.no_grad(), frozen(network):
        output = network(x)
    if tuple(output.shape) != (1, len(samples.facts.classes)):
        raise ValueError(
            f"the network gives {tuple(output.shape)} for one sample, not (1, {len(samples.facts.classes)}), a score "
            f"for each class of {samples.facts.name!r}; give a network whose output is (n, classes)"
        )
    starts, steps = settings.starts, settings.steps
    each = PASSES * ways
    if each * classes * starts * steps * effort(network, x) > settings.work:
        starts, steps = 1, max(1, steps // SHORTER)
    chosen = Plan(samples, training, starts, steps, classes)
    for by in SMALLER if samples.facts.kind == "images" else ():
        smaller = _shrunk(samples, by)
        try:
            work = each * starts * steps * effort(network, to_tensor(smaller.facts, smaller.inputs[:1]))
        except Exception:  # of whatever kind: the network takes one size only
            break
        many = affordable(settings.work, work, min(FEWEST, classes), classes)
        chosen = Plan(smaller, _shrunk(training, by), starts, steps, many)
        if many * work <= settings.work:
            break
    return chosen


def _shrunk(samples: Samples, by: int) -> Samples:
    """Images a whole number smaller, each pixel the mean of those that it stands for."""
    if by == 1:
        return samples
    facts = samples.facts
    rows, columns = (length // by for length in facts.shape[1:])
    some = samples.inputs[spread(samples)][:, :, : rows * by, : columns * by]
    inputs = np.rint(some.reshape(len(some), -1, rows, by, columns, by).mean((3, 5))).astype(samples.inputs.dtype)
    shape = (facts.shape[0], rows, columns)
    return replace(samples, facts=replace(facts, shape=shape), inputs=inputs, labels=samples.labels[spread(samples)])
