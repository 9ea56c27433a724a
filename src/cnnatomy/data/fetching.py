"""The raw zip that a dataset's `fetch` makes: where it goes, where what is in it may come from, what it carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnatomy.data import archive
from cnnatomy.data.sources import Contents, File, Wheel, collect


@dataclass(frozen=True)
class Into:
    """The raw zip at `path`, made with this digest of configuration and code.

    mirror: a folder or a URL that is asked first; the environment's CNNATOMY_MIRROR when None.
    """

    path: Path
    mirror: str | None
    digest: str

    def collect(self, wanted: Mapping[str, str | None], files: Sequence[File], wheel: Wheel | None = None) -> Contents:
        """The wanted contents, each verified; see `sources.collect`. Raises NoSource."""
        return collect(wanted, files, wheel, mirror=self.mirror, target=self.path)

    def write(
        self, contents: Mapping[str, bytes], licence: str, citation: str, notes: archive.Notes | None = None
    ) -> None:
        """Write it whole or not at all; see `archive.write`. Raises DataError."""
        archive.write(self.path, contents, digest=self.digest, licence=licence, citation=citation, notes=notes)
