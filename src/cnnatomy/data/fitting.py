"""The settings of a user's own images: what they may be, and what they mean.

No numpy here: a configuration is checked before threads are set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from cnnatomy.data.errors import DataError

Fit = Literal["crop", "letterbox", "squash"]
#: What becomes of images of another shape, in words.
FITS: dict[Fit, str] = {
    "crop": "the middle of each",
    "letterbox": "all of each, with black beside it",
    "squash": "all of each, squashed",
}


def check(prepare: Mapping[str, Any]) -> None:
    """Check the values of `data.prepare` of a user's own images. Raises DataError, which names the key."""
    shape(prepare["size"])
    ends(prepare["range"])
    if prepare["fit"] not in FITS:
        raise DataError(f"data.prepare.fit is {prepare['fit']!r}; it is one of {', '.join(FITS)}.")
    if type(prepare["colour"]) is not bool:
        raise DataError(f"data.prepare.colour is {prepare['colour']!r}; it is true or false.")
    normalise = prepare["normalise"]
    if normalise not in ("data", "imagenet") or (normalise == "imagenet" and not prepare["colour"]):
        raise DataError(
            f"data.prepare.normalise is {normalise!r}; it is data, or with data.prepare.colour: true imagenet, which "
            "has a mean of red, green and blue."
        )


def shape(size: int | Sequence[int]) -> tuple[int, int]:
    """Height and width in pixels of a `size`, which is one side or both."""
    sides = [size, size] if isinstance(size, int) else list(size) if isinstance(size, Sequence) else []
    if len(sides) != 2 or any(type(side) is not int or side < 1 for side in sides):
        raise DataError(
            f"data.prepare.size is {size!r}; it is the side of the images in pixels, such as 64, or height and width, "
            "such as [48, 64]."
        )
    return sides[0], sides[1]


def ends(given: Sequence[float] | None) -> tuple[float, float] | None:
    """The values that are black and white of a `range`, None where the images are to say."""
    if given is None:
        return None
    numbers = list(given) if isinstance(given, Sequence) else []
    if len(numbers) != 2 or any(type(one) not in (int, float) for one in numbers) or not numbers[0] < numbers[1]:
        raise DataError(
            f"data.prepare.range is {given!r}; it is the values that are black and white, such as [0, 4095]."
        )
    return float(numbers[0]), float(numbers[1])
