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
        number = trainer.current_epoch + 1
        of_all = "" if trainer.lightning_module.pace else f" of {trainer.max_epochs}"
        self.train_progress_bar.set_description(f"{'epoch' if of_all else 'round'} {number}{of_all}")

    def get_metrics(self, trainer: pl.Trainer, pl_module: Any) -> dict[str, int | str | float | dict[str, float]]:
        history = pl_module.history
        return {name: f"{history[-1][name]:.4f}" for name in SHOWN} if history else {}


class Lines(Callback):
    """`epoch 3 of 12: train loss 0.0512, ...`; in rounds `300 steps, 4.2 epochs: train loss 0.0512, ...`"""

    def on_train_start(self, trainer: pl.Trainer, pl_module: Classifier) -> None:  # type: ignore[override]
        if trainer.is_global_zero and pl_module.history:
            print(f"going on after {_done(trainer, pl_module)}", flush=True)

    # The hook that comes when the epoch's row is written; on_train_epoch_end of a callback comes before.
    def on_save_checkpoint(self, trainer: pl.Trainer, pl_module: Classifier, checkpoint: dict[str, Any]) -> None:  # type: ignore[override]
        if trainer.is_global_zero:
            row = pl_module.history[-1]
            numbers = ", ".join(f"{name.replace('_', ' ')} {row[name]:.4f}" for name in SHOWN if row[name] == row[name])
            print(f"{_done(trainer, pl_module)}: {numbers}", flush=True)


def _done(trainer: pl.Trainer, module: Classifier) -> str:
    rows = module.history
    if module.pace is None:
        return f"epoch {len(rows)} of {trainer.max_epochs}"
    return f"{len(rows) * module.pace.round_steps} steps, {rows[-1]['epoch']:.1f} epochs"
