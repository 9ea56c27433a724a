"""The weights of a network as they were while it learned, in a file beside those that it ended with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors import torch as safetensors
from torch import Tensor, nn

OURS = "cnnatomy"
MOST = 16 * 2**20  # bytes of a network whose weights are kept on the way: of a larger one they would fill disks
FIRST, FACTOR = 4, 2  # a network changes fastest at first, so that the time between two looks grows


@dataclass
class Snapshots:
    """The state of a network before its first step and after 4, 8, 16 … of them.

    None of a network of more than 16 MB.

    states: by steps taken, the tensors of the network's state by their names. last: the steps behind the weights that
    training left, which stand in a file of their own. epoch: steps in one pass over the training samples.
    """

    states: dict[int, dict[str, Tensor]] = field(default_factory=dict)
    last: int = 0
    epoch: int = 1

    def look(self, network: nn.Module, step: int) -> None:
        """Keep a copy of the network's state if it is time to."""
        if step in self.states or not is_due(step):
            return
        state = network.state_dict()
        if sum(tensor.numel() * tensor.element_size() for tensor in state.values()) <= MOST:
            self.states[step] = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()}

    def end(self, step: int) -> None:
        """Training leaves the weights of this step; what came behind them leads elsewhere."""
        self.last = step
        self.states = {taken: state for taken, state in self.states.items() if taken < step}


@dataclass(frozen=True)
class Snapshot:
    """A network, in evaluation mode, as it was after so many steps; epoch: passes over the training samples."""

    step: int
    epoch: float
    network: nn.Module


def is_due(step: int) -> bool:
    """Whether the weights are kept after so many steps."""
    while step > FIRST and step % FACTOR == 0:
        step //= FACTOR
    return step in (0, FIRST)


def save(snapshots: Snapshots, path: Path, metadata: Mapping[str, str]) -> None:
    """Write them and what is to be known of them. Equal snapshots make equal bytes; of none it is a file of none."""
    tensors = {f"{step}/{name}": one for step, state in snapshots.states.items() for name, one in state.items()}
    known = {**metadata, "last": snapshots.last, "epoch": snapshots.epoch, "steps": sorted(snapshots.states)}
    # One entry: safetensors writes several in an order that changes from process to process.
    path.write_bytes(safetensors.save(tensors, {OURS: json.dumps(known, sort_keys=True)}))


def load(path: Path) -> tuple[Snapshots, str]:
    """The snapshots in a file, and the digest that it carries. Raises ValueError for a damaged file."""
    try:
        with safe_open(path, framework="pt") as file:
            known = json.loads((file.metadata() or {})[OURS])
            found = Snapshots({step: {} for step in known["steps"]}, known["last"], known["epoch"])
            for name in file.keys():  # noqa: SIM118, no mapping
                step, _, tensor = name.partition("/")
                found.states[int(step)][tensor] = file.get_tensor(name)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise ValueError(f"{path} can't be read as snapshots ({error}); delete it and train again") from error
    return found, known["digest"]
