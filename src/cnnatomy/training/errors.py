"""What can go wrong in training that a user can mend."""

from __future__ import annotations


class TrainingError(RuntimeError):
    """Training can't start or go on; the message says why and what to do."""


class DamagedState(TrainingError):
    """A file to resume from is not the one that was written."""


class Stopped(TrainingError):
    """The process was asked to end (SIGTERM) and has kept its last whole epoch."""


class Diverged(TrainingError):
    """The loss or a weight became infinite or undefined."""
