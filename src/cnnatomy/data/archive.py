"""The raw zip of a dataset: verified files in one plain archive, the same bytes for the same content.

Its member `manifest.json` names the dataset, the digest of the configuration and code that made it, its licence, how to
cite it, the SHA-256 of every other member, and of a user's own data what was left out and what folders mean.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from cnnatomy.data.errors import DamagedData
from cnnatomy.data.files import new_file, remedy
from cnnatomy.data.left_out import LeftOut

MANIFEST = "manifest.json"
#: What comes of reading a damaged zip: KeyError for a member that is not there, RuntimeError for one that seems
#: encrypted, NotImplementedError for other versions, ValueError for offsets before the beginning.
DAMAGE = (zipfile.BadZipFile, KeyError, ValueError, RuntimeError, EOFError, OSError, struct.error)


class Notes(NamedTuple):
    """Of a user's own files: what was there and is left out, and what the folders in their names mean.

    layout: see `data/layout.py`.
    """

    left_out: Sequence[LeftOut]
    layout: Sequence[Mapping[str, str]]


def write(
    target: Path,
    contents: Mapping[str, bytes],
    *,
    digest: str,
    licence: str,
    citation: str,
    notes: Notes | None = None,
) -> None:
    """Write a raw zip whole or not at all. What is in it depends on the arguments only, not on time, order or source.

    contents: by name; asked for one at a time, so that a mapping may read what would not fit into memory together.
    Raises DataError for a full disk or a folder that can't be written.
    """
    left_out, layout = notes or Notes((), ())
    manifest: dict[str, Any] = {
        "dataset": target.stem,
        "digest": digest,
        "licence": licence,
        "citation": citation,
        "files": {name: hashlib.sha256(contents[name]).hexdigest() for name in sorted(contents)},
    }
    if left_out:
        manifest["left_out"] = [asdict(one) for one in left_out]
    if layout:
        manifest["layout"] = list(layout)
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    with new_file(target) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted([*contents, MANIFEST]):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix, on every system, so that the bytes are the same
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text.encode() if name == MANIFEST else contents[name])


class Raw:
    """A raw zip to read from; every member is verified against the manifest when it is read.

        with Raw(Path("resources/fsdd/fsdd.zip")) as raw:
            sound = raw.read("recordings/3_theo_11.wav")

    Raises DamagedData if the zip or the member is missing, damaged, or another than the one that was written.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise DamagedData(f"{self.path} is missing. Run the fetch step first.")
        try:
            self._zip = zipfile.ZipFile(self.path)
            self.manifest: dict[str, Any] = json.loads(self._stored(MANIFEST))
            self.hashes: dict[str, str] = self.manifest["files"]
            self.left_out = [LeftOut(**one) for one in self.manifest.get("left_out", [])]
        except (*DAMAGE, TypeError) as error:
            raise DamagedData(f"{self.path} is damaged ({error}). {self._remedy}") from error

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    @cached_property
    def names(self) -> list[str]:
        """Names of the members, sorted, without the manifest."""
        return sorted(self.hashes)

    def read(self, name: str) -> bytes:
        """The content of one member."""
        try:
            content = self._stored(name)
        except DAMAGE as error:
            raise DamagedData(f"{self.path}: {name!r} can't be read ({error}). {self._remedy}") from error
        if hashlib.sha256(content).hexdigest() != self.hashes.get(name):
            raise DamagedData(
                f"{self.path}: {name!r} is not the file that was fetched (its SHA-256 differs). {self._remedy}"
            )
        return content

    def _stored(self, name: str) -> bytes:
        """A member as it lies there. We pack none: what is packed could swell to any size."""
        if self._zip.getinfo(name).compress_type != zipfile.ZIP_STORED:
            raise zipfile.BadZipFile("it is packed")
        return self._zip.read(name)

    @property
    def _remedy(self) -> str:
        return remedy(self.path)
