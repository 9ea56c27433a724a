"""When a descent has arrived."""

from __future__ import annotations

import numpy as np


def arrived(errors: np.ndarray, limit: float) -> int | None:
    """The first step from which on the error, (steps + 1,), stays below a limit; None if it doesn't end below it.

    A path that passes below the limit on its way to somewhere else has not arrived.
    """
    above = np.flatnonzero(~(errors < limit))  # an error that is no number is not below
    first = int(above[-1]) + 1 if len(above) else 0
    return first if first < len(errors) else None
