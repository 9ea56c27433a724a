"""The network as a program for the page, its weights in as few bits as leave its answers as they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.batches import to_tensor
from cnnatomy.data.prepared import Samples
from cnnatomy.dissect.live.looks import Looks, looks_of
from cnnatomy.dissect.live.packing import KINDS, Kind, Packed, packed, rounded
from cnnatomy.dissect.live.program import Program, program_of
from cnnatomy.dissect.live.settings import Settings
from cnnatomy.dissect.live.tracing import Graph, InTheWay, NotTraced, again, traced
from cnnatomy.dissect.saliency.cams import cam_layers
from cnnatomy.exhibit import say
from cnnatomy.exhibit.applying import DoesNotApply
from cnnatomy.inspection.choosing import evenly
from cnnatomy.inspection.predicting import batches, logits
from cnnatomy.models.snapshots import Snapshot
from cnnatomy.statistics.numbers import Numbers

MEGABYTE = 1e6


@dataclass(frozen=True)
class Rounding:
    """What weights of `kind` change.

    same: how many of `n` samples get the same class. off: the largest difference of a logit, as a share of their range.
    """

    kind: Kind
    same: int
    n: int
    off: float


@dataclass(frozen=True)
class Portable:
    """A network for the page.

    tried: roundings, smallest first, the last of which was taken. inputs: (n, *shape) as the data are stored, of the
    samples at `places`. logits: (n, classes) of the rounded network. weights: how many there are. activation: the
    steps of which class activation maps are made, none where no convolution has places. learned: how it was while it
    learned; None where no weights were kept on the way.
    """

    program: Program
    packed: Packed
    tried: list[Rounding]
    places: np.ndarray
    inputs: np.ndarray
    logits: np.ndarray
    weights: int
    activation: list[str]
    learned: Looks | None


def measure(
    network: nn.Module,
    samples: Samples,
    settings: Settings,
    run: str = "mine",
    snapshots: Sequence[Sequence[Snapshot]] = (),
) -> Portable:
    """The program, the weights, and samples with what torch answers to them with the same weights.

    run: its name, for the command that has it all the same. snapshots: of it, how it came to what it is. Raises
    DoesNotApply where an operation of the network is none of the page's, or its weights take too much room.
    """
    facts = samples.facts
    least = sum(weight.numel() for weight in network.parameters()) / MEGABYTE  # at eight bits each
    if least > settings.most_megabytes:  # before it is traced, which takes its time
        raise _too_large(least, settings, run)
    pair = next(batches(facts, samples.inputs[np.arange(2) % len(samples)]))
    graph, _ = _program(network, pair)  # before any long work
    compared = evenly(len(samples), settings.compared)
    tried, chosen = _rounded(network, samples, compared, settings)
    program = program_of(again(graph, chosen))
    stored = packed(program.weights, tried[-1].kind)
    if len(stored.content) > settings.most_megabytes * MEGABYTE:
        raise _too_large(len(stored.content) / MEGABYTE, settings, run)
    places = first_of_classes(samples.labels, settings.samples)
    inputs = np.array(samples.inputs[places])
    given = logits(chosen, facts, inputs).numpy()
    weights = sum(weight.numel() for weight in program.weights.values())
    activation = _activation(chosen, to_tensor(facts, inputs[:1]), program)
    way = snapshots[0] if snapshots else ()
    looked = bool(way and settings.looks_kilobytes and (samples.labels[compared] >= 0).any())
    learned = looks_of(graph, program, way, samples, compared, settings) if looked else None
    return Portable(program, stored, tried, places, inputs, given, weights, activation, learned)


def _activation(network: nn.Module, x: Tensor, program: Program) -> list[str]:
    """The layers of class activation maps, as `class_activation` takes them, where the page has them all."""
    try:
        names = [layer.name for layer in cam_layers(network, x, None)]
    except DoesNotApply:
        return []
    return names if {step.name for step in program.steps}.issuperset(names) else []


def _too_large(size: float, settings: Settings, run: str) -> DoesNotApply:
    most, enough = float(settings.most_megabytes), math.ceil(2 * size)  # more bits than eight may be wanted
    return DoesNotApply(say("live.too_large", size=size, most=most, enough=enough, run=run))


def _program(network: nn.Module, pair: Tensor) -> tuple[Graph, Program]:
    try:
        graph = traced(network, pair)
        return graph, program_of(graph)
    except InTheWay as operation:
        raise DoesNotApply(say("live.in_the_way", operation=str(operation))) from operation
    except NotTraced as error:
        if "data-dependent" in str(error):
            raise DoesNotApply(say("live.not_traced.depends")) from error
        raise DoesNotApply(say("live.not_traced.other", error=str(error)[:200])) from error


def _rounded(
    network: nn.Module, samples: Samples, places: np.ndarray, settings: Settings
) -> tuple[list[Rounding], nn.Module]:
    """What was tried, up to the smallest kind of weights that keeps class and logits, and the network so rounded."""
    inputs = samples.inputs[places]
    true = logits(network, samples.facts, inputs)
    tried = []
    for kind in KINDS:
        other = rounded(network, kind)
        found = logits(other, samples.facts, inputs)
        same, off = int((found.argmax(1) == true.argmax(1)).sum()), apart(true, found)
        tried.append(Rounding(kind, same, len(places), off))
        if len(places) - same <= settings.differ * len(places) and off <= settings.apart:
            break
    return tried, other


def apart(true: Tensor, found: Tensor) -> float:
    """The largest difference between logits, as a share of the range of the true ones."""
    return float((found - true).abs().max() / (true.max() - true.min()).clamp_min(torch.finfo(true.dtype).tiny))


def first_of_classes(labels: np.ndarray, most: int) -> np.ndarray:
    """Places of the first samples of each class, as many of each, class by class."""
    known = np.unique(labels)
    each = max(1, most // len(known))
    return np.concatenate([np.flatnonzero(labels == one)[:each] for one in known])[:most]


def numbers(found: Portable) -> Numbers:
    """How alike the page's network is to torch's, and what it takes."""
    rows, taken = Numbers(), found.tried[-1]
    rows.share("same_class", taken.same, taken.n)
    rows.add("largest_logit_difference", taken.off, n=taken.n, unit="fraction")
    rows.add("kilobytes", len(found.packed.content) / 1e3)
    rows.add("bits", KINDS[taken.kind])
    for one in found.tried[:-1]:
        with rows.about(f"weights={one.kind}"):
            rows.add("same_class", one.same / one.n, n=one.n, unit="fraction")
            rows.add("largest_logit_difference", one.off, n=one.n, unit="fraction")
    if found.learned and found.learned.looks:
        rows.add("kilobytes_of_looks", found.learned.kilobytes)
        for look in found.learned.looks[:-1]:
            with rows.about(f"step={look.step}"):
                rows.share("same_class", look.same, look.n)
    return rows
