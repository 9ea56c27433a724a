"""A picture of any format, depth and number of channels as the uint8 pixels that networks are given."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cnnatomy.data import bands
from cnnatomy.data.errors import DamagedData, DataError
from cnnatomy.data.fitting import Fit

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

#: How names of pictures end.
SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".avif", ".heic", ".heif", ".jfif", ".jpe",
    ".apng", ".dib", ".jp2", ".j2k", ".jpx", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".npy", ".npz",
)  # fmt: skip
#: What is tried on a content, whatever the name says; some of Pillow's other formats start programs.
FORMATS = (
    "PNG", "JPEG", "MPO", "BMP", "DIB", "GIF", "TIFF", "WEBP", "AVIF", "JPEG2000", "PPM",
)  # fmt: skip
MOST_PIXELS = 50_000_000  # of a file: what takes 400 MB while it is read
SWOLLEN = 4_000  # pixels a byte that no picture of over 4 million pixels has, but for blank pages of two colours
HEAVY = ("JPEG2000", "WEBP")  # formats that take twice as much, as numbers of 32 bits do

#: A picture's values: 8 bits a channel; colours of 16 bits, or where a format is read so the upper 8 of them; whole
#: numbers of more than 8 bits or with a sign; fractions.
Depth = Literal["8 bits", "16 bits in colour", "the upper 8 of 16 bits in colour", "whole numbers", "fractions"]
#: The values that are black and white: one pair for all channels, or one for each.
Scale = Sequence[tuple[float, float]]


class OtherChannels(DamagedData):
    """A picture of another number of `channels` than is wanted."""

    def __init__(self, name: str, channels: int, wanted: str) -> None:
        self.channels = channels
        many = f"{channels} channels" if channels > 1 else "one channel"
        super().__init__(
            f"{name} has {many}, and {wanted}. To take all channels as they are, say how many: data.prepare.channels: "
            f"{channels}."
        )


class Unreadable(DamagedData):
    """What is no picture, or not a whole one. `why`: a few words that many files may share."""

    def __init__(self, name: str, why: str) -> None:
        self.why = " ".join(why.split()).rstrip(" .")
        super().__init__(f"{name} can't be read as a picture: {self.why}.")


@dataclass(frozen=True)
class Picture:
    """One picture, upright.

    values: an image of mode L or RGB, or where there is more than 8 bits an array of numbers, (height, width) or
    (height, width, 3); if it was read with its channels as they are, always (height, width, channels).
    size: width and height of the file's, upright. moving: it is the first of several.
    """

    values: Image | np.ndarray
    depth: Depth
    size: tuple[int, int]
    moving: bool

    def range(self, each: bool = False) -> Scale:
        """The lowest and the highest value, of all channels together or of `each`."""
        values = np.asarray(self.values)
        axes = (0, 1) if each else None
        low, high = (np.atleast_1d(found).astype(float) for found in (values.min(axes), values.max(axes)))
        return list(zip(low.tolist(), high.tolist(), strict=True))


def read(content: bytes, name: str, channels: int | None = None) -> Picture:
    """A picture from a file's content; of moving ones the first, what is transparent as if on white.

    channels: take all as they are, and they must be so many; pages of a TIFF that are grey and as many are channels.
    Otherwise a picture is grey or of red, green and blue.

    Raises OtherChannels, and Unreadable, which names the file and says why, for what is no picture, is cut off, has
    infinite or undefined values, or more pixels than memory should be asked for.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        if content.startswith((bands.NUMPY, bands.ZIPPED)):
            return _of_numbers(bands.arranged(bands.of_numpy(content), channels), name, channels)
        with Image.open(io.BytesIO(content), formats=_formats(content, name)) as opened:
            return _of_opened(opened, content, name, channels)
    except DataError:
        raise
    except UnidentifiedImageError as error:
        if known := _what_else(content):
            raise Unreadable(name, known) from error
        if content[:4] in _TIFF:
            return _of_tiff(content, name, channels)
        raise Unreadable(name, "it is no picture of a known format, or is damaged") from error
    except Image.DecompressionBombError as error:
        raise Unreadable(name, f"it has more than {MOST_PIXELS // 10**6} million pixels, reduce it") from error
    except Exception as error:  # damaged bytes can make a decoder fail in any way
        raise Unreadable(name, str(error) or type(error).__name__) from error


def _of_opened(opened: ImageFile, content: bytes, name: str, channels: int | None) -> Picture:
    """A picture from a file that Pillow has opened, of which it has not read the pixels yet."""
    width, height = opened.size
    upper_bits, format = _has_16_bits(opened), opened.format or ""
    _make_small(opened, len(content), name, heavy=format in HEAVY or opened.mode in ("I", "F") or upper_bits)
    samples, sample_format, bits = _tags(opened)
    # Pillow leaves channels out, and of 16 bits in planes it gives 8, without a word.
    if samples > len(opened.getbands()) or (bits > 8 and samples > 1 and not upper_bits):
        return _of_tiff(content, name, channels, samples)
    # Phones put a map of depths, or a brighter copy, behind a JPEG's picture.
    moving = bool(getattr(opened, "is_animated", False)) and format != "MPO"
    if moving and channels is not None and format == "TIFF":
        pages = _pages(opened, name, channels, sample_format)
        if pages is not None:
            return _of_numbers(pages, name, channels)
    _load_upright(opened)
    turned = (opened.width > opened.height) != (width > height)
    size = (height, width) if turned else (width, height)
    if opened.mode.startswith(("I", "F")) or (opened.mode == "L" and sample_format == _SIGNED):
        return _of_numbers(_values(opened, sample_format), name, channels, moving=moving)
    if upper_bits and (whole := _wholly(content, opened, format)) is not None:
        whole = bands.on_white(whole) if opened.mode == "RGBA" and channels is None else whole
        return _of_numbers(whole, name, channels, moving=moving, in_colour=True)
    depth: Depth = "the upper 8 of 16 bits in colour" if upper_bits else "8 bits"
    if channels is None:
        return Picture(_on_white(opened), depth, size, moving)
    values = np.asarray(_as_it_is(opened))
    return replace(_of_numbers(values, name, channels, moving=moving), depth=depth, size=size)


def _make_small(opened: ImageFile, length: int, name: str, *, heavy: bool) -> None:
    """Have the largest photographs read smaller; raise Unreadable for more pixels than memory should be asked for.

    length: of the file, in bytes. heavy: pixels take more memory than usual.
    """
    width, height = opened.size
    most = MOST_PIXELS // (2 if heavy else 1)
    if opened.format in ("JPEG", "MPO") and width * height > most:
        # A JPEG can be read at a half, a quarter or an eighth of its size.
        opened.draft(None, (width // 8, height // 8))
    if opened.width * opened.height > most:
        raise Unreadable(name, f"it has {width} × {height} pixels, more than {most // 10**6} million, reduce it")
    if width * height > max(4_000_000, SWOLLEN * length) and opened.mode != "1":
        raise Unreadable(name, f"it claims {width} × {height} pixels, and has {length} bytes")


def pixels(
    picture: Picture,
    size: tuple[int, int],
    *,
    colour: bool | None,
    fit: Fit = "crop",
    scale: Scale | None = None,
) -> np.ndarray:
    """A picture as uint8 (channels, *size), bicubic.

    size: height and width. colour: three channels or one; None: those of a picture that was read with all of them.
    fit: `crop` takes the middle of that shape, `letterbox` all with black beside it, `squash` all of it, whatever
    becomes of its proportions. scale: the values that become black and white, and all beyond them; unless given the
    whole range of 8 bits, of 16 in colour, and of other numbers those of this picture.
    """
    from PIL import Image

    image: Image.Image
    if scale is None and not isinstance(picture.values, np.ndarray):
        image = picture.values
    else:
        values = np.asarray(picture.values)
        if picture.depth == "the upper 8 of 16 bits in colour":
            values = values * np.uint16(257)
        scaled = _scaled(values, scale or _whole(picture))
        if colour is None:
            return np.stack([_fitted(Image.fromarray(one), size, fit) for one in np.moveaxis(scaled, 2, 0)])
        image = Image.fromarray(scaled)
    found = _fitted(image.convert("RGB" if colour else "L"), size, fit)
    return found.transpose(2, 0, 1) if colour else found[None]


def _fitted(image: Image, size: tuple[int, int], fit: Fit) -> np.ndarray:
    from PIL import Image as Images
    from PIL import ImageOps

    wide = (size[1], size[0])
    if fit == "crop":
        return np.asarray(ImageOps.fit(image, wide, Images.Resampling.BICUBIC))
    if fit == "letterbox":
        share = min(wide[0] / image.width, wide[1] / image.height)
        width, height = (max(1, round(share * side)) for side in image.size)  # of a thin one a line is left
        inner = image.resize((width, height), Images.Resampling.BICUBIC)
        whole = Images.new(image.mode, wide)
        whole.paste(inner, (round((wide[0] - width) / 2), round((wide[1] - height) / 2)))
        return np.asarray(whole)
    return np.asarray(image.resize(wide, Images.Resampling.BICUBIC))


def _whole(picture: Picture) -> Scale:
    """What becomes black and white where no dataset says it."""
    if picture.depth in ("whole numbers", "fractions"):
        return picture.range()
    return [(0.0, 255.0 if picture.depth == "8 bits" else 65535.0)]


def _of_numbers(
    values: np.ndarray, name: str, channels: int | None, *, moving: bool = False, in_colour: bool = False
) -> Picture:
    """A picture of numbers, (height, width) or (height, width, channels). in_colour: of a format of 16 bits a colour.

    Raises Unreadable, and OtherChannels.
    """
    values = values if values.ndim == 3 else values[..., None]
    height, width, there = values.shape
    if not values.size:
        raise Unreadable(name, "it has no pixels")
    if height * width > MOST_PIXELS:
        raise Unreadable(name, f"it has {width} × {height} pixels, more than {MOST_PIXELS // 10**6} million, reduce it")
    if there != channels and (channels is not None or there not in bands.COLOURS):
        wanted = "pictures are of one (grey) or three (red, green and blue)"
        raise OtherChannels(name, there, wanted if channels is None else f"data.prepare.channels is {channels}")
    if values.dtype == bool:
        values = values * np.uint8(255)
    if values.dtype.kind == "f":
        bad = int((~np.isfinite(values)).sum())
        if bad:
            raise Unreadable(name, f"{bad} of its values are infinite or no numbers (NaN)")
    depth: Depth = (
        "fractions" if values.dtype.kind == "f" else "8 bits" if values.dtype == np.uint8 else "whole numbers"
    )
    if in_colour and depth == "whole numbers":
        depth = "16 bits in colour"
    if channels is None and there == 1:
        values = values[..., 0]
    if channels is None and depth == "8 bits":
        from PIL import Image

        return Picture(Image.fromarray(np.ascontiguousarray(values)), depth, (width, height), moving)
    return Picture(values, depth, (width, height), moving)


def _of_tiff(content: bytes, name: str, channels: int | None, claimed: int | None = None) -> Picture:
    """A picture from a TIFF that Pillow doesn't know, or of which it leaves channels out: `claimed` are there."""
    if claimed is not None and channels is None and claimed not in bands.COLOURS:
        return _of_numbers(np.zeros((1, 1, claimed), np.uint8), name, channels)
    try:
        return _of_numbers(bands.of_tiff(content, name), name, channels)
    except DataError:
        raise
    except Exception as error:  # damaged bytes can make a decoder fail in any way
        raise Unreadable(name, str(error) or type(error).__name__) from error


def _wholly(content: bytes, opened: Image, format: str) -> np.ndarray | None:
    """All 16 bits of colours, (height, width, channels), where Pillow's decoder can be made to give both halves.

    Of each two bytes it takes the upper one; told that numbers are written the other way round, it takes the lower one.
    """
    from PIL import Image as Images

    if format not in ("PNG", "TIFF") or opened.mode not in ("RGB", "RGBA"):
        return None
    native, veiled = (";16L" if sys.byteorder == "little" else ";16B"), False
    with Images.open(io.BytesIO(content), formats=[format]) as again:
        tiles = again.tile
        for place, tile in enumerate(tiles):
            parts = list(tile.args) if isinstance(tile.args, tuple) else [tile.args]
            kind = str(parts[0]).replace(";16N", native)
            if kind == "LA;16B":  # of the size of four bytes, which they can be taken for
                parts[0], veiled = "RGBA", True
            else:
                parts[0] = kind.replace(";16L", ";16B") if ";16L" in kind else kind.replace(";16B", ";16L")
            tiles[place] = tile._replace(args=tuple(parts) if isinstance(tile.args, tuple) else parts[0])
        _load_upright(again)
        upper, lower = np.asarray(opened), np.asarray(again)
    if veiled:
        upper, lower = lower[..., ::2], lower[..., 1::2]
    return upper * np.uint16(256) + lower


def _load_upright(image: Image) -> None:
    from PIL import ImageOps

    image.load()
    # Notes on how it was taken may make no sense: then it is shown as it lies, as viewers do.
    with suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)


def _pages(opened: Image, name: str, channels: int, sample_format: int) -> np.ndarray | None:
    """The pages of a TIFF as channels, (height, width, channels), if all are grey and of one size.

    Raises OtherChannels where there are more or fewer.
    """
    size, mode, count = opened.size, opened.mode, int(getattr(opened, "n_frames", 1))
    if channels == 1 or mode not in ("L", "I;16", "I;16B", "I;16L", "I", "F"):
        return None
    if count != channels:
        raise OtherChannels(name, count, f"data.prepare.channels is {channels}")
    if size[0] * size[1] * 4 * channels > bands.MOST_BYTES:
        raise Unreadable(name, f"it holds more than {bands.MOST_BYTES // 10**6} MB, reduce it")
    pages = []
    for page in range(channels):
        opened.seek(page)
        if (opened.size, opened.mode) != (size, mode):
            opened.seek(0)
            return None
        pages.append(_values(opened, sample_format))
    return np.stack(pages, axis=2)


def _scaled(values: np.ndarray, scale: Scale) -> np.ndarray:
    """Numbers from the low to the high of `scale` as uint8, some rows at a time, for the sake of memory."""
    low, high = np.array(scale).T
    wide = np.where(high > low, high - low, np.inf)
    found = np.zeros(values.shape, np.uint8)
    # One pair is for all that there is; several are for the last axis.
    for start in range(0, len(values), 256):
        shares = (values[start : start + 256].astype(np.float64) - low) / wide
        found[start : start + 256] = np.rint(255 * shares.clip(0, 1))
    return found


_TOPS = (255.0, 1023.0, 4095.0, 16383.0, 65535.0, float(2**32 - 1))  # of the bits that cameras give
_UNSIGNED, _SIGNED = 1, 2  # TIFF's formats of whole numbers
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # how it begins


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
            f"{name} is a HEIC picture. To read such: {sys.executable} -m pip install pillow-heif. Or save it as JPEG."
        ) from error
    register_heif_opener()
    return ["HEIF"]


def _tags(opened: Image) -> tuple[int, int, int]:
    """A TIFF's number of channels, its format of numbers and the bits of one; zeros for other formats."""
    if opened.format != "TIFF":
        return 0, 0, 0
    tags: Mapping[int, Any] = opened.tag_v2  # type: ignore[attr-defined]
    kind, bits = (
        int(found[0] if isinstance(found, tuple) else found) for found in (tags.get(339, _UNSIGNED), tags.get(258, 1))
    )
    return int(tags.get(277, 1)), kind, bits


def _has_16_bits(opened: Image) -> bool:
    """Whether colours of 16 bits were cut to their upper 8, which Pillow does."""
    tiles = getattr(opened, "tile", [])
    if not tiles or opened.mode not in ("RGB", "RGBA", "LA", "RGBX"):
        return False
    how = tiles[0][3]
    parts = how if isinstance(how, tuple) else (how,)
    return ";16" in str(parts[0]) or (opened.format == "PPM" and 65535 in parts)


def _values(image: Image, sample_format: int) -> np.ndarray:
    """Numbers of more than 8 bits, or with a sign, which Pillow may hold in another type than the file's."""
    values = np.asarray(image)
    if image.mode == "L" and sample_format == _SIGNED:
        values = values.view(np.int8)
    elif image.mode == "I" and sample_format == _UNSIGNED:
        values = values.view(np.uint32)
    return values


def _as_it_is(image: Image) -> Image:
    """An image with all its channels: only what is no channel of numbers is turned into some."""
    if image.mode in ("P", "PA"):
        return image.convert("RGBA" if image.mode == "PA" or "transparency" in image.info else "RGB")
    if image.mode in ("1", "YCbCr", "HSV", "La", "RGBa", "RGBX"):
        return image.convert({"1": "L", "La": "LA", "RGBa": "RGBA"}.get(image.mode, "RGB"))
    return image


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


def span(ranges: Sequence[Scale], depths: Mapping[Depth, Sequence[str]]) -> Scale | None:
    """The values that are black and white in all pictures of a dataset: the least and the greatest of `ranges`.

    ranges: of the training pictures of more than 8 bits, each of one pair or of one for each channel. depths: the names
    of all pictures by their depth.
    None where all keep their own: of 8 bits a channel, or of several depths (`apart`). Raises DataError where nothing
    is to be seen.
    """
    upper: Depth = "the upper 8 of 16 bits in colour"
    if not set(depths) - {"8 bits", upper}:
        brightest = max((high for one in ranges for _, high in one), default=255.0)
        if brightest < 64 and upper in depths:
            raise DataError(
                f"{depths[upper][0]} and others have 16 bits a colour, of which the upper 8 are read, "
                f"and those stay below {brightest + 1:g} of 256: most of the picture is in the lower ones. Save them "
                "as PNG, with 8 bits a colour, or in grey."
            )
        return None
    if len(depths) > 1:
        return None
    found = [
        (min(low for low, _ in channel), max(high for _, high in channel)) for channel in zip(*ranges, strict=True)
    ]
    if all(low == high for low, high in found):
        raise DataError(f"All values of the training pictures are {found[0][0]:g}: there is nothing to see in them.")
    return found


def apart(ranges: Mapping[Depth, Sequence[Scale]], depths: Mapping[Depth, Sequence[str]]) -> dict[Depth, Scale]:
    """The values that are black and white in pictures of each depth, where they are of several; see `span`.

    ranges: of all pictures of more than 8 bits.
    Whole numbers go from 0 to the most that their bits hold, fractions from 0 to 1. None where colours of 8 and 16 bits
    are all. Raises DataError for others: what is black in them, as in the others, can't be told.
    """
    if len(depths) < 2 or not {"whole numbers", "fractions"} & set(depths):
        return {}
    found: dict[Depth, Scale] = {}
    for depth in depths:
        values = [value for one in ranges.get(depth, []) for pair in one for value in pair]
        low, high = min(values, default=0.0), max(values, default=0.0)
        most = 1.0 if depth == "fractions" else next((top for top in _TOPS if high <= top), _TOPS[-1])
        if depth in ("whole numbers", "fractions") and (low < 0 or high > most):
            kinds = "; ".join(f"{len(names)} of {depth} ({names[0]})" for depth, names in depths.items())
            raise DataError(
                f"The pictures' values are of several kinds, which have no scale in common: {kinds}. The {depth} go "
                f"from {low:g} to {high:g}. Save all in the same way, such as with 8 bits, 0 for black and 255 for "
                "white."
            )
        found[depth] = [(0.0, {"8 bits": 255.0, "whole numbers": most, "fractions": 1.0}.get(depth, 65535.0))]
    return found


def said_apart(scales: Mapping[Depth, Scale], depths: Mapping[Depth, Sequence[str]]) -> str:
    """That pictures of several depths are each on a scale of its own, and what follows from it."""
    each = "; ".join(f"{depth} from 0 to {scales[depth][0][1]:g} ({len(depths[depth])})" for depth in depths)
    return (
        f"pictures of several depths, of which each has a scale of its own from black to white: {each}. If depths go "
        "with classes, a network can tell those by that alone: save all in the same way"
    )
