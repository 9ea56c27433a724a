"""Batches gathered from memory-mapped arrays as whole tensors: no Python a sample, no worker processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from cnnatomy.data.prepared import Facts, Samples


def to_tensor(facts: Facts, inputs: np.ndarray) -> Tensor:
    """Samples as a network sees them: float32 (n, *shape), normalised; for texts int64 tokens (n, length)."""
    batch = torch.from_numpy(np.array(inputs))  # a copy, for torch warns of read-only memory
    return network_ready(facts, _in_units(facts, batch))


def network_ready(facts: Facts, batch: Tensor) -> Tensor:
    """Normalise a batch in the units of its kind: images uint8 or 0 to 1, sounds in dB, signals in their channels' own.

    Tokens stay as they are.
    """
    if facts.kind == "texts":
        return batch.long()
    batch = batch.float().div_(255) if batch.dtype == torch.uint8 else batch.float()
    if facts.normalise is None:
        return batch
    channels = (-1,) + (1,) * (batch.dim() - 2)
    mean = torch.as_tensor(facts.normalise.mean, dtype=torch.float32, device=batch.device).reshape(channels)
    std = torch.as_tensor(facts.normalise.std, dtype=torch.float32, device=batch.device).reshape(channels)
    return (batch - mean).div_(std)


class Batches:
    """The batches (x, y) of a split: x network-ready, y int64 (n,).

    samples: the split; what isn't in memory stays memory-mapped until its batch is gathered.
    augment: a callable on a whole batch in its own units, before normalising: images uint8 (n, channels, height,
        width), sounds float32 in dB (n, 1, bands, frames), texts int64 tokens (n, length), signals float32 in their
        channels' units (n, channels, steps). It may draw from torch's global generators.
    channels_last: lay images out with channels last, which convolutions on a CPU prefer.

    The order and the randomness of epoch k, and of each batch in it, depend on (seed, k) only: whoever resumes needs
    no state.

        for epoch in range(3):
            for x, y in batches.epoch(epoch): ...
    """

    def __init__(
        self,
        samples: Samples,
        batch_size: int,
        seed: int,
        shuffle: bool,
        augment: Callable[[Tensor], Tensor] | None = None,
        channels_last: bool = False,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        self.samples = samples
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.augment = augment
        self.channels_last = channels_last
        self._kept: tuple[Tensor, Tensor] | None = None

    def __len__(self) -> int:
        """Batches an epoch; the last one may be smaller."""
        return -(-len(self.samples) // self.batch_size)

    def keep_on(self, device: torch.device) -> None:
        """Copy the split to a GPU, once, and make the batches there: no step waits for the host.

        Where it would take more than half of the GPU's free memory it stays where it is; batches go over one by one.
        """
        if self._kept is not None:
            return
        inputs, labels = self.samples.inputs, self.samples.labels
        if device.type == "cuda" and inputs.nbytes > torch.cuda.mem_get_info(device)[0] / 2:
            return
        self._kept = torch.from_numpy(inputs).to(device), torch.from_numpy(labels).to(device)

    def epoch(self, k: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """All samples once, in the order of epoch k, but for those of the batches before `start`."""
        n = len(self.samples)
        order = np.random.default_rng((self.seed, k)).permutation(n) if self.shuffle else np.arange(n)
        for batch in range(start, len(self)):
            chosen = order[batch * self.batch_size : (batch + 1) * self.batch_size]
            yield self._batch(chosen, k, batch)

    def _batch(self, chosen: np.ndarray, k: int, batch: int) -> tuple[Tensor, Tensor]:
        facts = self.samples.facts
        x, y = self._gathered(chosen)
        x = _in_units(facts, x)
        if self.augment is not None:
            seed = int(np.random.SeedSequence((self.seed, k, batch + 1)).generate_state(1, np.uint64)[0] >> 1)
            with torch.random.fork_rng(devices=[x.device] if x.is_cuda else []):
                torch.default_generator.manual_seed(seed)  # torch.manual_seed would set those of all GPUs
                if x.is_cuda:
                    torch.cuda.manual_seed(seed)
                x = self.augment(x)
        x = network_ready(facts, x)
        if self.channels_last and x.dim() == 4:
            x = x.contiguous(memory_format=torch.channels_last)
        return x, y

    def _gathered(self, chosen: np.ndarray) -> tuple[Tensor, Tensor]:
        """The chosen inputs and labels, on the device that keeps the split."""
        if self._kept is None:
            return torch.from_numpy(self.samples.inputs[chosen]), torch.from_numpy(self.samples.labels[chosen])
        inputs, labels = self._kept
        at = torch.from_numpy(chosen).to(labels.device)
        return inputs[at], labels[at]


def _in_units(facts: Facts, batch: Tensor) -> Tensor:
    """Inputs in the units and type that augmentation works on."""
    return batch.long() if facts.kind == "texts" else batch.float() if facts.kind == "sounds" else batch
