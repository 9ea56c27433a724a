"""The settings of a spectrogram: what follows from the sample rate, and whether they fit together.

No numpy here: a configuration is checked before threads are set.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cnnatomy.data.errors import DataError

HZ_PER_MEL = 200 / 3
KNEE_HZ = 1000.0  # where the even part ends
KNEE = KNEE_HZ / HZ_PER_MEL
RATIO = math.log(6.4) / 27  # 27 steps from 1,000 to 6,400 Hz

WINDOW, STEP = 0.032, 0.016  # seconds, where samples are not given
RATES = (100, 1_000_000)  # Hz
KEY = "data.prepare.spectrogram"


def from_hz(hz: float) -> float:
    """A frequency in mel."""
    return hz / HZ_PER_MEL if hz < KNEE_HZ else KNEE + math.log(hz / KNEE_HZ) / RATIO


def settled(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with what is null taken from the sample rate: half of it, and 32 and 16 ms in samples.

    Raises DataError, which names the key, for what doesn't fit.
    """
    rate = _whole("sample_rate", settings["sample_rate"], *RATES)
    found = dict(settings)
    for key, value in {
        "highest_hz": rate / 2,
        "window": max(2, round(WINDOW * rate)),
        "step": max(1, round(STEP * rate)),
    }.items():
        if found[key] is None:
            found[key] = value
    _check(found, rate)
    return found


def _check(settings: Mapping[str, Any], rate: int) -> None:
    for key, least in (("bands", 1), ("frames", 1), ("window", 2), ("step", 1)):
        _whole(key, settings[key], least)
    lowest, highest = (_number(key, settings[key]) for key in ("lowest_hz", "highest_hz"))
    if _number("range_db", settings["range_db"]) <= 0:
        raise DataError(f"{KEY}.range_db is {settings['range_db']}; it must be above 0, such as 60.")
    if highest > rate / 2:
        raise DataError(
            f"{KEY}.highest_hz is {highest:g}, above half of the {rate} samples a second that "
            f"{KEY}.sample_rate asks for. Set it to {rate / 2:g} or less; null, as the template for own sounds has "
            "it, takes that."
        )
    if not 0 <= lowest < highest:
        raise DataError(f"{KEY}.lowest_hz is {lowest:g}; it must be 0 or more and below highest_hz, {highest:g}.")
    bands, window = settings["bands"], settings["window"]
    if not filled(rate, window, bands, lowest, highest):
        longer = next((size for size in range(window, 64 * window) if filled(rate, size, bands, lowest, highest)), None)
        fewer = next((n for n in range(bands, 0, -1) if filled(rate, window, n, lowest, highest)), None)
        ways = [f"{KEY}.bands={fewer} at most"] if fewer else []
        ways += [f"{KEY}.window={longer} at least"] if longer else []
        raise DataError(
            f"{KEY}: {bands} mel bands from {lowest:g} to {highest:g} Hz are too narrow for a window of {window} "
            f"samples at {rate} a second: some would always be empty. Set {' or '.join(ways) or f'fewer {KEY}.bands'}."
        )


def filled(rate: int, window: int, bands: int, lowest: float, highest: float) -> bool:
    """Whether a frame's spectrum has a line in each mel band: some frequency strictly between its two ends."""
    low, high = from_hz(lowest), from_hz(highest)
    edges = [to_hz(low + (high - low) * place / (bands + 1)) for place in range(bands + 2)]
    line = rate / window
    for start, end in zip(edges[:-2], edges[2:], strict=True):
        first = math.floor(start / line) + 1
        if first * line >= end or first > window // 2:
            return False
    return True


def to_hz(mel: float) -> float:
    """The frequency in Hz of a value on the mel scale of Slaney, the inverse of `from_hz`."""
    return mel * HZ_PER_MEL if mel < KNEE else KNEE_HZ * math.exp(RATIO * (mel - KNEE))


def _whole(key: str, value: Any, least: int, most: int | None = None) -> int:
    if type(value) is not int or value < least or (most is not None and value > most):
        wanted = f"of {least} or more" if most is None else f"from {least} to {most:,}"
        raise DataError(f"{KEY}.{key} is {value!r}; it wants a whole number {wanted}.")
    return value


def _number(key: str, value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise DataError(f"{KEY}.{key} is {value!r}; it wants a number.")
    return float(value)
