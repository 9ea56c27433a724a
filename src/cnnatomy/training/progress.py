"""What one sees of a training: a bar on a terminal, one line an epoch in a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytorch_lightning.callbacks import Callback, TQDMProgressBar

if TYPE_CHECKING:
    import pytorch_lightning as pl

    from cnnatomy.training.classifier import Classifier

SHOWN = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")


class Bar(TQDMProgressBar):
    """Lightning's bar, with the numbers of the last epoch beside it."""

    def __init__(self) -> None:
        super().__init__(refresh_rate=10)

    def on_train_epoch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        super().on_train_epoch_start(trainer)
        self.train_progress_bar.set_description(f"epoch {trainer.current_epoch + 1} of {trainer.max_epochs}")

    def get_metrics(self, trainer: pl.Trainer, pl_module: Any) -> dict[str, int | str | float | dict[str, float]]:
        history = pl_module.history
        return {name: f"{history[-1][name]:.4f}" for name in SHOWN} if history else {}


class Lines(Callback):
    """`epoch 3 of 12: train loss 0.0512, train accuracy 0.9921, ...`"""

    def on_train_start(self, trainer: pl.Trainer, pl_module: Classifier) -> None:  # type: ignore[override]
        if trainer.is_global_zero and pl_module.history:
            print(f"going on after epoch {len(pl_module.history)} of {trainer.max_epochs}", flush=True)

    # The hook that comes when the epoch's row is written; on_train_epoch_end of a callback comes before.
    def on_save_checkpoint(self, trainer: pl.Trainer, pl_module: Classifier, checkpoint: dict[str, Any]) -> None:  # type: ignore[override]
        if trainer.is_global_zero:
            row = pl_module.history[-1]
            numbers = ", ".join(f"{name.replace('_', ' ')} {row[name]:.4f}" for name in SHOWN if row[name] == row[name])
            print(f"epoch {row['epoch']} of {trainer.max_epochs}: {numbers}", flush=True)
