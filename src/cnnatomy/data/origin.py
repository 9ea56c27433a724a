"""What prepared data are made of, which their facts name whatever kind they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnnatomy.data.archive import Raw
from cnnatomy.data.left_out import LeftOut
from cnnatomy.data.prepared import Facts


@dataclass(frozen=True)
class Origin:
    """A raw zip, and the digest of it and of how data are prepared.

    left_out, counts: what was left out, and counted, before the data are written.
    """

    raw: Raw
    digest: str
    left_out: Sequence[LeftOut] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    def facts(
        self,
        folder: Path,
        kind: str,
        classes: Sequence[str],
        *,
        left_out: Sequence[LeftOut] = (),
        counts: Mapping[str, int] | None = None,
        **about: Any,
    ) -> Facts:
        """The facts of a dataset in this folder. left_out, counts: more of them. about: the other facts."""
        return Facts(
            name=folder.name,
            kind=kind,
            classes=list(classes),
            licence=self.raw.manifest["licence"],
            citation=self.raw.manifest["citation"],
            raw=self.raw.path.stem,
            digest=self.digest,
            left_out=[*self.left_out, *left_out],
            counts={**self.counts, **(counts or {})},
            **about,
        )
