"""cnnatomy: train small CNNs, open each one up, and report what they learned with numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnatomy.notebook import open_up as open_up


def __getattr__(name: str) -> Any:
    """`open_up`, for notebooks; it is imported when it is asked for, for it imports torch."""
    if name == "open_up":
        from cnnatomy.notebook import open_up

        return open_up
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
