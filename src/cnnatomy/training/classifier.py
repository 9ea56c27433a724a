"""What Lightning trains: a plain network with its loss and its optimiser, and the record of its epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from cnnatomy.models.answering import AUXILIARY, heads
from cnnatomy.models.errors import told
from cnnatomy.models.snapshots import Snapshots
from cnnatomy.training.errors import Diverged, TrainingError
from cnnatomy.training.state import LAST
from cnnatomy.training.stopping import Pace

Batch = tuple[Tensor, Tensor]


class Classifier(pl.LightningModule):
    """Trains `network` as `config` says, and writes its state into a folder after each epoch.

    pace: where training is asked for in steps; its rounds take the place of epochs in all that follows.
    snapshots: what is kept of the weights on the way; None to keep nothing.
    history: one row an epoch. best: epoch, accuracy, loss and weights of the epoch that does best on the validation
    split; ties go to the lower loss, then to the earlier epoch. All three are part of the state.

    What an epoch draws at random depends on (seed, epoch) only, so that no generator's state need be kept.
    Raises Diverged as soon as the loss or a weight is infinite or undefined.
    """

    def __init__(
        self,
        network: nn.Module,
        config: Mapping[str, Any],
        seed: int,
        state: Path,
        pace: Pace | None = None,
        snapshots: Snapshots | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.pace = pace
        self.config = config
        self.seed = seed
        self.state = state
        self.snapshots = snapshots
        self.history: list[dict[str, float]] = []
        self.best: dict[str, Any] | None = None
        self.loss = _loss(config)
        self.training_tally, self.validation_tally = Tally(), Tally()

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        x, y = batch
        logits, auxiliary = heads(self.network, self._trained(x))
        loss = self.loss(logits, y)
        for further in auxiliary:
            loss = loss + AUXILIARY * self.loss(further, y)
        # On a CPU this look costs nothing. A GPU would wait for it at each step, and several devices must stop
        # together: for them the end of the epoch is soon enough.
        if loss.device.type == "cpu" and self.trainer.world_size == 1 and not math.isfinite(loss.item()):
            raise self._diverged(f"the loss is {loss.item()} in", batch_idx)
        self.training_tally.add(loss, logits, y)
        return loss

    def _trained(self, x: Tensor) -> Any:
        """What the network gives in training. Raises TrainingError where its own code stops."""
        try:
            return self.network(x)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # of any kind
            raise TrainingError(
                f"the network {type(self.network).__name__} stops in training with {told(error)}, though it takes "
                f"such samples (here {tuple(x.shape)}) outside of it: perhaps a head that is for training only "
                "(model.aux_logits=false in torchvision's), or a size of batch"
            ) from error

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        x, y = batch
        logits = self.network(x)
        self.validation_tally.add(self.loss(logits, y), logits, y)

    def configure_optimizers(self) -> Any:
        optimiser = _optimiser(self.network, self.config)
        if self.config["schedule"] == "constant" or self.pace is not None:
            return optimiser
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            self.config["learning_rate"],
            total_steps=steps,
            cycle_momentum=self.config["optimiser"] != "rmsprop",  # it has none
        )
        return [optimiser], [{"scheduler": schedule, "interval": "step"}]

    def on_train_start(self) -> None:
        if self.snapshots is not None:
            self.snapshots.look(self.network, self.global_step)

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        if self.snapshots is not None:
            self.snapshots.look(self.network, self.global_step)

    def on_train_epoch_start(self) -> None:
        entropy = np.random.SeedSequence((self.seed, self.current_epoch, self.global_rank))
        torch.manual_seed(int(entropy.generate_state(1)[0]))
        self.training_tally, self.validation_tally = Tally(), Tally()

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        if self.pace is not None:
            rate = self.config["learning_rate"] * self.pace.rate(self.global_step, self.history)
            for group in self.trainer.optimizers[0].param_groups:
                group["lr"] = rate

    def on_train_epoch_end(self) -> None:
        self._refuse_undefined()
        train, validation = (self._means(tally) for tally in (self.training_tally, self.validation_tally))
        self.history.append(
            {
                "epoch": self._passes(),
                "train_loss": train[0],
                "train_accuracy": train[1],
                "validation_loss": validation[0],
                "validation_accuracy": validation[1],
                "learning_rate": float(self.trainer.optimizers[0].param_groups[0]["lr"]),
            }
        )
        if self.validation_tally.losses:
            self._compare(*validation)
        self.trainer.should_stop = self._has_stopped()
        self.trainer.save_checkpoint(self.state / LAST)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["record"] = {"history": self.history, "best": self.best}
        if self.snapshots is not None:
            checkpoint["record"]["snapshots"] = self.snapshots.states

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.history, self.best = checkpoint["record"]["history"], checkpoint["record"]["best"]
        if self.snapshots is not None:
            self.snapshots.states = checkpoint["record"]["snapshots"]
        self.trainer.should_stop = self._has_stopped()

    def _compare(self, loss: float, accuracy: float) -> None:
        if self.best is None or (accuracy, -loss) > (self.best["accuracy"], -self.best["loss"]):
            weights = {name: tensor.detach().cpu().clone() for name, tensor in self.network.state_dict().items()}
            self.best = {"epoch": self.current_epoch + 1, "accuracy": accuracy, "loss": loss, "weights": weights}

    def _passes(self) -> float:
        """Passes over the training data so far: a whole number of epochs, or what so many rounds make of one."""
        whole = self.current_epoch + 1
        return whole if self.pace is None else whole * self.pace.round_steps / self.pace.epoch_steps

    def _has_stopped(self) -> bool:
        if self.pace is not None:
            return self.pace.ended(self.history)
        patience = self.config["early_stop"]
        return patience is not None and self.best is not None and len(self.history) - self.best["epoch"] >= patience

    def _means(self, tally: Tally) -> tuple[float, float]:
        """Loss and accuracy over all devices; undefined without samples."""
        sums = tally.sums()
        if self.trainer.world_size > 1:
            sums = self.trainer.strategy.reduce(sums.to(self.device), reduce_op="sum")
        loss, correct, samples = sums.tolist()
        return (loss / samples, correct / samples) if samples else (math.nan, math.nan)

    def _refuse_undefined(self) -> None:
        batch = self.training_tally.first_undefined()
        if batch is not None:
            raise self._diverged("the loss is infinite or undefined in", batch)
        if self.validation_tally.first_undefined() is not None:
            raise self._diverged("the loss on the validation split is infinite or undefined after")
        for name, parameter in self.network.named_parameters():
            if not torch.isfinite(parameter).all():
                raise self._diverged(f"a weight of {name!r} is infinite or undefined after")

    def _diverged(self, what: str, batch: int | None = None) -> Diverged:
        epoch, name = self.current_epoch + 1, "epoch" if self.pace is None else "round"
        where = "" if batch is None else f", batch {batch + 1} of {self.trainer.num_training_batches}"
        kept = f"The state after {name} {epoch - 1} is kept in {self.state}. " if epoch > 1 else ""
        remedy = "A lower training.learning_rate or training.gradient_clip=1 often helps."
        return Diverged(f"{what} {name} {epoch}{where}. {kept}{remedy}")


class Tally:
    """Loss, right answers and samples of each batch, on the device where they were computed, so that no step waits."""

    def __init__(self) -> None:
        self.losses: list[Tensor] = []
        self.correct: list[Tensor] = []
        self.samples: list[int] = []

    def add(self, loss: Tensor, logits: Tensor, y: Tensor) -> None:
        self.losses.append(loss.detach())
        self.correct.append((logits.detach().argmax(1) == y).sum())
        self.samples.append(len(y))

    def sums(self) -> Tensor:
        """Loss times samples, right answers, samples; float64 (3,) on the CPU (not every GPU has float64)."""
        if not self.samples:
            return torch.zeros(3, dtype=torch.float64)
        samples = torch.tensor(self.samples, dtype=torch.float64)
        loss = torch.stack(self.losses).cpu().double() @ samples
        return torch.stack([loss, torch.stack(self.correct).cpu().double().sum(), samples.sum()])

    def first_undefined(self) -> int | None:
        """The first batch whose loss is infinite or undefined."""
        if not self.losses:
            return None
        wrong = (~torch.isfinite(torch.stack(self.losses))).nonzero()
        return int(wrong[0]) if len(wrong) else None


class SquaredError(nn.Module):
    """Mean, over outputs and samples, of (sigmoid of the logit − 1 for the right class, 0 for others)²: Keras' `mse`.

    The sigmoid of the network's last layer is here, so that what a network gives is logits, whatever its loss.
    """

    def forward(self, logits: Tensor, y: Tensor) -> Tensor:
        logits = logits.float()  # in bf16 the sigmoid would be 1, and its gradient 0, from a logit of 6 on
        wanted = nn.functional.one_hot(y, logits.shape[1]).to(logits.dtype)
        return nn.functional.mse_loss(logits.sigmoid(), wanted)


def _loss(config: Mapping[str, Any]) -> nn.Module:
    if config["loss"] == "mse":
        return SquaredError()
    return nn.CrossEntropyLoss(label_smoothing=config["label_smoothing"])


def _optimiser(network: nn.Module, config: Mapping[str, Any]) -> torch.optim.Optimizer:
    """Weights decay; biases, and the scales and shifts of norms, don't."""
    weights = [parameter for parameter in network.parameters() if parameter.dim() > 1]
    others = [parameter for parameter in network.parameters() if parameter.dim() <= 1]
    groups = [{"params": weights, "weight_decay": config["weight_decay"]}, {"params": others, "weight_decay": 0.0}]
    rate = config["learning_rate"]
    # Fused: one pass over memory instead of ten.
    match config["optimiser"]:
        case "adam":
            return torch.optim.Adam(groups, rate, fused=True)
        case "adamw":
            return torch.optim.AdamW(groups, rate, fused=True)
        case "rmsprop":
            return _rmsprop(groups, rate)
        case _:
            return torch.optim.SGD(groups, rate, momentum=0.9, nesterov=True, fused=True)


def _rmsprop(groups: list[dict[str, Any]], rate: float) -> torch.optim.Optimizer:
    """RMSprop with Keras' settings: a step is rate × gradient / (√ of the mean square + 1e-7), which forgets a tenth.

    Torch has no fused RMSprop, but Adam without momentum is one, once the mean square, which starts at 0, is corrected
    no more, as it is after a thousand steps: 10 ms a step of the article's seven million weights instead of 22.
    """
    optimiser = torch.optim.Adam(groups, rate, betas=(0.0, 0.9), eps=1e-7, fused=True)
    for parameter in (parameter for group in groups for parameter in group["params"]):
        optimiser.state[parameter] = {
            "step": torch.tensor(1000.0, device=parameter.device),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }
    return optimiser
