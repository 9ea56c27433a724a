"""Watching the operators that torch runs."""

from __future__ import annotations

from torch.utils._python_dispatch import TorchDispatchMode


class Watching(TorchDispatchMode):
    """A TorchDispatchMode that torch.compile need not know of.

    Torch hides other modes from its compiler, and imports the compiler to do so: 1.4 s, more than most methods take.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False
