"""What lies in a place of the user's own, told cheaply: names, sizes and times of change, never contents."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cnnatomy.config.errors import ConfigurationError


def listing(path: str | None, key: str) -> str:
    """SHA-256 of the names, sizes and times of change of all files at `path`, a folder (however deep) or one file.

    It stands for the path in a slice, so that a file added, taken away or changed makes its dataset anew, and a moved
    folder does not. Hidden files don't count, nor does what may not be looked into.
    Raises ConfigurationError, which names `key`, where nothing is there.
    """
    if path and not isinstance(path, str):
        raise ConfigurationError(f"{key}: wants a text, not {path!r}; if it is a name, put quotes around it")
    if not path:
        raise ConfigurationError(f"{key}: name your folder or file, such as ~/leaves")
    place = Path(path).expanduser()
    try:
        there = place.exists()
    except (OSError, ValueError) as error:  # a name too long for the disk, or none at all
        raise ConfigurationError(f"{key}: {path[:60]!r}… is no place on this disk; name your folder or file") from error
    if not there:
        raise ConfigurationError(f"{key}: there is nothing at {path} (which is {place.absolute()})")
    files = [place] if place.is_file() else _files(place)
    total = hashlib.sha256()
    for file in files:
        try:
            about = file.stat()
        except OSError as error:
            raise ConfigurationError(
                f"{key}: {file} can't be looked at ({error.strerror}); allow reading it, or move it away"
            ) from error
        name = file.relative_to(place.parent if place.is_file() else place)
        total.update(os.fsencode(f"{name}\0{about.st_size}\0{about.st_mtime_ns}\n"))
    return total.hexdigest()


def _files(folder: Path) -> list[Path]:
    found: list[Path] = []

    def look(place: Path, above: frozenset[tuple[int, int]]) -> None:
        """`above`: the folders on the way here; a link back to one of them would be followed for ever."""
        try:
            number = _number(place)
            if number in above:
                return
            entries = [entry for entry in os.scandir(place) if not entry.name.startswith(".")]
        except OSError:  # who reads the files says so, or does without
            return
        found.extend(Path(entry.path) for entry in entries if not entry.is_dir())
        for entry in entries:
            if entry.is_dir():
                look(Path(entry.path), above | {number})

    look(folder, frozenset(_number(place) for place in folder.resolve().parents))
    return sorted(found)


def _number(place: Path) -> tuple[int, int]:
    about = place.stat()
    return about.st_dev, about.st_ino
