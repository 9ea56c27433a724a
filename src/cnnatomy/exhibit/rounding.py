"""Numbers to as many digits as a reader needs."""

from __future__ import annotations

import math


def significant(value: float, digits: int = 4) -> float:
    """A number to so many significant digits, so that it reads well and takes little room."""
    return 0.0 if value == 0 else round(value, digits - 1 - math.floor(math.log10(abs(value))))
