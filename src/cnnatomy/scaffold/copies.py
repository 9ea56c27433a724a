"""Samples that are there more than once, told apart as `prepare` will: what it leaves out, and what stays together."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from cnnatomy.data import own
from cnnatomy.data.errors import DataError
from cnnatomy.data.layout import Filed


def of_files(folder: Path, files: Mapping[str, bytes], filed: Sequence[Filed]) -> list[str]:
    """What to say of the copies among files. Only those of the same size are read."""
    sizes = {file.name: _size(folder / file.name) for file in filed}
    alike = Counter(sizes.values())
    hashes = [_hash(files, name) if alike[size] > 1 else name for name, size in sizes.items()]
    return said(hashes, [file.label for file in filed], [file.split for file in filed])


def said(hashes: Sequence[str], labels: Sequence[str], splits: Sequence[str]) -> list[str]:
    """What to say of samples of equal content, by the hashes of it; splits: "" where nothing says them.

    Raises DataError where a class would lose all of its training samples.
    """
    reasons = own.repeated(hashes, labels, splits)
    kept = [(held, split) for held, split, why in zip(hashes, splits, reasons, strict=True) if not why]
    within = sum(count - 1 for (held, _), count in Counter(kept).items() if held != own.EMPTY)
    counts = Counter(reasons)
    found = []
    if counts["copy"]:
        of_what = "is a copy of one" if counts["copy"] == 1 else "are copies of ones"
        found.append(
            f"{counts['copy']:,} outside of the test or the validation {of_what} in it: left out, or the test would "
            "ask what was learnt by heart"
        )
    if counts["two_classes"]:
        found.append(f"{counts['two_classes']:,} stand under two classes with the same content: left out")
    if within:
        more = "is there more than once" if within == 1 else "more are copies of others"
        found.append(f"{within:,} {more}: copies are never on both sides" + (", but count" if any(splits) else ""))
    return found


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return -1


def _hash(files: Mapping[str, bytes], name: str) -> str:
    """Of a file's content; its name where it can't be read, which is said elsewhere."""
    try:
        return hash_of(files[name])
    except DataError:
        return name


def hash_of(content: bytes) -> str:
    """SHA-256 of a content."""
    return hashlib.sha256(content).hexdigest()
