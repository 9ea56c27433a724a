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


MOST_CHANNELS = 512


def check(prepare: Mapping[str, Any]) -> None:
    """Check the values of `data.prepare` of a user's own images. Raises DataError, which names the key."""
    shape(prepare["size"])
    channels = prepare["channels"]
    if channels is not None and (type(channels) is not int or not 1 <= channels <= MOST_CHANNELS):
        raise DataError(
            f"data.prepare.channels is {channels!r}; it is how many channels each image has, 1 to {MOST_CHANNELS}, or "
            "null for images in grey or in colour."
        )
    ends(prepare["range"], channels)
    check_names(prepare["channel_names"], channels)
    shown(prepare["shown"], channels)
    if prepare["fit"] not in FITS:
        raise DataError(f"data.prepare.fit is {prepare['fit']!r}; it is one of {', '.join(FITS)}.")
    if type(prepare["colour"]) is not bool:
        raise DataError(f"data.prepare.colour is {prepare['colour']!r}; it is true or false.")
    if channels is not None and not prepare["colour"]:
        raise DataError(
            f"data.prepare.colour is false and data.prepare.channels is {channels}: with channels, images are taken as "
            "they are. Take one of both away."
        )
    if isinstance(prepare["normalise"], Mapping):
        check_normalise(prepare["normalise"], channels or (3 if prepare["colour"] else 1))
        return
    normalise, three = prepare["normalise"], prepare["colour"] and channels in (None, 3)
    if normalise not in ("data", "imagenet") or (normalise == "imagenet" and not three):
        raise DataError(
            f"data.prepare.normalise is {normalise!r}; it is data, or with data.prepare.colour: true imagenet, which "
            "has a mean of red, green and blue, and of no other channels: data.prepare.channels must be null or 3. Or "
            "as a network's own training had it, where white is 1: {mean: [0.5], std: [0.5]}."
        )


def check_normalise(said: Mapping[str, Any], count: int) -> None:
    """Check a mean and a standard deviation of each channel. Raises DataError."""
    lists = [said.get(key) for key in ("mean", "std")]
    fine = set(said) == {"mean", "std"} and all(
        isinstance(one, Sequence) and len(one) == count and all(type(value) in (int, float) for value in one)
        for one in lists
    )
    if not fine or not all(0 < value <= 1 for value in lists[1] or ()) or any(abs(one) > 1 for one in lists[0] or ()):
        raise DataError(
            f"data.prepare.normalise is {dict(said)}: it wants a mean and a std of each channel, of which there "
            f"{'is one' if count == 1 else f'are {count}'}, where black is 0 and white is 1, such as "
            f"{{mean: {[0.5] * count}, std: {[0.25] * count}}}."
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


def ends(given: Sequence[Any] | None, channels: int | None) -> list[tuple[float, float]] | None:
    """The values that are black and white of a `range`, in all channels or in each; None where images are to say."""
    if given is None:
        return None
    several = channels is not None and isinstance(given, Sequence) and any(isinstance(one, Sequence) for one in given)
    pairs = [list(pair) if isinstance(pair, Sequence) else [] for pair in (given if several else [given])]
    if (several and len(pairs) != channels) or not all(
        len(pair) == 2 and all(type(one) in (int, float) for one in pair) and pair[0] < pair[1] for pair in pairs
    ):
        raise DataError(
            f"data.prepare.range is {given!r}; it is the values that are black and white, such as [0, 4095], or with "
            "data.prepare.channels such a pair for each channel."
        )
    return [(float(low), float(high)) for low, high in pairs]


def check_names(given: Sequence[str] | None, channels: int | None) -> None:
    """Refuse names of channels that are not as many as channels, or not all different."""
    if given is None:
        return
    names = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else []
    named = all(type(name) is str and name.strip() for name in names) and len(set(names)) == len(names)
    if channels is None or len(names) != channels or not named:
        raise DataError(
            f"data.prepare.channel_names is {given!r}; it is a list of different names, one for each of "
            "data.prepare.channels, such as [red, near infrared]."
        )


def shown(given: Sequence[int] | None, channels: int | None) -> list[int] | None:
    """The channels to draw of a `shown`, counted from 0: one in grey, or those drawn as red, green and blue."""
    if given is None:
        return None
    numbers = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else []
    if (
        channels is None
        or len(numbers) not in (1, 3)
        or not all(type(one) is int and 1 <= one <= channels for one in numbers)
    ):
        raise DataError(
            f"data.prepare.shown is {given!r}; it is the number of the channel to show in grey, such as [2], or of "
            "those to show as red, green and blue, such as [3, 2, 1], and wants data.prepare.channels."
        )
    return [one - 1 for one in numbers]
