"""Training a run's network, from the start or from where it was interrupted."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from cnnatomy import models
from cnnatomy.data.archive import Raw
from cnnatomy.data.batches import Batches
from cnnatomy.data.prepared import Dataset
from cnnatomy.models import weights
from cnnatomy.models.published import check_copy, look_for
from cnnatomy.models.snapshots import Snapshots
from cnnatomy.training.checks import (
    check_labels,
    check_last_batch,
    check_outputs,
    check_tokens,
    check_training,
    say_of_answers,
    say_of_few,
)
from cnnatomy.training.errors import Stopped, TrainingError
from cnnatomy.training.memory import keep_freed_memory
from cnnatomy.training.stopping import AUTO, Pace, Rounds, batch_size

if TYPE_CHECKING:
    import pandas as pd
    import pytorch_lightning as pl

    from cnnatomy.training.classifier import Classifier

COLUMNS = ("epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "learning_rate")


def train_network(
    config: Mapping[str, Any], dataset: Dataset, *, seed: int, state: Path, snapshots: Snapshots | None = None
) -> tuple[nn.Module, pd.DataFrame]:
    """A run's trained network, in evaluation mode, and its history.

    config: of the run, with the groups `model` and `training`. The start weights depend on the seed; where
    `training.weights` names a file, or a member of a raw zip (`resources/x/x.zip/y.pth`), they are those. With
    `max_epochs: 0` they stay as they are. snapshots: is given what the weights were on the way. Raises WeightsNotThere,
    before all else, where there is no such file.
    """
    from hydra.utils import instantiate

    training = config["training"]
    look_for(training["weights"])
    network = models.build(config["model"], dataset.facts, seed, training.get("output"))
    if training["weights"]:
        _start_from(network, training["weights"], new_head=training.get("weights_head") == "new")
    weights.refuse_unsaved(network)
    first = dataset.split(next(iter(dataset.facts.splits)))
    check_outputs(network, Batches(first, batch_size=2, seed=seed, shuffle=False), seed)
    check_tokens(network, dataset.facts, seed)
    if not training["weights"] and callable(prime := getattr(network, "prime", None)):
        # A network may look at the training inputs, not at their labels, before its first step.
        prime(dataset.split("train").inputs, seed)
    if training["max_epochs"] == 0:
        return network.eval(), _table([])
    samples, size = dataset.split("train"), training["batch_size"]
    if training["max_epochs"] == AUTO:
        size = batch_size(size, len(samples))
    layout = {"batch_size": size, "channels_last": training["channels_last"]}
    augment = instantiate(dict(training["augment"]), _convert_="all") if training["augment"] else None
    train = Batches(samples, seed=seed, shuffle=True, augment=augment, **layout)
    held_out = "validation" in dataset.facts.splits
    validation = Batches(dataset.split("validation"), seed=seed, shuffle=False, **layout) if held_out else None
    return network, fit(network, Parts(train, validation), training, seed, state, snapshots)


class Parts(NamedTuple):
    """The samples to train on, and those that were kept apart to look at after each epoch, if any."""

    train: Batches
    validation: Batches | None


def fit(
    network: nn.Module,
    parts: Parts,
    config: Mapping[str, Any],
    seed: int,
    state: Path,
    snapshots: Snapshots | None = None,
) -> pd.DataFrame:
    """Train `network` in place; leave it in evaluation mode, with the weights of the best or of the last epoch.

    With `max_epochs: auto` the rounds of `stopping.Pace` take the place of epochs, and `epoch` is the passes over the
    training data so far, a fraction as a rule.

    Returns one row an epoch: epoch (from 1), train_loss, train_accuracy, validation_loss, validation_accuracy
    (undefined without a validation split) and the learning rate at its end. Training values are means over the
    epoch, of augmented samples and with dropout.

    Killed at any moment and called again with the same arguments, it goes on from the last whole epoch in `state`
    and ends with the same weights, bit for bit, on the same machine with the same versions and number of threads.

    On a GPU the data lie there too, if they take no more than half of what is free.

    Raises TrainingError for data that don't fit the network and for a device that isn't there. Of its kinds: Stopped at
    the end of the epoch in which the process is asked to end (SIGTERM), Diverged where the loss is infinite or
    undefined.
    """
    from pytorch_lightning.utilities.exceptions import SIGTERMException

    from cnnatomy.training.classifier import Classifier
    from cnnatomy.training.state import newest

    train, validation = parts
    _set_up(network, config)
    _check(network, train, validation, config, seed)
    network.train()
    pace = Pace.of(config, train, validation) if config["max_epochs"] == AUTO else None
    module = Classifier(network, config, seed, Path(state), pace, snapshots)
    trainer = _trainer(config, config["max_epochs"] if pace is None else pace.longest)
    devices = config["devices"]
    if trainer.world_size != devices:
        raise TrainingError(f"training.devices is {devices}, but Lightning would train on {trainer.world_size}")
    rounds = Rounds(train, pace.round_steps) if pace else None
    loaders = [_Epochs(train, module, rounds), _Epochs(validation, module) if validation else None]
    try:
        trainer.fit(module, loaders[0], loaders[1], ckpt_path=newest(Path(state)), weights_only=True)
    except SIGTERMException as signal:  # it would end the process as if all were well
        what = "epoch" if pace is None else "round"
        raise Stopped(f"asked to end after {what} {len(module.history)}; start again to go on") from signal
    if not trainer.is_global_zero:
        sys.exit()  # the processes of the other devices; what uses the weights is for the first
    steps = _left(network, module, trainer.global_step, best=config["keep"] == "best" and validation is not None)
    if snapshots is not None:
        snapshots.epoch = len(train)
        snapshots.end(steps)
    network.eval()
    return _table(module.history)


def _set_up(network: nn.Module, config: Mapping[str, Any]) -> None:
    """How the process computes, and how the network lies in memory."""
    keep_freed_memory()
    torch.set_num_threads(config["threads"])
    # Behind saturated sigmoids gradients fall below 1e-38, where a processor takes a hundred cycles a number: of the
    # article's network a step took 150 ms, and takes 47 since such numbers are taken for zero.
    torch.set_flush_denormal(True)
    if config["channels_last"] and all(parameter.dim() != 5 for parameter in network.parameters()):  # of volumes
        network.to(memory_format=torch.channels_last)


def _left(network: nn.Module, module: Classifier, steps: int, *, best: bool) -> int:
    """Give the network the weights that training leaves, of the last epoch or the `best`; how many steps led there."""
    if not best:
        return steps
    assert module.best is not None
    network.load_state_dict(module.best["weights"])
    return steps * int(module.best["epoch"]) // len(module.history)


def _check(
    network: nn.Module, train: Batches, validation: Batches | None, config: Mapping[str, Any], seed: int
) -> None:
    """Raise TrainingError for what can't be trained, or not so; warn of too few samples."""
    auto = config["max_epochs"] == AUTO
    looks_back = (config["keep"] == "best" and not auto) or config["early_stop"] is not None
    if validation is None and looks_back:
        raise TrainingError(
            "without a validation split no epoch is the best: set training.keep=last and training.early_stop=null, "
            "or keep some samples for validation"
        )
    check_outputs(network, train, seed)
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise TrainingError(
            f"the network {type(network).__name__} has no weights that could be trained: take it as it is with "
            "training.max_epochs=0, or let some of its parameters require gradients"
        )
    for batches in filter(None, (train, validation)):
        check_labels(batches.samples)
    check_last_batch(network, train, seed)
    check_training(network, train, seed)
    say_of_answers(network, train, seed)
    say_of_few(train.samples, validation.samples if validation and (auto or looks_back) else None)


class _Epochs:
    """The batches of the epoch that Lightning is in; with several devices, each one's share of every batch."""

    def __init__(self, batches: Batches, module: pl.LightningModule, rounds: Rounds | None = None) -> None:
        self.batches = batches
        self.parts = rounds or batches
        self.module = module

    def __len__(self) -> int:
        return len(self.parts)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        # Lightning asks for the iterator before it knows which epoch it resumes; a generator looks when the first
        # batch is taken.
        rank, devices = self.module.global_rank, self.module.trainer.world_size
        if self.module.device.type != "cpu":
            self.batches.keep_on(self.module.device)
        for x, y in self.parts.epoch(self.module.current_epoch):
            share = slice(rank % len(y), None, devices)  # never empty: of nothing there is no mean loss
            yield (x[share], y[share]) if devices > 1 else (x, y)


def _trainer(config: Mapping[str, Any], longest: int) -> pl.Trainer:
    import pytorch_lightning as pl
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment
    from lightning_fabric.utilities.exceptions import MisconfigurationException

    from cnnatomy.training.progress import Bar, Lines
    from cnnatomy.training.state import StateFile

    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)  # its tips and its list of devices
    warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)  # Lightning 2.6 with torch 2.15
    warnings.filterwarnings("ignore", message=".*no `val_dataloader`")  # all samples may be for training
    warnings.filterwarnings("ignore", message=".*`srun` command is available")  # ours is one job of one node
    terminal = sys.stdout.isatty()
    try:
        trainer = pl.Trainer(
            accelerator=config["accelerator"],
            devices=config["devices"],
            # Weights, gradients and their means stay float32 in both; so do losses.
            precision="bf16-mixed" if config["precision"] == "bf16" else "32-true",
            max_epochs=longest,
            gradient_clip_val=config["gradient_clip"],
            # Some GPU operations have no deterministic form; then Lightning warns.
            deterministic="warn",
            # The first, because Lightning takes any Slurm job for its own and trains on one device of several.
            plugins=[LightningEnvironment(), StateFile()],
            callbacks=[Bar() if terminal else Lines()],
            enable_progress_bar=terminal,
            logger=False,
            enable_checkpointing=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
    except MisconfigurationException as error:
        asked = f"training.accelerator={config['accelerator']}, training.devices={config['devices']}"
        raise TrainingError(f"can't train with {asked} here: {error}") from error
    if config["accelerator"] == "cpu":
        # Lightning has torch ask NVIDIA's library for GPUs, and Adam asks at each step: 0.2 ms of twenty.
        os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "0"
    # `deterministic` would also fill every new tensor with NaN.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    return trainer


def _start_from(network: nn.Module, path: str, *, new_head: bool) -> None:
    archive, inside, member = path.partition(".zip/")
    if inside:
        with Raw(Path(f"{archive}.zip").expanduser()) as raw:
            weights.load(network, raw.read(member), path, new_head=new_head)
    else:
        check_copy(path)
        weights.load(network, Path(path).expanduser(), new_head=new_head)


def _table(history: list[dict[str, float]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(history, columns=list(COLUMNS))
