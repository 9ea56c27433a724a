"""The files of a user's folder: those of some kinds, and what else lies there."""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cnnatomy.data.errors import DataError
from cnnatomy.data.layout import some

#: Files and folders that systems and programs leave behind, in small letters: hidden ones, thumbnails, waste baskets.
LEFT_BY_SYSTEMS = (
    ".*", "thumbs.db", "thumbs.db:*", "ehthumbs*.db", "desktop.ini", "icon\r", "synofile_thumb*", "~$*",
    "@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "$recycle.bin", "recycler", "lost+found",
    "system volume information", "__macosx", "__pycache__",
)  # fmt: skip
_LEFT = re.compile("|".join(map(fnmatch.translate, LEFT_BY_SYSTEMS)))


@dataclass
class Found:
    """What lies in a folder, by names relative to it.

    files: those of the wanted kinds. left_out: the other names by their reason. empty: folders without a wanted file,
    with the names of what else is in them.
    """

    files: dict[str, Path] = field(default_factory=dict)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    empty: dict[str, list[str]] = field(default_factory=dict)


def walk(folder: Path, suffixes: Sequence[str], apart: Sequence[Path] = (), *, bare: bool = False) -> Found:
    """All files below a folder whose names end with one of `suffixes`, in small letters or capitals.

    apart: files that are neither to be used nor left out. bare: files without any suffix are wanted too.
    Links are followed, but for those that lead back to a folder
    on the way to them.

    Raises DataError for folders and files that may not be read, which are named together.
    """
    found, forbidden = Found(), []

    def leave(why: str, name: str) -> None:
        found.left_out.setdefault(why, []).append(name)

    def look(place: Path, above: frozenset[tuple[int, int]]) -> int:
        """How many wanted files are in a folder; `above`: those on the way to it."""
        name = "" if place == folder else place.relative_to(folder).as_posix()
        try:
            number = _number(place)
            if number in above:
                leave("loop", name)
                return 0
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError as error:
            forbidden.append(f"{place} ({error.strerror})")
            return 0
        others: list[str] = []
        wanted = 0
        for entry in entries:
            path = entry.path
            called = f"{name}/{entry.name}" if name else entry.name
            if entry.name in {one.name for one in apart} and Path(path).resolve() in {one.resolve() for one in apart}:
                continue
            if _LEFT.match(entry.name.lower()):
                leave("system", called)
            elif entry.is_dir():
                wanted += look(Path(path), above | {number})
            elif not entry.name.lower().endswith(tuple(suffixes)) and not (bare and is_bare(entry.name)):
                leave("suffix", called)
                others.append(entry.name)
            else:
                try:
                    if stat.S_ISREG(entry.stat().st_mode):
                        os.close(os.open(path, os.O_RDONLY))
                        found.files[called] = Path(path)
                        wanted += 1
                    else:
                        leave("no_file", called)
                except FileNotFoundError:
                    forbidden.append(f"{path} (it points to nothing)")
                except OSError as error:
                    forbidden.append(f"{path} ({error.strerror})")
        if not wanted:
            found.empty[name] = others
        return wanted

    look(folder, frozenset(map(_number, folder.resolve().parents)))
    if forbidden:
        raise DataError(f"{some(forbidden)}: can't be read. Allow reading, mend the link, or take it away.")
    return found


def is_bare(name: str) -> bool:
    """Whether a file's name has no suffix."""
    return "." not in name.rpartition("/")[2]


def _number(path: Path) -> tuple[int, int]:
    about = path.stat()
    return about.st_dev, about.st_ino
