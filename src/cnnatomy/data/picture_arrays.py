"""Many pictures in one archive of arrays, .npz, with their classes beside them, as MedMNIST and Keras have them."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from cnnatomy.data.archive import Notes
from cnnatomy.data.errors import DamagedData, DataError
from cnnatomy.data.layout import SPLITS_BY_NAME, Part, some

ENDS = (".npz",)
_PICTURES = frozenset({"x", "images", "image", "imgs", "pictures", "data", "inputs", "pixels", "arr"})
_LABELS = frozenset({"y", "labels", "label", "targets", "target", "classes"})
SIDE = 12  # pixels: of less than that, arrays of three axes are no pictures


class Pictures(Mapping[str, bytes]):
    """Each picture as a .npy, by a name that says its split and its class: train/cat/000012.npy.

    Raises DataError for an archive that is none of pictures and classes, and DamagedData for one that can't be read.
    """

    hint = ""

    def __init__(self, path: Path) -> None:
        self._places: dict[str, tuple[str, int]] = {}
        self._arrays = _loaded(path)
        parts = {}
        for split, (images, labels) in _pairs(self._arrays, path.name).items():
            classes = _classes(self._arrays[labels], len(self._arrays[images]), f"{path.name}: {labels}")
            parts[split] = Part(split, split)
            for place, label in enumerate(classes):
                name = f"{label}/{place:07}.npy"
                self._places[f"{split}/{name}" if split else name] = images, place
        self.left_out: list[object] = []
        self.layout = [part.written() for part in parts.values()]

    @property
    def notes(self) -> Notes:
        """What the raw zip says of them."""
        return Notes((), self.layout)

    def __getitem__(self, name: str) -> bytes:
        images, place = self._places[name]
        picture = self._arrays[images][place]
        file = io.BytesIO()
        np.save(file, picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture)
        return file.getvalue()

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def holds(path: Path) -> bool:
    """Whether an archive seems to hold pictures: arrays of (n, height, width), of 8 bits, or with channels."""
    try:
        arrays = _loaded(path)
    except DataError:
        return False  # the reader of signals says why
    return any(
        its.ndim == 4 or (its.ndim == 3 and its.dtype == np.uint8 and min(its.shape[1:]) > SIDE)
        for its in arrays.values()
    )


def _loaded(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise DamagedData(
            f"{path} can't be read as arrays of numbers or texts: {error}. Save it anew: numpy.savez(file, X=…, y=…)."
        ) from error


def _pairs(arrays: Mapping[str, np.ndarray], name: str) -> dict[str, tuple[str, str]]:
    """The arrays of pictures and of classes of each split, "" where there is none."""
    found: dict[str, dict[str, str]] = {}
    for key, array in arrays.items():
        words = [word for word in re.split(r"[\W\d_]+", key.casefold()) if word]
        splits = [SPLITS_BY_NAME[word] for word in words if word in SPLITS_BY_NAME]
        rest = {word for word in words if word not in SPLITS_BY_NAME}
        what = "pictures" if rest <= _PICTURES and array.ndim in (3, 4) else "labels" if rest <= _LABELS else ""
        if what and len(splits) <= 1:
            found.setdefault("".join(splits), {}).setdefault(what, key)
    pairs = {split: (its["pictures"], its["labels"]) for split, its in found.items() if len(its) == 2}
    if not pairs or (len(pairs) > 1 and "train" not in pairs):
        shapes = some([f"{key} {array.shape}" for key, array in arrays.items()], 8)
        raise DataError(
            f"{name} should hold pictures and their classes, X (n, height, width) or with channels, and y (n,); or "
            f"X_train, y_train, X_test and y_test. It holds {shapes or 'nothing'}."
        )
    return pairs


def _classes(labels: np.ndarray, count: int, where: str) -> list[str]:
    """The name of each picture's class: whole numbers, texts, or one of several columns that holds the only 1."""
    flat = labels.ravel() if labels.shape == (count, 1) else labels
    if flat.ndim == 2 and len(flat) == count and ((flat == 0) | (flat == 1)).all() and (flat.sum(axis=1) == 1).all():
        flat = flat.argmax(axis=1)
    if flat.shape != (count,):
        raise DataError(
            f"{where} is of shape {labels.shape}, for {count} pictures: it wants a class for each, ({count},)."
        )
    if flat.dtype.kind == "S":
        flat = np.char.decode(flat, "utf-8", "replace")
    if flat.dtype.kind == "f":
        if not np.equal(flat, np.rint(flat)).all():
            raise DataError(
                f"{where} holds fractions, such as {flat[flat != np.rint(flat)][0]:g}, and classes come again. Give "
                "each picture a whole number or a name."
            )
        flat = flat.astype(np.int64)
    return [re.sub(r"[/\\\0]", "_", str(label).strip()) or "_" for label in flat.tolist()]
