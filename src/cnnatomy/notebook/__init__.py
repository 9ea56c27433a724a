"""The workflow's methods on a network and arrays that a notebook holds: `from cnnatomy import open_up`."""

from cnnatomy.notebook.opening import Opened, Shown, open_up

__all__ = ["Opened", "Shown", "open_up"]
