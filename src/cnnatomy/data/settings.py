"""What can be known to be wrong with the settings of a dataset before anything is fetched.

No numpy here, nor in what it imports: a configuration is checked before threads are set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnatomy.data import fitting, framing, own


def check(prepare: Mapping[str, Any]) -> None:
    """Check the values of `data.prepare`, where a function of the project reads them. Raises DataError."""
    if not str(prepare.get("_target_")).startswith("cnnatomy.data."):
        return
    if {"size", "fit", "range"} <= set(prepare):
        fitting.check(prepare)
    if str(prepare["_target_"]).startswith("cnnatomy.data.own_"):
        own.check_shares(prepare["validation"], prepare["test"])
    if "spectrogram" in prepare:
        framing.settled(prepare["spectrogram"])
