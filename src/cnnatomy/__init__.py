"""cnnatomy: train small CNNs, open each one up, and report what they learned with numbers."""

from __future__ import annotations

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    """`open_up`, for notebooks, when it is asked for: it imports torch.

    By name and not by an import: every digest of code has what this module imports, and would have all that there is.
    """
    if name == "open_up":
        return importlib.import_module("cnnatomy.notebook").open_up
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
