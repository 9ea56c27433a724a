"""Locks between processes: held by an open file, let go by whatever ends the last process that has it."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]

#: What a file system says that knows no locks, as some network disks and FUSE.
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


def take(file: Path, wait: bool) -> IO[str] | None:
    """The open file that holds the lock `file`; None where another process has it and this one won't `wait`.

    Where the file's disk knows no locks, one of the same name in the folder for temporary files holds it, against the
    processes of this machine. On a system without such locks nothing is held against others.
    """
    if fcntl is None:
        return file.open("a")
    for place in (file, _beside(file)):
        handle = place.open("a")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            return handle
        except BlockingIOError:
            handle.close()
            return None
        except OSError as error:
            handle.close()
            if error.errno not in _NO_LOCKS or place != file:
                raise
    raise AssertionError


def _beside(file: Path) -> Path:
    name = hashlib.sha256(os.fsencode(file.absolute())).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"cnnatomy-{os.getuid()}-{name}.lock"
