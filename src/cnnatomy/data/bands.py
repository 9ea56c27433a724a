"""Pictures as arrays of numbers: .npy and .npz, and TIFFs of any number of channels.

What is wrong with a content is raised as a ValueError of a few words, without the file's name.
"""

from __future__ import annotations

import io
import math
import sys
import zipfile

import numpy as np

from cnnatomy.data.errors import DataError

NUMPY, ZIPPED = b"\x93NUMPY", b"PK\x03\x04"
MOST_BYTES = 200_000_000  # of the numbers of one picture
COLOURS = (1, 3)  # channels that need no word of the user

#: How TIFF and EXIF say that a picture lies: whether rows and columns are exchanged, then which of both are reversed.
_LIES = {
    **{2: (False, False, True), 3: (False, True, True), 4: (False, True, False), 5: (True, False, False)},
    **{6: (True, False, True), 7: (True, True, True), 8: (True, True, False)},
}


def of_numpy(content: bytes) -> np.ndarray:
    """The one array of a .npy or .npz, of any shape."""
    if not content.startswith(ZIPPED):
        return _npy(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = [file for file in archive.infolist() if file.filename.endswith(".npy")]
        if len(files) != 1:
            names = ", ".join(sorted(file.filename.removesuffix(".npy") for file in files)[:8])
            raise ValueError(
                f"it holds {len(files)} arrays ({names or 'none'}), save each picture in a file of its own"
            )
        if files[0].file_size > MOST_BYTES:
            raise ValueError(f"it holds more than {MOST_BYTES // 10**6} MB, reduce it")
        return _npy(archive.read(files[0]))


def _npy(content: bytes) -> np.ndarray:
    """The array of a .npy, of numbers only; its header must agree with what follows it, and nothing is unpickled."""
    file = io.BytesIO(content)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(file)
    if version not in read:
        raise ValueError("it is an array of another kind than numbers, save it with numpy.save as numbers")
    try:
        shape, by_columns, kind = read[version](file)
    except Exception as error:  # a damaged header is source text, which can be wrong in any way
        raise ValueError("its header is damaged: save it anew with numpy.save") from error
    if kind.kind not in "buif" or kind.hasobject:
        raise ValueError(f"it holds {kind} where a picture is of numbers, save it with numpy.save as such")
    size, there = math.prod(shape) * kind.itemsize, len(content) - file.tell()
    if size > MOST_BYTES:
        raise ValueError(f"it claims {size // 10**6} MB, more than {MOST_BYTES // 10**6}, reduce it")
    if size > there or min(shape, default=0) < 1:
        raise ValueError(f"it is cut off: its header claims {size} bytes and {there} are there")
    values = np.frombuffer(content, kind, math.prod(shape), file.tell())
    return values.reshape(shape, order="F" if by_columns else "C")


def arranged(values: np.ndarray, channels: int | None) -> np.ndarray:
    """An array as (height, width, channels), whether channels come last, first or not at all.

    Their axis is the one that has `channels` places, or unless they are given one or three; if neither has,
    the shorter one.
    """
    if values.ndim == 2:
        return values[..., None]
    if values.ndim != 3:
        raise ValueError(
            f"it is an array of shape {values.shape}, save it as (height, width), (height, width, channels) or "
            "(channels, height, width)"
        )
    first, last = values.shape[0], values.shape[2]
    wanted = COLOURS if channels is None else (channels,)
    fits = (first in wanted, last in wanted)
    if first == last or all(fits):
        raise ValueError(
            f"it is an array of shape {values.shape}, of which the first or the last axis may be that of the channels, "
            "save it larger"
        )
    at_the_end = fits[1] or (not fits[0] and last < first)
    return values if at_the_end else np.moveaxis(values, 0, 2)


def of_tiff(content: bytes, name: str) -> np.ndarray:
    """The first page of a TIFF, upright, (height, width, channels). Raises DataError where tifffile is not there."""
    try:
        import tifffile
    except ImportError as error:
        raise DataError(
            f"{name} is a TIFF of channels that Pillow doesn't know. To read such: {sys.executable} -m pip install "
            "tifffile. Or save it as .npy."
        ) from error
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        page = file.pages.first
        kind = page.dtype
        if kind is None or kind.kind not in "buif" or not {"Y", "X"} <= set(page.axes) <= {"Y", "X", "S"}:
            raise ValueError("it is a TIFF of no plain picture, save it as (height, width, channels) in .npy")
        size = math.prod(page.shape) * kind.itemsize
        if size > MOST_BYTES:
            raise ValueError(f"it claims {size // 10**6} MB, more than {MOST_BYTES // 10**6}, reduce it")
        # What it says of its pieces is asked for as it is: a damaged one may claim any number of them.
        pieces = len(page.dataoffsets) * math.prod(page.chunks) * kind.itemsize
        if pieces > 2 * size + 1_000_000:
            raise ValueError("its pieces are larger than it, it is damaged")
        try:
            values = page.asarray(maxworkers=1)
        except ValueError as error:
            if "imagecodecs" in str(error):
                packed = tifffile.COMPRESSION(page.compression).name
                raise ValueError(
                    f"it is packed as {packed}; to read such: {sys.executable} -m pip install imagecodecs. Or save it "
                    "unpacked"
                ) from error
            raise
        values = np.moveaxis(values, page.axes.index("S"), 2) if "S" in page.axes else values[..., None]
        lies = page.tags.get(274)
        return upright(values, int(lies.value) if lies is not None else 1)


def upright(values: np.ndarray, lies: int) -> np.ndarray:
    """(height, width, channels) turned as TIFF's and EXIF's number of how it lies says; other numbers say nothing."""
    exchanged, rows, columns = _LIES.get(lies, (False, False, False))
    values = values.swapaxes(0, 1) if exchanged else values
    return values[:: -1 if rows else 1, :: -1 if columns else 1]


def on_white(values: np.ndarray) -> np.ndarray:
    """Whole numbers (height, width, colours and a last channel of how opaque) as if before white, without that one."""
    full = np.iinfo(values.dtype).max
    opaque = values[..., -1:].astype(np.float64) / full
    return np.rint(values[..., :-1] * opaque + full * (1 - opaque)).astype(values.dtype)
