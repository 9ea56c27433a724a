"""The network as it was while it learned, for the page: its weights as differences, in steps as coarse as will do."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnatomy.data.prepared import Samples
from cnnatomy.dissect.live.program import Program, program_of
from cnnatomy.dissect.live.settings import Settings
from cnnatomy.dissect.live.tracing import Graph, again
from cnnatomy.inspection.predicting import logits
from cnnatomy.models.copying import copied
from cnnatomy.models.snapshots import Snapshot

#: What a step of whole numbers may stand for, as a share of the spread of a layer's weights, the coarsest first.
FINENESS = tuple(2 ** (-half / 2) for half in range(13))
FINER = 4  # … of layers but the largest, whose weights take most of the room
BACK = 2  # how many coarser ones are tried first than the look behind it needed
MOST = 2**15 - 1  # steps on either side of zero


@dataclass(frozen=True)
class Look:
    """The network after `step` steps.

    epochs: passes over the training samples. right: of `labelled` samples, how many it read right. same: of `n`, how
    many get the same class of the weights as they are kept. tensors: where in the bytes each weight's changes lie,
    {"type", "at", "by"}; of the last look, which is the network itself, there are none.
    """

    step: int
    epochs: float
    right: int
    labelled: int
    same: int
    n: int
    tensors: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Looks:
    """Looks in their order, the last at the end, and the bytes of all. kilobytes: what they take, gzipped.

    None of them where even the first look alone takes too much room; then kilobytes are those of that one.
    """

    looks: Sequence[Look]
    content: bytes
    kilobytes: float


@dataclass(frozen=True)
class Changes:
    """A look's changes in the making: its weights as they are kept, and the bytes that make them of those after it."""

    weights: dict[str, np.ndarray]
    parts: dict[str, tuple[np.ndarray, float | None]]


def looks_of(
    graph: Graph, program: Program, way: Sequence[Snapshot], samples: Samples, places: np.ndarray, settings: Settings
) -> Looks:
    """As many looks as there is room for: all, or every second one from the end, every fourth …, and the first.

    graph: of the network. program: what the page has of it, whose weights those of the look before come from.
    """
    kept = list(way[:-1])
    while True:
        found = _told(graph, program, [*kept, way[-1]], samples, places, settings)
        if found.kilobytes <= settings.looks_kilobytes:
            return found
        if len(kept) == 1:
            return replace(found, looks=[], content=b"")
        kept = kept[:1] + (kept[:0:-1][::2][::-1] if len(kept) > 2 else [])


def _told(
    graph: Graph, program: Program, way: Sequence[Snapshot], samples: Samples, places: np.ndarray, settings: Settings
) -> Looks:
    """These looks; where they take too much room, only as many from the end as show it."""
    inputs, labels, n = samples.inputs[places], samples.labels[places], len(places)
    after = {name: weight.numpy() for name, weight in program.weights.items()}
    content, kilobytes, start, looks = bytearray(), 0.0, 0, list[Look]()
    for look in reversed(way):
        true = logits(look.network, samples.facts, inputs).argmax(1)
        right, labelled = int((true.numpy() == labels).sum()), int((labels >= 0).sum())
        same, tensors = n, dict[str, dict[str, Any]]()
        if look is not way[-1]:
            now = program_of(again(graph, look.network)).weights
            for place in range(start, len(FINENESS)):
                changes = changed(after, now, _matrices(look.network, now), FINENESS[place])
                found = logits(_with(look.network, changes.weights), samples.facts, inputs).argmax(1)
                same = int((found == true).sum())
                if same >= (1 - settings.looks_differ) * n:
                    break
            after, start = changes.weights, max(0, place - BACK)
            tensors = _put(content, changes)
        looks.append(Look(look.step, look.epoch, right, labelled, same, n, tensors))
        if (kilobytes := len(gzipped(content)) / 1e3) > settings.looks_kilobytes:
            break
    return Looks(looks[::-1], bytes(content), kilobytes)


def gzipped(content: bytes | bytearray) -> bytes:
    """Without references to what stood before, which cost more than whole numbers that come as chance has it."""
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS + 16, memLevel=6, strategy=zlib.Z_RLE)
    return packer.compress(content) + packer.flush()


def _matrices(network: nn.Module, weights: Mapping[str, Tensor]) -> set[str]:
    """The weights that the network has as they are, and that are more than a number an output."""
    own = dict(network.named_parameters(remove_duplicate=False))
    return {name for name, one in weights.items() if one.dim() > 1 and name in own and own[name].shape == one.shape}


def changed(after: Mapping[str, np.ndarray], now: Mapping[str, Tensor], matrices: set[str], share: float) -> Changes:
    """What makes the weights `now` of those `after`: of matrices whole numbers of steps, other weights by themselves.

    share: a step over the spread of a matrix. What was made of weights, and vectors, are kept in 16 bits.
    """
    weights, parts = dict[str, np.ndarray](), dict[str, tuple[np.ndarray, float | None]]()
    largest = max((now[name].numel() for name in matrices), default=0)
    for name, weight in now.items():
        true = weight.numpy().astype(np.float64)
        if name in matrices:
            by = share * float(true.std() or np.abs(true).max() or 1.0) / (1 if true.size == largest else FINER)
            steps = np.rint((true - after[name]) / by).clip(-MOST, MOST)
            steps = steps.astype(np.int8 if np.abs(steps).max() < 128 else np.int16)
            weights[name], parts[name] = (after[name] + by * steps).astype(np.float32), (steps, by)
        else:
            short = true.astype(np.float16 if np.abs(true).max(initial=0) < 6e4 else np.float32)
            weights[name], parts[name] = short.astype(np.float32), (short, None)
    return Changes(weights, parts)


def _with(network: nn.Module, weights: Mapping[str, np.ndarray]) -> nn.Module:
    """A copy of the network with those of these weights that are its own."""
    other = copied(network)
    with torch.no_grad():
        for name, parameter in other.named_parameters(remove_duplicate=False):
            if name in weights and parameter.shape == weights[name].shape:
                parameter.copy_(torch.from_numpy(weights[name]))
    return other


def _put(content: bytearray, changes: Changes) -> dict[str, dict[str, Any]]:
    """Write the changes behind what is there; where they lie."""
    tensors = {}
    for name, (values, by) in changes.parts.items():
        tensors[name] = {"type": str(values.dtype), "at": len(content)} | ({} if by is None else {"by": by})
        content += values.astype(values.dtype.newbyteorder("<")).tobytes()
    return tensors
