"""Taking data, and nothing but data, out of files that others made: archives, wheels, compressed files, pickles.

Nothing is ever extracted to the disk: members are read into memory by their exact names, one at a time, and only
regular files are read. So a path that climbs out of its folder, a link or a device has no effect.
"""

from __future__ import annotations

import gzip
import io
import pickle
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

LIMIT = 1 << 30  # bytes of one content; a compressed bomb stops here

#: Gives a member's name in the raw zip, or None for a member that isn't wanted.
Rename = Callable[[str], str | None]


class Refused(Exception):
    """A file isn't what it should be: damaged, truncated, a web page, or trying more than to be data."""


def refuse_html(path: Path) -> None:
    """Raise Refused for a web page: what servers send, with a good status, when a file or its host is gone."""
    with path.open("rb") as file:
        start = file.read(2048)
    if not start:
        raise Refused("an empty file")
    if re.match(
        rb"(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)?<(!doctype|html|head|body|\?xml)",
        start,
        re.IGNORECASE | re.DOTALL,
    ):
        title = re.search(rb"<title[^>]*>(.*?)</title>", start, re.IGNORECASE | re.DOTALL)
        named = f' ("{title[1].decode(errors="replace").strip()}")' if title else ""
        raise Refused(f"an HTML page instead of a file{named}")


def called(names: Collection[str]) -> Rename:
    """The members that bear one of these names, in whatever folder of the archive."""

    def rename(member: str) -> str | None:
        name = member.rpartition("/")[2]
        return name if name in names else None

    return rename


def gunzipped(packed: bytes) -> bytes:
    """The content of a .gz file."""
    try:
        with gzip.open(io.BytesIO(packed)) as file:
            return _bounded(file.read(LIMIT + 1), "its content")
    except EOFError as error:
        raise Refused("truncated: it ends in the middle of the compressed data") from error
    except (OSError, zlib.error) as error:
        raise Refused(f"damaged: {error}") from error


def tar_members(path: Path, rename: Rename) -> Iterator[tuple[str, bytes]]:
    """The wanted regular members of a .tar.gz, each with its new name, as they come. Raises Refused on the way."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            while member := archive.next():
                archive.members.clear()  # type: ignore[attr-defined]  # it remembers all of them, a kilobyte each
                name = rename(member.name)
                if name is None:
                    continue
                file = archive.extractfile(member) if member.isreg() else None
                if file is None:
                    raise Refused(f"its member {member.name} is a link or something else than a file")
                yield name, _bounded(file.read(LIMIT + 1), member.name)
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise Refused(f"damaged or truncated: {error}") from error


def zip_members(path: Path, rename: Rename) -> Iterator[tuple[str, bytes]]:
    """The wanted regular members of a zip (a wheel is one), each with its new name. Raises Refused on the way."""
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                name = rename(member.filename)
                if name is None:
                    continue
                mode = member.external_attr >> 16
                if member.is_dir() or (stat.S_IFMT(mode) and not stat.S_ISREG(mode)):
                    raise Refused(f"its member {member.filename} is a link or something else than a file")
                with archive.open(member) as file:
                    content = _bounded(file.read(LIMIT + 1), member.filename)
                yield name, content
    except (zipfile.BadZipFile, EOFError, OSError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise Refused(f"damaged or truncated: {error}") from error


def unpickled(content: bytes) -> object:
    """What a pickle holds, if that is numpy arrays in lists, tuples and dictionaries. Raises Refused.

    Strings of Python 2 are read as Latin-1, as numpy's arrays of that time need it.
    """
    try:
        return _ArraysOnly(io.BytesIO(content), encoding="latin1").load()
    except Refused:
        raise
    except Exception as error:  # a damaged pickle can fail in any way
        raise Refused(f"damaged pickle: {type(error).__name__}: {error}") from error


class _ArraysOnly(pickle.Unpickler):
    ALLOWED = {
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
    }

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in self.ALLOWED:
            raise Refused(f"its pickle asks for {module}.{name}; only numpy arrays are allowed")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)

    def persistent_load(self, pid: object) -> object:
        raise Refused("its pickle asks for something outside itself")


def _bounded(content: bytes, name: str) -> bytes:
    if len(content) > LIMIT:
        raise Refused(f"{name} is larger than {LIMIT >> 20} MB")
    return content
