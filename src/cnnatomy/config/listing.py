"""What lies in a place of the user's own, told cheaply: names, sizes and times of change, never contents."""

from __future__ import annotations

import hashlib
import os
import re
from difflib import get_close_matches
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
        whole = on_a_line(place.absolute())
        raise ConfigurationError(
            f"{key}: there is nothing at {on_a_line(path)} (which is {whole}); {_meant(path, place)}"
        )
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


def on_a_line(path: object) -> str:
    """A path as it is, or quoted where it would break the line or can't be seen."""
    return text if (text := str(path)).isprintable() else repr(text)


def _meant(path: str, place: Path) -> str:
    """What somebody may have meant who named a place that is not there."""
    if re.match(r"\w+://", path):
        return "load it down, unpack it, and name the folder or the file on this disk"
    if re.match(r"[A-Za-z]:[\\/]", path):
        return "that is a place of Windows; name it as this system does, such as ~/leaves or /mnt/c/leaves"
    if path.startswith(("$", "%")):
        within = re.sub(r"^\$\{?(\w+)\}?", r"${oc.env:\1}", path)
        return f"what $ stands for is not looked up; write {within if path.startswith('$') else '~/…'}"
    if path[0] in "“”‘’\"'":
        return "take the quotes off, or type plain quotes"
    if path != path.strip():
        return "take the blanks at its ends away"
    try:
        known = sorted(os.listdir(place.parent))
    except OSError:
        above = next(parent for parent in place.absolute().parents if parent.is_dir())
        return f"what is there is {above}; name your folder or file"
    close = get_close_matches(place.name, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else "name your folder or file"


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
