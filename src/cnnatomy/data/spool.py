"""Contents by name that are kept on the disk, because they may be more than memory holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

from cnnatomy.data.files import explained, nameless_file


class Place(NamedTuple):
    """Where a content lies; the file is open as long as there is a place in it."""

    file: BinaryIO
    start: int
    size: int


class Kept(Mapping[str, bytes]):
    """Contents by name, each read from the disk when it is asked for."""

    def __init__(self, places: Mapping[str, Place]) -> None:
        self._places = places

    def __getitem__(self, name: str) -> bytes:
        file, start, size = self._places[name]
        file.seek(start)
        return file.read(size)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def keep(contents: Iterable[tuple[str, bytes]], target: Path) -> dict[str, Place]:
    """Keep contents on the disk of `target`, one at a time as they come; of two with one name, the last.

    Raises DataError for a full disk.
    """
    file, places, start = nameless_file(target), {}, 0
    for name, content in contents:
        with explained(target):
            file.write(content)
        places[name] = Place(file, start, len(content))
        start += len(content)
    with explained(target):
        file.flush()
    return places
