"""When a training that is asked for in steps ends: after so many at least, and when validation gains no more.

Epochs are no measure of how long to train: ten of a hundred thousand samples are many steps, ten of two hundred few.
With `max_epochs: auto` training is cut into rounds of equally many steps, which may be several passes over few data
or a part of one over many; after each, validation is asked and the state is kept, as otherwise after an epoch. The
learning rate rises, stays up while validation gains, and goes down to nothing, once (warm-up, stable, decay: Hu et al.
2024, MiniCPM, section 4). All of it follows from the history, so that who resumes needs no other state.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from cnnatomy.data.batches import Batches

AUTO = "auto"

WARM_UP = 0.1  # of the fewest steps, in which the rate rises
DOWN = 0.5  # steps on the way down, as a share of those before it: a third of all
CHECKS = 20  # times that validation is asked within the fewest steps
MOST = 10  # times the fewest steps, or passes over the data, whichever are more, after which the rate goes down anyhow

#: By how much validation loss must fall to be a gain: a share of itself, and at least so much. Of samples that are all
#: read right it falls on for ever, by ever less.
GAIN, LEAST_GAIN = 0.01, 0.001

_FEWEST = 4  # samples of a batch
_SHARE = 10  # a batch is at most so many times smaller than the training data

History = Sequence[Mapping[str, float]]


def batch_size(wanted: int, samples: int) -> int:
    """Samples of a batch: as wanted, but no more than a tenth of few data, and never a last batch of one sample."""
    size = min(wanted, max(_FEWEST, samples // _SHARE))
    while size > 1 and samples > size and samples % size == 1:
        size += 1  # of one sample a norm over the batch can't take a mean
    return size


@dataclass(frozen=True)
class Pace:
    """How long to train and at which rate.

    round_steps: optimiser steps between validations. steps: the fewest. patience: rounds without a gain after which the
    rate goes down; a gain is a validation accuracy above all before, or a validation loss below that of the last gain
    by a hundredth. epoch_steps: those of one pass over the data. cools: whether the rate goes down at all, or training
    ends where it would. scale: of the rate, the root of how much smaller batches are than wanted (Malladi et al. 2022,
    On the SDEs and scaling rules for adaptive gradient algorithms, NeurIPS).
    """

    round_steps: int
    steps: int
    patience: int
    epoch_steps: int
    cools: bool
    scale: float = 1.0

    @classmethod
    def of(cls, config: Mapping[str, Any], train: Batches, validation: Batches | None) -> Pace:
        """The pace of the settings `training` for these data; validation has no more samples than a round."""
        shortest = max(len(validation) if validation else 0, 1)
        round_steps = max(math.ceil(config["steps"] / CHECKS), shortest)
        return cls(
            round_steps,
            config["steps"],
            config["patience"],
            len(train),
            cools=config["schedule"] != "constant",
            scale=math.sqrt(train.batch_size / config["batch_size"]),
        )

    @property
    def longest(self) -> int:
        """Rounds, at most."""
        return self._down_from_at_most + self._rounds_down(self._down_from_at_most)

    def down_from(self, history: History) -> int | None:
        """The round after which the rate goes down, None while unknown; without validation as soon as it may."""
        least = max(1, math.ceil(self.steps / (1 + DOWN * self.cools) / self.round_steps))
        accuracy, loss, gained = -math.inf, math.inf, 0
        for number, row in enumerate(history, 1):
            if row["validation_accuracy"] > accuracy or row["validation_loss"] < _below(loss):
                gained = number
                loss = min(loss, row["validation_loss"])
            accuracy = max(accuracy, row["validation_accuracy"])
            waits = gained > 0 and number - gained < self.patience
            if number >= self._down_from_at_most or (number >= least and not waits):
                return number
        return None

    def ended(self, history: History) -> bool:
        """Whether training is over."""
        turn = self.down_from(history)
        return turn is not None and len(history) >= turn + self._rounds_down(turn)

    def rate(self, step: int, history: History) -> float:
        """The share of the learning rate at a step, counted from 0, after these rounds."""
        turn = self.down_from(history)
        if turn is not None and self.cools:
            down = self._rounds_down(turn) * self.round_steps
            return self.scale * max(0.0, 1 - (step - turn * self.round_steps) / down)
        return self.scale * (min(1.0, (step + 1) / max(1, WARM_UP * self.steps)) if self.cools else 1.0)

    @property
    def _down_from_at_most(self) -> int:
        return max(1, math.ceil(MOST * max(self.steps, self.epoch_steps) / self.round_steps))

    def _rounds_down(self, turn: int) -> int:
        return math.ceil(DOWN * turn) if self.cools else 0


def _below(loss: float) -> float:
    """The loss from which on downwards it has fallen."""
    return loss - max(GAIN * loss, LEAST_GAIN) if math.isfinite(loss) else loss


class Rounds:
    """The batches of pass after pass over a split, in rounds of equally many; round k depends on (seed, k) only."""

    def __init__(self, batches: Batches, length: int) -> None:
        self.batches = batches
        self.length = length

    def __len__(self) -> int:
        return self.length

    def epoch(self, k: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of round k."""
        done = k * self.length
        end = done + self.length
        while done < end:
            one_pass, start = divmod(done, len(self.batches))
            for batch in self.batches.epoch(one_pass, start):
                yield batch
                done += 1
                if done == end:
                    return
