"""Files that are either whole or not there: written beside their place, synced, then renamed."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from cnnatomy.data.errors import DataError

CHUNK = 1 << 20
#: What git-lfs leaves in the place of a file that it has not fetched begins so.
POINTER = b"version https://git-lfs.github.com/spec/"


def sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remedy(damaged: Path) -> str:
    """What to do about a damaged file or folder; one out of a cache that several share has to go there."""
    place = f"{damaged.resolve()}, which {damaged} points to," if damaged.is_symlink() else str(damaged)
    return f"Delete {place} and run the workflow again."


@contextmanager
def explained(target: Path) -> Iterator[None]:
    """Turn the errors of a full disk, a read-only or a forbidden place into a DataError that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DataError(
                f"No space left for {target} ({_free(target)}). Nothing was left half-written. "
                "Free some space, or run the workflow in a folder on a larger disk."
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise DataError(
                f"{target} can't be written ({os.strerror(error.errno).lower()}). "
                "Allow writing there, or run the workflow in a folder of your own."
            ) from error
        raise


@contextmanager
def new_file(target: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `target` when the block ends well, and vanishes when it doesn't.

    Raises DataError for a full disk or a folder that can't be written.
    """
    with explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o644)  # mkstemp's 0600 would hide the file from the others who share a cache
            temporary.replace(target)
            sync_folder(target.parent)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def new_files(folder: Path) -> Iterator[Path]:
    """An empty folder beside `folder`, whose files replace those of the same name in it when the block ends well.

    The `.json` goes last: it holds the hashes of the others, so that a reader refuses a mixture.
    """
    with explained(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
        try:
            yield temporary
            folder.mkdir(exist_ok=True)
            for file in sorted(temporary.iterdir(), key=lambda file: (file.suffix == ".json", file.name)):
                with file.open("rb") as written:
                    os.fsync(written.fileno())
                file.replace(folder / file.name)
            sync_folder(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def nameless_file(target: Path) -> BinaryIO:
    """An empty file on the disk of `target`, to write and to read; it is gone when it is closed, or its process ends.

    For what memory may not hold. Raises DataError for a full disk or a folder that can't be written.
    """
    with explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryFile(dir=target.parent)


def sync_folder(folder: Path) -> None:
    """Make renamed names last through a power cut, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            with suppress(OSError):  # a file system that can't, as some on networks, leaves it to chance
                os.fsync(handle)
        finally:
            os.close(handle)


def _free(target: Path) -> str:
    place = next((folder for folder in target.absolute().parents if folder.is_dir()), Path("/"))
    return f"{shutil.disk_usage(place).free / 1e6:.0f} MB free in {place}"
