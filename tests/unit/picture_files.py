"""Files of pictures for tests, made byte by byte where no library at hand writes them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image


def saved(image: Image.Image | np.ndarray, kind: str, **how: Any) -> bytes:
    """What Pillow writes."""
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, kind, **how)
    return file.getvalue()


def tiff(values: np.ndarray) -> bytes:
    """A plain TIFF of (height, width) or (height, width, channels) in the type of the values."""
    height, width, *more = values.shape
    channels, kind = (more or [1])[0], {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    pixels = values.astype(values.dtype.newbyteorder("<")).tobytes()
    tags = [
        *((256, width), (257, height), (258, 8 * values.itemsize), (259, 1), (262, 2 if channels == 3 else 1)),
        *((273, 8), (277, channels), (278, height), (279, len(pixels)), (339, kind)),
    ]
    if channels == 2:
        tags.insert(-1, (338, 0))  # what the second one is, is not said
    extra = b""
    after = 8 + len(pixels) + 2 + 12 * len(tags) + 4
    rows = []
    for tag, value in tags:
        if tag in (258, 339) and channels > 2:
            rows.append(struct.pack("<HHII", tag, 3, channels, after + len(extra)))
            extra += struct.pack(f"<{channels}H", *[value] * channels)
        elif tag in (258, 339):
            rows.append(struct.pack("<HHIHH", tag, 3, channels, *([value] * 2 if channels == 2 else (value, 0))))
        else:
            rows.append(struct.pack("<HHII", tag, 4, 1, value))
    table = struct.pack("<H", len(rows)) + b"".join(rows) + struct.pack("<I", 0)
    return b"II*\0" + struct.pack("<I", 8 + len(pixels)) + pixels + table + extra


def png(width: int, height: int, bits: int, colours: int, pixels: bytes = b"") -> bytes:
    """A PNG of this header; colours: 0 grey, 2 colour, 4 grey with transparency, 6 colour with transparency."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0)
    data = zlib.compress(pixels)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def deep_colours(values: np.ndarray) -> bytes:
    """A PNG of 16 bits a colour, of (height, width, 3)."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png(values.shape[1], values.shape[0], 16, 2, rows)
