"""The errors that data can cause. Each message says what is wrong, where, and what to do."""

from __future__ import annotations


class DataError(Exception):
    """Something is wrong with a dataset or with the place where it should be written."""


class DamagedData(DataError):
    """A file is not what was written there: a hash, a name or a shape does not fit."""


class NoSource(DataError):
    """No source of a dataset could be used; the message lists each one and why it failed."""
