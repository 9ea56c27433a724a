"""A table's columns: which are texts, numbers, classes, splits, times and groups, by their names and their values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cnnatomy.data import layout, pictures, signal_cells, tables
from cnnatomy.data.column_names import LABELS, SPLITS
from cnnatomy.data.errors import DataError
from cnnatomy.scaffold.proposal import Question, Told

ROWS = 200_000  # of a table that are looked at
_PIXELS = re.compile(r"(?:pixel|px).*|\d+x\d+", re.IGNORECASE)
_MANY = re.compile(r"\[?(?:-?[\d.]+(?:[eE][-+]?\d+)?[\s,]+){6,}-?[\d.]+(?:[eE][-+]?\d+)?\s*\]?")
PICTURES = "numpy.savez('all.npz', X=numpy.uint8(numbers).reshape(-1, height, width), y=classes), and name that archive"
CLASSES = 100  # at most, of a column that says them
NEARLY = 0.98  # of a column's values say what it holds
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?")
_MEASURED = re.compile(r"[-+]?(?:\d+[.,]?\d*|[.,]\d+)\s*[^\W\d_/%°²³]{0,4}[/%°²³]?[^\W\d_]{0,4}[²³]?;?")
_DATE = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}:\d{2})(?:[T ,;:.\d+Z-]|[AP]M)*"
)
_SOUNDS = (".wav", ".wave", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aif", ".aiff")
_FILES = (*pictures.SUFFIXES, *_SOUNDS, ".csv", ".tsv", ".txt", ".svg", ".dcm", ".mp4", ".avi")
_ADDRESS = re.compile(r"(?:https?|ftp|s3|gs)://\S+")


@dataclass(frozen=True)
class Column:
    """A column's name and its values, those of the first rows."""

    name: str
    values: list[str]

    @property
    def counts(self) -> Counter[str]:
        return Counter(value.strip() for value in self.values)

    @property
    def is_numbers(self) -> bool:
        """Whether nearly all values are numbers, and the others missing."""
        return self._nearly_all(is_number)

    @property
    def is_fractions(self) -> bool:
        return self.is_numbers and any(set(".,eE") & set(value) for value in self.values)

    @property
    def is_measured(self) -> bool:
        """Whether nearly all values are numbers with a unit behind them, "0.3 mV"."""
        return not self.is_numbers and self._nearly_all(_MEASURED.fullmatch)

    @property
    def is_dates(self) -> bool:
        """Whether nearly all values say when."""
        return self._nearly_all(_DATE.fullmatch)

    @property
    def names_files(self) -> bool:
        """Whether nearly all values are names or addresses of files."""
        return self._nearly_all(lambda value: value.lower().endswith(_FILES) or _ADDRESS.fullmatch(value))

    @property
    def is_words(self) -> bool:
        """Whether its values may be texts to read, which are neither classes nor splits."""
        others = self.is_numbers or self.is_measured or self.is_dates or self.names_files
        return not (others or self.repeats or self.is_split)

    def _nearly_all(self, fits: Callable[[str], object]) -> bool:
        """Whether nearly all values that are given fit."""
        given = [value.strip() for value in self.values if value.strip().lower() not in signal_cells.MISSING]
        return bool(given) and sum(bool(fits(value)) for value in given) > NEARLY * len(given)

    @property
    def length(self) -> float:
        """Characters of a value, on average."""
        return sum(map(len, self.values)) / max(1, len(self.values))

    @property
    def words(self) -> float:
        """Words of a value, on average."""
        return sum(len(value.split()) for value in self.values) / max(1, len(self.values))

    @property
    def repeats(self) -> bool:
        """Whether values come again and again, as classes do."""
        counts = self.counts
        return 2 <= len(counts) <= min(CLASSES, len(self.values) // 2) and "" not in counts

    @property
    def is_split(self) -> bool:
        """Whether its values are names of splits, those to train on and to test on among them."""
        known = {layout.SPLITS_BY_NAME.get(value.lower()) for value in self.counts}
        return None not in known and {"train", "test"} <= known


def read(path: Path, encoding: str | None = None) -> list[Column]:
    """The columns of a table, of its first rows; encoding: None to guess. Raises DataError."""
    text, _ = tables.decoded(path.read_bytes(), path.name, encoding, "--encoding {}")
    if path.name.lower().endswith((".jsonl", ".ndjson", ".json")):
        wanted = tables.keys_of_json(text, path.name)
        rows = tables.of_json(text, path.name, wanted)
    else:
        wanted = tables.columns(text, path.name, [], "")
        wanted = list(dict.fromkeys(name for name in wanted if wanted.count(name) == 1))
        rows = tables.rows(text, path.name, wanted)
    values = [row.values for row, _ in zip(rows, range(ROWS), strict=False)]
    if not values:
        raise DataError(f"{path.name} has no row. Add some.")
    found = [Column(name, list(its)) for name, its in zip(wanted, zip(*values, strict=True), strict=True)]
    _refuse_cells_of_many(found, path.name)
    return found


def refuse_no_head(columns: list[Column], table: str) -> None:
    """Raise Question for a table whose first row is no names of columns: its class comes again below."""
    if any(column.name.startswith("__label__") for column in columns):
        raise Question(
            f"{table} has a class in front of each text, as fastText wants it: make a table of it, such as sed -E "
            f"'1i label\\ttext' {table} | sed -E 's/^__label__([^ ]+) /\\1\\t/' > texts.tsv"
        )
    if any(column.repeats and column.name in column.counts for column in columns):
        first = ", ".join(repr(column.name[:30]) for column in columns)
        raise Question(
            f"{table} has no line of names of columns: its first is {first}. Write one above it, such as text,label"
        )


def refuse_names_of_files(columns: list[Column], path: Path) -> None:
    """Raise Question for a table of files and their classes: the files are wanted, not their names as texts."""
    named = [column for column in columns if column.names_files and len(column.counts) > len(column.values) / 2]
    if not named or any(column.is_words and column.words > 2 for column in columns):
        return
    first = named[0].values[0]
    get = "" if not _ADDRESS.match(first) else "Those are addresses: get the files first. "
    raise Question(
        f"{path.name}: the column {named[0].name!r} names files, such as {first[:60]}, and no column holds texts. {get}"
        f"Name the folder of the files as the path, and this table beside it: --labels {path}"
    )


def _refuse_cells_of_many(columns: list[Column], table: str) -> None:
    """Raise Question for a table with many numbers in one cell, or a column for each pixel: pictures, as a rule."""
    for column in columns:
        some = column.values[:20]
        if all(_MANY.fullmatch(value.strip()) for value in some):
            raise Question(
                f"{table}: each cell of {column.name!r} holds many numbers. If they are pictures, make an "
                f"archive of them: {PICTURES}. If they are a signal, give each number a column of its own"
            )
    pixels = sum(bool(_PIXELS.fullmatch(column.name.strip())) for column in columns)
    if pixels > len(columns) / 2:
        raise Question(
            f"{table}: {pixels} columns are called as pixels are: each line is a picture. Make an archive of them: "
            f"{PICTURES}. If they are signals: call the columns otherwise"
        )


def named(columns: list[Column], told: Told, what: str) -> Column | None:
    """The column that the user names for something; None where nothing is said. Raises DataError for one that isn't."""
    name = told.columns.get(what)
    if name is None:
        return None
    for column in columns:
        if column.name == name:
            return column
    raise DataError(f"--column {what}={name}: there is no such column, but {', '.join(c.name for c in columns)}.")


def called(columns: list[Column], names: tuple[str, ...]) -> Column | None:
    """The first column with one of these names, those that stand first in `names` before others."""
    by_name = {column.name.strip().lower(): column for column in columns}
    return next((by_name[name] for name in names if name in by_name), None)


def label_of(columns: list[Column]) -> Column | None:
    """The column of the classes: by its name, else the only one whose values come again and again."""
    fitting = [column for column in columns if column.repeats and not column.is_fractions and not column.is_split]
    named = called(fitting, LABELS)
    if named is not None:
        return named
    words = [column for column in fitting if not column.is_numbers] or fitting
    return words[0] if len(words) == 1 else None


def split_of(columns: list[Column]) -> Column | None:
    return called([column for column in columns if column.is_split], SPLITS) or next(
        (column for column in columns if column.is_split), None
    )


def is_number(text: str) -> bool:
    """Whether a cell is a number, with a point or a comma before its decimals."""
    try:
        float(text)
    except ValueError:
        return bool(_DECIMAL_COMMA.fullmatch(text.strip()))
    return True
