"""Prepared data: one memory-mapped array of inputs, one table of samples, and the facts about both.

A prepared dataset is a folder with three files: `inputs.npy` (all samples, sorted by split), `samples.csv` (one row
a sample, in the same order) and `dataset.json` (the facts, with the SHA-256 of the other two).
"""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

import numpy as np

from cnnatomy.data.errors import DamagedData, DataError
from cnnatomy.data.files import CHUNK, new_files, remedy, sha256
from cnnatomy.data.left_out import LeftOut

if TYPE_CHECKING:
    import pandas as pd

SPLITS = ("train", "validation", "test")
DTYPES = {
    "images": np.dtype("uint8"),
    "sounds": np.dtype("float16"),
    "texts": np.dtype("int32"),
    "signals": np.dtype("float32"),
}
PADDING, UNKNOWN = 0, 1
TEXTUAL = ("split", "id", "text", "file", "voice", "speaker", "sex", "accent")  # columns that are text if all digits


@dataclass(frozen=True)
class Axis:
    """One axis of a sample: its name, its unit, and the value at each position."""

    name: str
    unit: str
    values: list[float]


@dataclass(frozen=True)
class Normalise:
    """Mean and standard deviation, scalars or one a channel; of images in units of full white (0 to 1).

    fixed: given by a network that was trained before, so that they stay whatever samples are trained on.
    """

    mean: float | list[float]
    std: float | list[float]
    fixed: bool = False


@dataclass(frozen=True)
class Channel:
    """One channel of a signal: its name, its unit, and its lowest and highest value in the training split.

    Of an image with more than grey or colour: the values of its files that are the least and the most it may hold.
    """

    name: str
    unit: str
    low: float
    high: float


@dataclass(frozen=True)
class Facts:
    """What there is to know about a prepared dataset.

    shape: of one sample as a network sees it, (channels, height, width), (1, bands, frames), (words,) or, of signals,
        (channels, steps).
    splits: number of samples of each split; a split without samples is not named.
    vocabulary: texts only; the word of each token, of which 0 is padding and 1 the unknown word.
    tokens: texts only; how they are cut into tokens, a way of `tokenising.WAYS`.
    sample_rate: sounds only, in Hz.
    channels: of signals, and of images whose channels are taken as they are.
    raw: name of the raw zip that holds the files named in the table's column `file`.
    scale: images only, whose files have more than 8 bits or for which it is given: the values that are black and white.
    shown: images only; the channels that pictures of them show, from 0: one in grey, or as red, green and blue. None:
        the first ones.
    left_out: what was given and is not among the samples.
    counts: what a user should know and would not see, such as sentences without a known word.
    files: SHA-256 of `inputs.npy` and `samples.csv`; filled in by `write`.
    """

    name: str
    kind: str
    classes: list[str]
    shape: tuple[int, ...]
    axes: list[Axis]
    normalise: Normalise | None
    licence: str
    citation: str
    raw: str
    digest: str
    vocabulary: list[str] | None = None
    tokens: str | None = None
    sample_rate: int | None = None
    scale: list[float] | None = None
    left_out: list[LeftOut] = field(default_factory=list)
    channels: list[Channel] | None = None
    shown: list[int] | None = None
    counts: dict[str, int] = field(default_factory=dict)
    splits: dict[str, int] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Facts:
        """Facts as `dataset.json` holds them. Raises TypeError or KeyError where one is missing or unknown."""
        known = dict(values)
        known["shape"] = tuple(known["shape"])
        known["axes"] = [Axis(**axis) for axis in known["axes"]]
        known["left_out"] = [LeftOut(**one) for one in known["left_out"]]
        known["normalise"] = None if known["normalise"] is None else Normalise(**known["normalise"])
        known["channels"] = known["channels"] and [Channel(**channel) for channel in known["channels"]]
        return cls(**known)


@dataclass(frozen=True, eq=False)
class Samples:
    """One split of a dataset: `inputs[i]`, `labels[i]` and `table.iloc[i]` belong together."""

    facts: Facts
    split: str
    inputs: np.ndarray
    labels: np.ndarray
    _dataset: Dataset

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def table(self) -> pd.DataFrame:
        """The rows of `samples.csv`, read when first asked for (pandas takes half a second to import)."""
        table = self._dataset.table
        return table[table["split"] == self.split].reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A prepared dataset; `split("test")` gives its samples."""

    facts: Facts
    folder: Path

    def split(self, name: str) -> Samples:
        """The samples of one split: a view of the memory-mapped inputs, which costs nothing until it is read."""
        if name not in self.facts.splits:
            raise DataError(
                f"Dataset {self.facts.name!r} has no samples in the split {name!r}; "
                f"it has {', '.join(self.facts.splits)}. Leave some for it."
            )
        start = 0
        for split, size in self.facts.splits.items():
            if split == name:
                break
            start += size
        rows = slice(start, start + size)
        return Samples(self.facts, name, self._inputs[rows], self._labels[rows], self)

    @cached_property
    def table(self) -> pd.DataFrame:
        """`samples.csv`; a sentence "NA" stays a sentence, and the code 007 a code."""
        import pandas as pd

        return pd.read_csv(self.folder / "samples.csv", dtype=dict.fromkeys(TEXTUAL, str), na_filter=False)

    @cached_property
    def _inputs(self) -> np.ndarray:
        # Copy-on-write: the file is never changed, and torch gets the writable memory that it wants.
        return np.load(self.folder / "inputs.npy", mmap_mode="c", allow_pickle=False)

    @cached_property
    def _labels(self) -> np.ndarray:
        with (self.folder / "samples.csv").open(encoding="utf-8", newline="") as file:
            csv.field_size_limit(sys.maxsize)  # a text may be longer than the 131,072 characters that csv allows
            return np.array([int(row["label"]) for row in csv.DictReader(file)], dtype=np.int64)


def write(folder: Path, facts: Facts, inputs: np.ndarray, samples: pd.DataFrame) -> None:
    """Write the three files, all or none.

    inputs: (n, *shape), uint8 for images, float16 for sounds, int32 for texts, float32 for signals; where
        memory-mapped, never read whole.
    samples: n rows with the columns split, label, id and more; sorted by split (train, validation, test).
    `facts.splits` and `facts.files` are filled in here.

    Raises DataError if the data can't be trained on (empty, one class, not finite), if rows and inputs don't fit, if
    the disk is full.
    """
    splits = _check(facts, inputs, samples)
    with new_files(folder) as place:
        samples.to_csv(place / "samples.csv", index=False, lineterminator="\n")
        hashes = {
            "inputs.npy": _write_array(place / "inputs.npy", inputs),
            "samples.csv": sha256(place / "samples.csv"),
        }
        whole = asdict(facts) | {"splits": splits, "files": hashes}
        lines = [
            f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}"
            for key, value in whole.items()
        ]
        (place / "dataset.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def load(folder: Path) -> Dataset:
    """A prepared dataset, its files verified against the hashes in its facts.

    Raises DamagedData if a file is missing, can't be read, or is another than the one that was written.
    """
    folder = Path(folder)

    def remedied(file: Path) -> str:
        return remedy(file if file.is_symlink() else folder)

    told = folder / "dataset.json"
    try:
        values = json.loads(told.read_text(encoding="utf-8"))
        facts = Facts.from_dict(values)
    except FileNotFoundError as error:
        raise DamagedData(
            f"There is no prepared dataset in {folder} (no dataset.json). Run the prepare step first."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedData(f"{told} is damaged or of another version: {error}. {remedied(told)}") from error
    if {field.name for field in fields(Facts)} != set(values):
        raise DamagedData(f"{told} was written by another version. {remedied(told)}")
    for name in ("inputs.npy", "samples.csv"):
        file = folder / name
        if not file.is_file():
            raise DamagedData(f"{file} is missing. {remedied(file)}")
        if sha256(file) != facts.files.get(name):
            raise DamagedData(f"{file} is not the file that was written there (its SHA-256 differs). {remedied(file)}")
    return Dataset(facts, folder)


def _check(facts: Facts, inputs: np.ndarray, samples: pd.DataFrame) -> dict[str, int]:
    """Refuse what can't be trained on; give the number of samples of each split."""

    def refuse(why: str) -> NoReturn:
        raise DataError(f"Dataset {facts.name!r}: {why}")

    if len(samples) == 0:
        refuse("it is empty, there is no sample to learn from.")
    if list(samples.columns[:3]) != ["split", "label", "id"]:
        refuse(f"the table starts with {list(samples.columns[:3])}, not with split, label, id.")
    if len(inputs) != len(samples):
        refuse(f"{len(inputs)} inputs, but {len(samples)} rows in the table.")
    if tuple(inputs.shape[1:]) != tuple(facts.shape) or inputs.dtype != DTYPES[facts.kind]:
        refuse(f"inputs are {inputs.dtype} {inputs.shape[1:]}, not {DTYPES[facts.kind]} {tuple(facts.shape)}.")
    sizes = {split: len(list(rows)) for split, rows in groupby(samples["split"])}
    order = [split for split, _ in groupby(samples["split"])]
    if order != [split for split in SPLITS if split in order]:
        refuse(f"rows must be sorted by split (train, validation, test), but they are {order[:6]}.")
    if not samples["id"].is_unique:
        refuse(f"the id {samples.loc[samples['id'].duplicated(), 'id'].iloc[0]!r} appears twice.")
    labels = samples["label"]
    if labels.min() < -1 or labels.max() >= len(facts.classes):
        refuse(f"labels go from {labels.min()} to {labels.max()}, but there are {len(facts.classes)} classes.")
    if "train" in sizes and labels[: sizes["train"]].nunique() < 2:
        only = facts.classes[labels.iloc[0]] if labels.iloc[0] >= 0 else "none"
        refuse(
            f"all training samples are of one class ({only}), so that there is nothing to tell apart. "
            "Add samples of a second class."
        )
    if inputs.dtype.kind == "f":
        bad = [i for i, sample in enumerate(inputs) if not np.isfinite(sample).all()]
        if bad:
            refuse(f"{len(bad)} inputs hold infinite or undefined numbers, first {samples['id'].iloc[bad[0]]!r}.")
    return sizes


class _Hashed:
    """A file that knows the SHA-256 of what was written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.digest = hashlib.sha256()

    def write(self, data: bytes | memoryview) -> int:
        self.digest.update(data)
        return self.file.write(data)


def _write_array(path: Path, array: np.ndarray) -> str:
    """Write a .npy file in pieces and give its SHA-256. (np.save loses the reason when the disk is full.)"""
    array = np.ascontiguousarray(array)
    with path.open("wb") as file:
        target = _Hashed(file)
        np.lib.format.write_array_header_1_0(target, np.lib.format.header_data_from_array_1_0(array))
        whole = memoryview(array.reshape(-1).view(np.uint8).data)
        for start in range(0, len(whole), CHUNK):
            target.write(whole[start : start + CHUNK])
    return target.digest.hexdigest()
