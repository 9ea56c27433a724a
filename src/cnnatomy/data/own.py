"""A user's own files: packed as raw data as they are, put into classes by their folders, split by their content."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from cnnatomy.data.archive import Raw
from cnnatomy.data.errors import DataError
from cnnatomy.data.left_out import LeftOut, left_out, said

#: Names of the folders that may stand above those of the classes, and the splits they mean.
SPLIT_FOLDERS = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Filed:
    """One file of a folder: its name in the raw zip, its class, and its split where folders say it ("" otherwise)."""

    name: str
    label: str
    split: str


def packed(path: str, suffixes: Sequence[str]) -> Files:
    """The files of a folder of classes, by their names in it, each read when it is asked for.

    `<class>/…` or `<split>/<class>/…`; hidden files and those of other suffixes are left out, and named in the log.
    Raises DataError for a folder that is none, an empty class, and what `filed` refuses.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder. Name the one that holds a folder of each class.")
    here: dict[str, Path] = {}
    others: list[str] = []
    for place, folders, names in os.walk(folder, followlinks=True):
        where = Path(place)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        seen = sorted(name for name in names if not name.startswith("."))
        used = [name for name in seen if name.lower().endswith(tuple(suffixes)) and where != folder]
        if not folders and not used:
            kind = f"files of a class ({', '.join(suffixes)})" if where != folder else "a folder of each class"
            there = f"only {some(seen)}" if seen else "nothing"
            raise DataError(f"{where} should hold {kind}, but there is {there}. Fill it or take it away.")
        here |= {(where / name).relative_to(folder).as_posix(): where / name for name in used}
        others += [(where / name).relative_to(folder).as_posix() for name in seen if name not in used]
    without = left_out({"suffix": others})
    if without:
        log.warning("%s: left out %s", folder, said(without))
    filed(list(here))
    return Files(here, without)


class Files(Mapping[str, bytes]):
    """Files by name, read one at a time, and what is left out beside them. Raises DataError for one that can't be
    read."""

    def __init__(self, places: Mapping[str, Path], left_out: Sequence[LeftOut] = ()) -> None:
        for name in places:
            try:
                name.encode()
            except UnicodeEncodeError as error:
                raise DataError(f"The name of {name!r} is no UTF-8. Give the file another name.") from error
        self._places = places
        self.left_out = list(left_out)

    def __getitem__(self, name: str) -> bytes:
        place = self._places[name]
        try:
            return place.read_bytes()
        except OSError as error:
            raise DataError(f"{place} can't be read ({error.strerror}). Mend it or take it away.") from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def filed(names: Sequence[str]) -> list[Filed]:
    """Each file's class, and its split where folders say it, from its name `<class>/…` or `<split>/<class>/…`.

    There are splits where a folder `train` holds folders only. Raises DataError for fewer than two classes, and for
    folders of splits that leave something open.
    """
    parts = [PurePosixPath(name).parts for name in names]
    top = {folders[0] for folders in parts}
    in_splits = any(folders[0].lower() == "train" for folders in parts) and all(
        len(folders) > 2 for folders in parts if folders[0].lower() == "train"
    )
    if in_splits:
        strange = sorted(name for name in top if name.lower() not in SPLIT_FOLDERS)
        if strange:
            raise DataError(
                f"Beside the folder train there is {some(strange)}. With folders of splits, only train, validation "
                "(or val) and test may stand there, each with a folder of each class."
            )
        flat = [name for name, folders in zip(names, parts, strict=True) if len(folders) < 3]
        if flat:
            raise DataError(f"{some(flat)}: put it into a folder of its class, as in test/oak/1.png.")
        found = [Filed(n, f[1], SPLIT_FOLDERS[f[0].lower()]) for n, f in zip(names, parts, strict=True)]
        if not any(file.split == "test" for file in found):
            raise DataError("There is a folder train but none called test: put what is to be tested on into it.")
        unlearnt = {file.label for file in found} - {file.label for file in found if file.split == "train"}
        if unlearnt:
            raise DataError(f"The folder train has no class {some(sorted(unlearnt))}, which other folders have.")
    else:
        found = [Filed(name, folders[0], "") for name, folders in zip(names, parts, strict=True)]
    classes = {file.label for file in found}
    if len(classes) < 2:
        raise DataError(
            f"There is one class only ({some(sorted(classes))}), so that there is nothing to tell apart. Put the files "
            "of each class into a folder of its name."
        )
    return found


def in_order(classes: Sequence[str]) -> list[str]:
    """Names of classes, each once: numbers by their size, other names by the alphabet."""
    names = set(classes)
    whole = all(name.isascii() and name.isdigit() for name in names)
    return sorted(names, key=lambda name: (int(name), name) if whole else (0, name))


def splits(
    hashes: Sequence[str], labels: Sequence[str], given: Sequence[str], *, validation: float, test: float
) -> list[str]:
    """The split of each sample: the given one, or else one that its content decides.

    hashes: of the contents; copies are never parted, and neither order nor names matter. labels: names of the classes,
    each of which gives the shares `validation` and `test` of its different samples, at least one. given: "" where
    nothing is given. Where test samples are given, only a validation split may be cut off the training samples, and
    only where none is given.

    Raises DataError for shares that are none, and for a class with too few samples.
    """
    check_shares(validation, test)
    wanted = {"test": 0.0 if "test" in given else test, "validation": 0.0 if "validation" in given else validation}
    fixed = [split if split in ("test", "validation") else "" for split in given]
    first: dict[str, str] = {}
    for content, label, split in zip(hashes, labels, fixed, strict=True):
        if not split:
            first.setdefault(content, label)
    decided: dict[str, str] = {}
    for label in in_order(list(first.values())):
        contents = sorted(content for content, its in first.items() if its == label)
        start = 0
        for split, share in wanted.items():
            end = start + (max(1, round(share * len(contents))) if share else 0)
            decided |= dict.fromkeys(contents[start:end], split)
            start = end
        if start >= len(contents):
            parts = " and ".join(f"{share:g} for {split}" for split, share in wanted.items() if share)
            raise DataError(
                f"The class {label!r} has {len(contents)} different samples: with {parts} none is left to train on. "
                "Add samples, or change data.prepare.validation (0: none) and data.prepare.test."
            )
        decided |= dict.fromkeys(contents[start:], "train")
    seen = sum(bool(split) and content in decided for content, split in zip(hashes, fixed, strict=True))
    if seen:
        log.warning("%d samples of the given validation and test splits are also among the training samples", seen)
    return [split or decided[content] for content, split in zip(hashes, fixed, strict=True)]


def check_shares(validation: float, test: float) -> None:
    """Refuse shares of which nothing is left to test or to train on."""
    if not (0 <= validation < 1 and 0 < test < 1 and validation + test < 1):
        raise DataError(
            f"data.prepare.validation is {validation} and data.prepare.test {test}: they are shares of the samples, "
            "test above 0, and together below 1."
        )


class SortedOut(NamedTuple):
    """The files to use, each with its split; the names of the classes; what is left out, from the folder on."""

    files: list[Filed]
    classes: list[str]
    left_out: list[LeftOut]


def sorted_out(raw: Raw, validation: float, test: float) -> SortedOut:
    """The files of a raw zip that `packed` filled, each with its split.

    In an order without order, that of their contents' hashes, so that the first ones are of all classes.
    """
    files = sorted(filed(raw.names), key=lambda file: (raw.hashes[file.name], file.name))
    hashes, labels = [raw.hashes[file.name] for file in files], [file.label for file in files]
    whose = splits(hashes, labels, [file.split for file in files], validation=validation, test=test)
    again = [Filed(file.name, file.label, split) for file, split in zip(files, whose, strict=True)]
    return SortedOut(again, in_order(labels), raw.left_out)


def content_hash(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def some(names: Sequence[str], most: int = 5) -> str:
    """The first few names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
