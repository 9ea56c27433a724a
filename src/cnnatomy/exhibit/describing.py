"""What blocks have in common when they describe themselves: headings, siblings, numbers that JSON can hold."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnatomy.exhibit.words import Text, described

if TYPE_CHECKING:
    from PIL import Image

Files = dict[str, bytes]


class InvalidExhibit(ValueError):
    """An exhibit breaks its contract; the message says where and what to do."""


def listed(value: Any) -> Any:
    """The same value with every sequence but text as a list."""
    return value if isinstance(value, str) or not isinstance(value, Sequence) else [listed(part) for part in value]


def heading(title: Text, caption: Text) -> dict[str, Any]:
    found = {}
    if title:
        found["title"] = described(title)
    if caption:
        found["caption"] = described(caption)
    return found


def finite(value: Any, what: str) -> float | int:
    """`value` as a plain number of Python. Refuses what JSON can't hold, naming `what`."""
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        raise InvalidExhibit(f"{what} is {plain!r}; give a number")
    if not math.isfinite(plain):
        raise InvalidExhibit(f"{what} is {plain}, but must be finite; mend what computed it, or leave it out")
    return plain


def add(files: Files, name: str, content: bytes) -> None:
    if name in files:
        raise InvalidExhibit(f"two blocks would write {name}; give every block of an exhibit its own name")
    files[name] = content


def png_of(pixels: np.ndarray, where: str) -> bytes:
    from PIL import Image

    pixels = np.asarray(pixels)
    grey, colour = pixels.ndim == 2, pixels.ndim == 3 and pixels.shape[2] == 3
    if pixels.dtype != np.uint8 or not (grey or colour) or pixels.size == 0:
        raise InvalidExhibit(
            f"the pixels of {where} are {pixels.dtype} of shape {pixels.shape}; "
            "give uint8 of shape (height, width) or (height, width, 3)"
        )
    whole = Image.fromarray(np.ascontiguousarray(pixels))
    kept = [whole] if grey else [whole, *_with_palette(pixels)]
    return min((_bytes(image) for image in kept), key=len)


def _with_palette(pixels: np.ndarray) -> list[Image.Image]:
    """The same picture as numbers of its colours, if they are few enough: less than half the size, and no loss."""
    from PIL import Image

    packed = pixels @ np.array([1 << 16, 1 << 8, 1], np.int32)
    colours, numbers = np.unique(packed, return_inverse=True)
    if len(colours) > 256:
        return []
    image = Image.fromarray(numbers.reshape(packed.shape).astype(np.uint8))
    image.putpalette((colours[:, None] >> np.array([16, 8, 0]) & 255).astype(np.uint8).tobytes(), "RGB")
    return [image]


def _bytes(image: Image.Image) -> bytes:
    png = io.BytesIO()
    image.save(png, format="PNG", compress_level=9)
    return png.getvalue()
