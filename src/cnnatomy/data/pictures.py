"""A picture of any format and depth as the uint8 pixels that networks are given."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cnnatomy.data.errors import DamagedData, DataError
from cnnatomy.data.fitting import Fit

if TYPE_CHECKING:
    from PIL.Image import Image

#: How names of pictures end.
SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".avif", ".heic", ".heif", ".jfif", ".jpe",
    ".apng", ".dib", ".jp2", ".j2k", ".jpx", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm",
)  # fmt: skip
#: What is tried on a content, whatever the name says; some of Pillow's other formats start programs.
FORMATS = (
    "PNG", "JPEG", "MPO", "BMP", "DIB", "GIF", "TIFF", "WEBP", "AVIF", "JPEG2000", "PPM",
)  # fmt: skip
MOST_PIXELS = 50_000_000  # of a file: what takes 400 MB while it is read
SWOLLEN = 4_000  # pixels a byte that no picture of over 4 million pixels has, but for blank pages of two colours
HEAVY = ("JPEG2000", "WEBP")  # formats that take twice as much, as numbers of 32 bits do

#: A picture's values: 8 bits a channel; the upper 8 of 16, in colour; whole numbers of more bits; fractions.
Depth = Literal["8 bits", "16 bits in colour", "whole numbers", "fractions"]


class Unreadable(DamagedData):
    """What is no picture, or not a whole one. `why`: a few words that many files may share."""

    def __init__(self, name: str, why: str) -> None:
        self.why = " ".join(why.split()).rstrip(" .")
        super().__init__(f"{name} can't be read as a picture: {self.why}.")


@dataclass(frozen=True)
class Picture:
    """One picture, upright.

    values: an image of mode L or RGB, or where there is more than 8 bits an array of numbers, (height, width).
    size: width and height of the file's, upright. moving: it is the first of several.
    """

    values: Image | np.ndarray
    depth: Depth
    size: tuple[int, int]
    moving: bool

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        values = np.asarray(self.values)
        return float(values.min()), float(values.max())


def read(content: bytes, name: str) -> Picture:
    """A picture from a file's content; of moving ones the first, what is transparent as if on white.

    Raises Unreadable, which names the file and says why, for what is no picture, is cut off, has other channels than
    grey or red, green and blue, infinite or undefined values, or more pixels than memory should be asked for.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    formats = _formats(content, name)
    try:
        with Image.open(io.BytesIO(content), formats=formats) as opened:
            width, height = opened.size
            most = MOST_PIXELS // (2 if opened.format in HEAVY or opened.mode in ("I", "F") else 1)
            if opened.format in ("JPEG", "MPO") and width * height > most:
                # The largest photographs: a JPEG can be read at a half, a quarter or an eighth of its size.
                opened.draft(None, (width // 8, height // 8))
            if opened.width * opened.height > most:
                raise Unreadable(
                    name, f"it has {width} × {height} pixels, more than {most // 10**6} million, reduce it"
                )
            if width * height > max(4_000_000, SWOLLEN * len(content)) and opened.mode != "1":
                raise Unreadable(name, f"it claims {width} × {height} pixels, and has {len(content)} bytes")
            samples, sample_format = _tags(opened)
            if samples > len(opened.getbands()):
                raise Unreadable(name, _channels(samples, len(opened.getbands())))
            upper_bits = _has_16_bits(opened)
            # Phones put a map of depths, or a brighter copy, behind a JPEG's picture.
            moving = bool(getattr(opened, "is_animated", False)) and opened.format != "MPO"
            opened.load()
            # Notes on how it was taken may make no sense: then it is shown as it lies, as viewers do.
            with suppress(Exception):
                ImageOps.exif_transpose(opened, in_place=True)
            turned = (opened.width > opened.height) != (width > height)
            size = (height, width) if turned else (width, height)
            if opened.mode.startswith(("I", "F")) or (opened.mode == "L" and sample_format == _SIGNED):
                values = _values(opened, sample_format)
                if not np.isfinite(values).all():
                    bad = int((~np.isfinite(values)).sum())
                    raise Unreadable(name, f"{bad} of its values are infinite or no numbers (NaN)")
                whole = not opened.mode.startswith("F")
                return Picture(values, "whole numbers" if whole else "fractions", size, moving)
            depth: Depth = "16 bits in colour" if upper_bits else "8 bits"
            return Picture(_on_white(opened), depth, size, moving)
    except Unreadable:
        raise
    except UnidentifiedImageError as error:
        known = _what_else(content) or _what_tiff(content)
        raise Unreadable(name, known or "it is no picture of a known format, or is damaged") from error
    except Image.DecompressionBombError as error:
        raise Unreadable(name, f"it has more than {MOST_PIXELS // 10**6} million pixels, reduce it") from error
    except Exception as error:  # damaged bytes can make a decoder fail in any way
        raise Unreadable(name, str(error) or type(error).__name__) from error


def pixels(
    picture: Picture,
    size: tuple[int, int],
    *,
    colour: bool,
    fit: Fit = "crop",
    scale: tuple[float, float] | None = None,
) -> np.ndarray:
    """A picture as uint8 (3 or 1, *size), bicubic.

    size: height and width. fit: `crop` takes the middle of that shape, `letterbox` all with black beside it, `squash`
    all of it, whatever becomes of its proportions. scale: the values that become black and white, and all beyond
    them; unless given 0 and 255, and of more than 8 bits those of this picture.
    """
    from PIL import Image, ImageOps

    image: Image.Image
    if scale is None and not isinstance(picture.values, np.ndarray):
        image = picture.values
    else:
        values = np.asarray(picture.values)
        if picture.depth == "16 bits in colour":
            values = values * np.uint16(257)
        image = Image.fromarray(_scaled(values, *(scale or picture.range)))
    image = image.convert("RGB" if colour else "L")
    wide = (size[1], size[0])
    if fit == "crop":
        fitted = ImageOps.fit(image, wide, Image.Resampling.BICUBIC)
    elif fit == "letterbox":
        fitted = ImageOps.pad(image, wide, Image.Resampling.BICUBIC)
    else:
        fitted = image.resize(wide, Image.Resampling.BICUBIC)
    found = np.asarray(fitted)
    return found.transpose(2, 0, 1) if colour else found[None]


def _scaled(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Numbers from `low` to `high` as uint8, some rows at a time, for the sake of memory."""
    found = np.zeros(values.shape, np.uint8)
    if high > low:
        for start in range(0, len(values), 256):
            shares = (values[start : start + 256].astype(np.float64) - low) / (high - low)
            found[start : start + 256] = np.rint(255 * shares.clip(0, 1))
    return found


_UNSIGNED, _SIGNED = 1, 2  # TIFF's formats of whole numbers


def _formats(content: bytes, name: str) -> list[str]:
    """What to try; HEIC only where its content has it and pillow-heif is there. Raises DataError where it is not."""
    from PIL import Image as Images

    if content[4:8] != b"ftyp" or content[8:12] not in (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc"):
        Images.init()
        return [name for name in FORMATS if name in Images.OPEN]  # an older Pillow has fewer
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        raise DataError(
            f"{name} is a HEIC picture. To read such: .venv/bin/python -m pip install pillow-heif. Or save it as JPEG."
        ) from error
    register_heif_opener()
    return ["HEIF"]


def _tags(opened: Image) -> tuple[int, int]:
    """A TIFF's number of channels and its format of numbers; zeros for other formats."""
    if opened.format != "TIFF":
        return 0, 0
    tags: Mapping[int, Any] = opened.tag_v2  # type: ignore[attr-defined]
    kind = tags.get(339, _UNSIGNED)
    return int(tags.get(277, 1)), int(kind[0] if isinstance(kind, tuple) else kind)


def _has_16_bits(opened: Image) -> bool:
    """Whether colours of 16 bits were cut to their upper 8, which Pillow does."""
    tiles = getattr(opened, "tile", [])
    if not tiles or opened.mode not in ("RGB", "RGBA", "LA", "RGBX"):
        return False
    how = tiles[0][3]
    parts = how if isinstance(how, tuple) else (how,)
    return ";16" in str(parts[0]) or (opened.format == "PPM" and 65535 in parts)


def _channels(there: int, known: int) -> str:
    return (
        f"it has {there} channels, of which {known} {'is' if known == 1 else 'are'} known to be shown: save it with "
        "one (grey) or three (colour)"
    )


def _values(image: Image, sample_format: int) -> np.ndarray:
    """Numbers of more than 8 bits, or with a sign, which Pillow may hold in another type than the file's."""
    values = np.asarray(image)
    if image.mode == "L":
        values = values.view(np.int8)
    elif image.mode == "I" and sample_format == _UNSIGNED:
        values = values.view(np.uint32)
    return values


def _on_white(image: Image) -> Image:
    from PIL import Image as Images

    if image.mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in image.info:
        layer = image if image.mode in ("LA", "RGBA") else image.convert("LA" if image.mode == "La" else "RGBA")
        white = Images.new("L" if layer.mode == "LA" else "RGB", layer.size, "white")
        white.paste(layer.convert("L") if layer.mode == "LA" else layer, mask=layer.getchannel("A"))
        return white
    return image if image.mode in ("L", "RGB") else image.convert("L" if image.mode in ("1", "L") else "RGB")


def _what_else(content: bytes) -> str:
    """What stands in a file that should have been a picture, as far as it is known; "" where it is not."""
    start = content[:200].lstrip().lower()
    if not content.strip(b"\0 \r\n"):
        return f"it is empty ({len(content)} bytes of nothing): get it anew" if content else "it is empty: get it anew"
    if start.startswith(b"version https://git-lfs"):
        return "it is a pointer of git-lfs and not the picture: run git lfs pull where it came from"
    if start.startswith((b"<!doctype html", b"<html")):
        return "it is a web page, as downloads that fail leave them: get the picture anew"
    if start.startswith((b"<svg", b"<?xml")):
        return "it is a drawing (SVG), no picture of pixels: save it as PNG"
    return ""


def _what_tiff(content: bytes) -> str:
    """Why Pillow doesn't know a TIFF, as far as its own notes say; "" for other files."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    if content[:4] not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return ""
    try:
        file = io.BytesIO(content)
        notes = ImageFileDirectory_v2(file.read(8 if b"*" in content[:4] else 16))
        file.seek(notes.next)
        notes.load(file)
        bits, samples = notes.get(258, (1,)), int(notes.get(277, 1))
    except Exception:  # its notes are damaged too
        return ""
    several = " or ".join(sorted({str(one) for one in bits}))
    many = f"{samples} channels" if samples > 1 else "one channel"
    return f"it is a TIFF of {many} of {several} bits, which is not known here: save it as grey or colour of 8 bits"


def span(ranges: Sequence[tuple[float, float]], depths: Mapping[Depth, Sequence[str]]) -> tuple[float, float] | None:
    """The values that are black and white in all pictures of a dataset: the least and the greatest of `ranges`.

    ranges: of the training pictures of more than 8 bits. depths: the names of all pictures by their depth.
    None where all have 8 bits a channel. Raises DataError where pictures can't share a scale.
    """
    if not {"whole numbers", "fractions"} & set(depths):
        upper = max((high for _, high in ranges), default=255.0)
        if upper < 64 and "16 bits in colour" in depths:
            raise DataError(
                f"{depths['16 bits in colour'][0]} and others have 16 bits a colour, of which the upper 8 are read, "
                f"and those stay below {upper + 1:g} of 256: most of the picture is in the lower ones. Save them with "
                "8 bits a colour, or in grey."
            )
        return None
    if len(depths) > 1:
        kinds = "; ".join(f"{len(names)} of {depth} ({names[0]})" for depth, names in depths.items())
        raise DataError(
            f"The pictures' values are of several kinds, which have no scale in common: {kinds}. Save all in the same "
            "way, or say which values are black and white: data.prepare.range: [0, 255]."
        )
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    if low == high:
        raise DataError(f"All values of the training pictures are {low:g}: there is nothing to see in them.")
    return low, high
