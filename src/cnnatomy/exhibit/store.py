"""Writing an exhibit's folder as a whole, and reading it back verified."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from cnnatomy.exhibit.checks import validate
from cnnatomy.exhibit.describing import Files, InvalidExhibit

SUFFIXES = {".bin", ".csv", ".png", ".svg", ".wav"}  # of siblings


class DamagedExhibit(ValueError):
    """An exhibit on disk is not what was written: missing, cut, changed, or of another format."""


def store(folder: Path, document: dict[str, Any], files: Files) -> None:
    """Write a described exhibit into `folder`; see `Exhibit.write`."""
    folder = Path(folder)
    document = document | {"files": {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}}
    validate(document, files=files, where=f"{folder}/exhibit.json")
    content = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    _refuse_foreign(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # A full disk or a read-only folder must show here, before anything of the old exhibit is touched.
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for name, sibling in files.items():
            (beside / name).write_bytes(sibling)
        (beside / "exhibit.json").write_text(content, encoding="utf-8")
        folder.mkdir(exist_ok=True)
        for name in [*files, "exhibit.json"]:
            (beside / name).replace(folder / name)
    finally:
        shutil.rmtree(beside)
    for stale in folder.iterdir():
        if stale.suffix in SUFFIXES and stale.name not in files:
            stale.unlink()


def read(folder: Path) -> dict[str, Any]:
    """The content of a folder's exhibit.json, validated, its siblings verified. Raises `DamagedExhibit`."""
    return load(folder)[0]


def load(folder: Path) -> tuple[dict[str, Any], Files]:
    """Like `read`, with the verified bytes of the siblings by file name.

    A writer may be replacing files at this moment, so a mismatch is looked at again for half a second before
    it counts as damage.
    """
    patience = 10
    while True:
        try:
            return _load_once(Path(folder))
        except DamagedExhibit:
            patience -= 1
            if not patience:
                raise
            time.sleep(0.05)


def _load_once(folder: Path) -> tuple[dict[str, Any], Files]:
    path = folder / "exhibit.json"
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise DamagedExhibit(f"{path} is missing; make the exhibit first") from None
    except ValueError as error:
        raise DamagedExhibit(f"{path} is no JSON ({error}); delete it and make the exhibit again") from error
    files: Files = {}
    listed = document.get("files") if isinstance(document, dict) else None
    for name in listed if isinstance(listed, dict) else []:
        # The schema below refuses a name with a separator; until then nothing outside the folder is read.
        if Path(name).name == name and (folder / name).is_file():
            files[name] = (folder / name).read_bytes()
    try:
        validate(document, files=files, where=str(path))
    except InvalidExhibit as error:
        raise DamagedExhibit(f"{error}\nDelete {folder} and make the exhibit again.") from error
    return document, files


def _refuse_foreign(folder: Path) -> None:
    """Stale siblings are removed, so a folder that holds something else than an exhibit is left alone."""
    if not folder.exists() or (folder / "exhibit.json").exists():
        return
    foreign = [entry.name for entry in sorted(folder.iterdir()) if entry.suffix not in SUFFIXES]
    if foreign:
        raise InvalidExhibit(f"{folder} is no exhibit's folder (it holds {foreign[0]}); name an empty one")
