"""The files that an interrupted training goes on from.

A folder holds the state after the last epoch and the one before it, so that there is always a whole one, whenever the
process is killed. A file is the SHA-256 of what follows, then a Lightning checkpoint as torch writes it.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from pytorch_lightning.plugins.io import CheckpointIO

from cnnatomy.data.files import sync_folder
from cnnatomy.training.errors import DamagedState, TrainingError

LAST, BEFORE = "last.ckpt", "before.ckpt"
SUFFIX = ".part"

log = logging.getLogger(__name__)


class StateFile(CheckpointIO):
    """Reads and writes a training state, in Lightning's place.

    Lightning's own files go through the system's temporary folder, are not synced, and are unpickled without limits.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write the state whole or not at all; what was in its place becomes the state before."""
        path = Path(path)
        content = io.BytesIO()
        torch.save(checkpoint, content)
        part = path.with_name(path.name + SUFFIX)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(hashlib.sha256(content.getbuffer()).digest())
                file.write(content.getbuffer())
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                path.replace(path.with_name(BEFORE))
            part.replace(path)
            sync_folder(path.parent)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise TrainingError(
                f"the state of the training can't be written to {path} ({os.strerror(error.errno or 0)}). "
                "Make room or allow writing there, and start again: it goes on from the state before."
            ) from error

    def load_checkpoint(self, path: Any, map_location: Any = "cpu", weights_only: bool | None = True) -> dict[str, Any]:
        """Read a state: tensors, numbers and texts, nothing else. Raises DamagedState."""
        try:
            with Path(path).open("rb") as file:
                digest, content = file.read(hashlib.sha256().digest_size), file.read()
            if hashlib.sha256(content).digest() != digest:
                raise DamagedState(f"{path} is not the state that was written there; delete it to begin again")
            return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        except (OSError, UnpicklingError, RuntimeError) as error:
            raise DamagedState(f"{path} can't be read: {error}") from error

    def remove_checkpoint(self, path: Any) -> None:
        Path(path).unlink(missing_ok=True)


def newest(folder: Path) -> Path | None:
    """The newest whole state in a folder; None to start anew. Says so in the log where one is damaged."""
    for part in folder.glob(f"*{SUFFIX}"):  # of a process that was killed while it wrote
        part.unlink(missing_ok=True)
    for path in (folder / LAST, folder / BEFORE):
        if path.exists():
            try:
                StateFile().load_checkpoint(path)
                return path
            except DamagedState as error:
                log.warning("%s; going back to the state before it, or to the start", error)
    return None
