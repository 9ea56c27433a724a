"""A user's own texts, a table with a row for each."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from cnnatomy.data import archive, own, texts
from cnnatomy.data.errors import DataError

SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons"}


def fetch(target: Path, *, mirror: str | None, digest: str, path: str, licence: str, citation: str) -> None:
    """Write the raw zip with the table `path`. Raises DataError for what is no table in UTF-8."""
    table = Path(path).expanduser()
    if not table.is_file() or not table.name.lower().endswith((".csv", ".tsv")):
        raise DataError(f"{table} is no table: name a file whose name ends with .csv or .tsv.")
    contents = own.Files({table.name: table})
    _decoded(contents[table.name], str(table))
    archive.write(target, contents, digest=digest, licence=licence, citation=citation)


def prepare(
    raw: Path,
    folder: Path,
    *,
    digest: str,
    text: str,
    label: str,
    split: str | None,
    length: int,
    at_least: int,
    validation: float,
    test: float,
) -> None:
    """Tokens of the column `text` of a table, with the column `label` as the classes.

    split: a column that says train, validation (or val) or test; where there is none, the content decides: see
    `own.splits`. Raises DataError, which names the line of the table.
    """
    wanted = [name for name in (text, label, split) if name is not None]
    with archive.Raw(raw) as source:
        table = source.names[0]
        rows = list(_rows(_decoded(source.read(table), table), table, wanted))
        for line, row in rows:
            if not row[label].strip():
                raise DataError(f"{table}, line {line}: there is nothing in the column {label!r}. Give it a label.")
        classes = own.in_order([row[label].strip() for _, row in rows])
        if len(classes) < 2:
            raise DataError(
                f"{table}: there is one label only ({own.some(classes)}), so that there is nothing to tell apart."
            )
        labels = [row[label].strip() for _, row in rows]
        read = [" ".join(texts.words(row[text])) for _, row in rows]
        given = [_split(row[split], table, line) if split else "" for line, row in rows]
        if split and not {"train", "test"} <= set(given):
            raise DataError(f"{table}: the column {split!r} should say train in some rows and test in some others.")
        worded = [place for place, words in enumerate(read) if words]  # texts.write leaves out the others
        whose = own.splits(
            [own.content_hash(read[place]) for place in worded],
            [labels[place] for place in worded],
            [given[place] for place in worded],
            validation=validation,
            test=test,
        )
        where = dict(zip(worded, whose, strict=True))
        texts.write(
            folder,
            [row[text] for _, row in rows],
            [classes.index(name) for name in labels],
            classes,
            source,
            digest=digest,
            length=length,
            at_least=at_least,
            splits=[where.get(place, "train") for place in range(len(rows))],
        )


def _decoded(table: bytes, name: str) -> str:
    try:
        return table.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = table.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{name} is not in UTF-8: byte {error.start}, in line {line}, is no part of it. Save it as UTF-8 (a "
            f'spreadsheet calls it "CSV UTF-8"), or turn it into that: iconv -f WINDOWS-1252 -t UTF-8 {name}'
        ) from error


def _rows(table: str, name: str, wanted: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with the number of the line on which it ends. The separator is the one that gives the wanted columns."""
    csv.field_size_limit(sys.maxsize)  # a text may be longer than the 131,072 characters that csv takes for a mistake
    first = table.partition("\n")[0]
    found = {sign: next(csv.reader([first], delimiter=sign), []) for sign in SEPARATORS}
    sign = next((sign for sign, columns in found.items() if set(wanted) <= set(columns)), None)
    if sign is None:
        sign = max(found, key=lambda sign: len(found[sign]))
        missing = own.some([repr(column) for column in wanted if column not in found[sign]])
        there = ", ".join(map(repr, found[sign])) or "nothing"
        raise DataError(
            f"{name} has no column {missing}: its first line, cut at {SEPARATORS[sign]}, names {there}. "
            "Set data.prepare.text and data.prepare.label to the names of its columns."
        )
    reader = csv.DictReader(io.StringIO(table, newline=""), delimiter=sign, restkey="", restval="")
    rows = 0
    try:
        for row in reader:
            if "" in row and isinstance(row[""], list):
                raise DataError(
                    f"{name}, line {reader.line_num}: there are more values than columns. Put quotes around a text "
                    f"that holds {SEPARATORS[sign]}."
                )
            rows += 1
            yield reader.line_num, row
    except csv.Error as error:
        raise DataError(f"{name}, line {reader.line_num}: {error}.") from error
    if not rows:
        raise DataError(f"{name} has a line of names and no row below it.")


def _split(said: str, table: str, line: int) -> str:
    try:
        return own.SPLIT_FOLDERS[said.strip().lower()]
    except KeyError as error:
        raise DataError(f"{table}, line {line}: the split is {said!r}, not train, validation, val or test.") from error
