"""What can be known to be wrong with the settings of a dataset before anything is fetched.

No numpy here, nor in what it imports: a configuration is checked before threads are set.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Any

from cnnatomy.data import fitting, framing, own
from cnnatomy.data.errors import DataError
from cnnatomy.data.tokenising import WAYS


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
    if "tokens" in prepare and prepare["tokens"] not in WAYS:
        raise DataError(f"data.prepare.tokens is {prepare['tokens']!r}; it wants {', '.join(WAYS[:-1])} or {WAYS[-1]}.")
    if prepare.get("encoding") is not None:
        try:
            codecs.lookup(prepare["encoding"])
        except (LookupError, TypeError) as error:
            raise DataError(
                f"data.prepare.encoding is {prepare['encoding']!r}; it wants one that Python knows, such as gb18030, "
                "cp1252 or utf-16, or null, which finds out."
            ) from error
    _counts(prepare, {"length": 1, "at_least": 1} if "at_least" in prepare else {})
    if str(prepare["_target_"]).startswith("cnnatomy.data.own_signals"):
        _counts(prepare, {key: least for key, least in (("length", 2), ("step", 1)) if prepare[key] is not None})


def _counts(prepare: Mapping[str, Any], wanted: Mapping[str, int]) -> None:
    for key, least in wanted.items():
        if type(prepare[key]) is not int or prepare[key] < least:
            raise DataError(f"data.prepare.{key} is {prepare[key]!r}; it wants a whole number of {least} or more.")
