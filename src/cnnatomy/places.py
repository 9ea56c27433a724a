"""Places that the workflow writes to, and where libraries keep their caches if HOME can't be written."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path

#: What a run writes to, from the folder of the checkout; `resources` only where something is to be fetched.
WRITTEN = (".snakemake", "results")
#: Where libraries keep what they make once where they may, the variable that names it, and its usual place below HOME.
CACHES = (("XDG_CACHE_HOME", ".cache"), ("MPLCONFIGDIR", ".config/matplotlib"))
INSTEAD = Path(".snakemake/cache")


class NotWritable(Exception):
    """A place that the workflow writes to can't be written; the message says which, why and what to do."""


def check(folder: Path) -> None:
    """Make the folders that a run writes to below `folder` and try to write there. Raises NotWritable."""
    for name in WRITTEN:
        place = folder / name
        try:
            place.mkdir(exist_ok=True)
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as error:
            raise NotWritable(f"{name}/ can't be written here: {_why(place, error)}") from None


def _why(place: Path, error: OSError) -> str:
    if place.is_symlink() and not place.exists():
        return f"it is a link to {os.readlink(place)}, which is not there; make that folder, or delete the link"
    if place.exists() and not place.is_dir():
        return "it is a file; move it away"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full; free some space, or work on a larger disk"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return (
            f"{os.strerror(error.errno).lower()}; work in a folder of your own (a checkout: copy it there), "
            f"or make {place.name} a link to one"
        )
    return f"{os.strerror(error.errno or 0).lower()}; mend that, or work in another folder (a checkout: copy it there)"


def keep_caches(folder: Path) -> None:
    """Where libraries can't write to their usual places, as in containers, name them others below `folder`."""
    for variable, usual in CACHES:
        if not _is_writable(os.environ.get(variable), usual):
            os.environ[variable] = str(folder.absolute() / INSTEAD)


def _is_writable(named: str | None, usual: str) -> bool:
    home = os.path.expanduser("~")
    if not named and home == "~":  # neither HOME nor an entry for this user
        return False
    place = Path(named or f"{home}/{usual}")
    there = next((folder for folder in (place, *place.parents) if folder.exists()), place)
    with contextlib.suppress(OSError), tempfile.TemporaryDirectory(prefix=".cnnatomy-", dir=there):
        return True
    return False
