"""The class of each file where no folder says it: in the files' names, by a pattern, or in a table beside them.

No numpy here, nor in what it imports, since a configuration asks where the table is (`table_of`).
"""

from __future__ import annotations

import logging
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote

from cnnatomy.data import tables
from cnnatomy.data.errors import DataError
from cnnatomy.data.layout import some

CLASS, NUMBER = "{class}", "{number}"
#: What stands in a pattern for part of a name. All take as little as they can, from left to right.
SIGNS = {CLASS: "(?P<label>.+?)", NUMBER: r"\d+", "*": ".*?", "?": "."}
KEYS = ("table", "file", "label", "encoding")
HOW = (
    "Write a pattern, labels: '{class}.*' (of cat.1.jpg it is cat; * is anything, ? one sign, {number} digits), or the "
    "name of a table, labels: labels.csv."
)
TABLES = (".csv", ".tsv")
SEPARATORS = "._- "
FIELDS = 4  # parts of a name that may be the class
OFFERED = 3  # patterns that a message names
LOOKED_AT = 20_000  # names that decide which
MANY = 10  # files of each class that make numbers likely to be classes
_ONE, _ZERO = ("1", "1.0", "true"), ("0", "0.0", "false", "")
ALONE = 0.01  # of the files may be the only one of their class

log = logging.getLogger(__name__)

Labels = str | Mapping[str, str] | None


class Named(NamedTuple):
    """The class of each file that has one, and the names of what has none by the reason why, see `left_out.REASONS`."""

    labels: dict[str, str]
    left_out: dict[str, list[str]]


def table_of(labels: Labels, folder: Path) -> Path | None:
    """Where the table is that `data.fetch.labels` names, from the data's folder on; None for a pattern or nothing."""
    if isinstance(labels, Mapping):
        name = labels.get("table")
    else:
        name = labels if isinstance(labels, str) and "{" not in labels else None
    return Path(folder).expanduser() / Path(name).expanduser() if isinstance(name, str) and name else None


def named(names: Sequence[str], labels: Labels, folder: Path) -> Named:
    """The class of each file of `folder`, by what `data.fetch.labels` says. Raises DataError, with what to do."""
    if isinstance(labels, str) and "{" in labels:
        found = by_names(names, labels)
        return Named(found, {"unfitting": [name for name in names if name not in found]})
    if isinstance(labels, Mapping):
        if None in labels.values() and not set(labels) & set(KEYS):
            raise DataError(f"data.fetch.labels is {dict(labels)}, a mapping. Put quotes around it: labels: '…'.")
        for key in labels:
            if key not in KEYS:
                raise DataError(f"data.fetch.labels has a key {key!r}. There are {', '.join(KEYS)}.")
        if not labels.get("table"):
            raise DataError("data.fetch.labels names no table. Say which, as in labels: {table: labels.csv}.")
    elif not isinstance(labels, str) or not labels:
        raise DataError(f"data.fetch.labels is {labels!r}. {HOW}")
    table = table_of(labels, folder)
    assert table is not None
    return _by_table(names, table, labels if isinstance(labels, Mapping) else {"table": labels}, folder)


# Names


def by_names(names: Iterable[str], pattern: str) -> dict[str, str]:
    """The class of each file whose name, without its folders, fits a pattern; capitals don't count in what is literal.

    {class}, {number}, * and ? stand for the class, digits, anything and one sign, and take as little as they can.
    Raises DataError for what is no pattern.
    """
    fits = _compiled(pattern)
    matches = ((name, fits.fullmatch(_plain(PurePosixPath(name).name))) for name in names)
    return {name: match["label"] for name, match in matches if match}


def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^{}]*\}|[*?])", _plain(pattern))
    strange = [part for part in parts if part not in SIGNS and re.search(r"[{}]", part)]
    if strange or parts.count(CLASS) != 1:
        raise DataError(f"data.fetch.labels is {pattern!r}: it wants {CLASS} once, and no other braces but {NUMBER}.")
    if "/" in pattern:
        raise DataError(
            f"data.fetch.labels is {pattern!r} and holds a /: it is of the files' names, without folders. Name those "
            "that are splits in data.fetch.splits."
        )
    return re.compile("".join(SIGNS.get(part) or re.escape(part) for part in parts), re.IGNORECASE | re.DOTALL)


def offers(names: Sequence[str], beside: Iterable[str] = ()) -> str:
    """What might be said in `data.fetch.labels`, as sentences with a blank before them; nothing where nothing fits.

    names: of files whose class is not known. beside: names of other files there, of which some may be tables.
    """
    said = ""
    if fitting := patterns(names):
        given: list[str] = []
        for pattern in fitting:
            counts = Counter(by_names(names, pattern).values())
            ordered = sorted(counts, key=lambda label: (label.casefold(), label))
            what = "" if given else " classes"
            given.append(f"'{pattern}' gives {len(counts)}{what} ({some([f'{its} {counts[its]}' for its in ordered])})")
        said = f" If the files' names say the class, data.fetch.labels: {'; '.join(given)}."
    tables_there = [name for name in beside if name.lower().endswith(TABLES)]
    if tables_there:
        which = min(tables_there, key=lambda name: (name.count("/"), name))
        said += f" If a table says the class of each file, data.fetch.labels: {which}."
    return said


def patterns(names: Sequence[str]) -> list[str]:
    """Patterns under which names fall into classes that come again and again, the likeliest first."""
    names = names[:: max(1, len(names) // LOOKED_AT)]
    shared: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for pattern in _candidates():
        found = by_names(names, pattern)
        if _likely(Counter(found.values()), pattern):
            shared.setdefault(tuple(found.items()), []).append(pattern)
    most = max((len(found) for found in shared), default=0)
    if 2 * most < len(names):
        return []
    whole = [found for found in shared if len(found) > 0.9 * most]
    whole.sort(key=lambda found: _strangeness({label for _, label in found}))
    return [min(shared[found], key=len) for found in whole[:OFFERED]]


def _likely(counts: Mapping[str, int], pattern: str) -> bool:
    """Whether what a pattern gives may be classes: words or numbers, each of which comes again."""
    each = MANY if all(map(str.isdigit, counts)) else 2
    return (
        len(counts) > 1
        and sum(counts.values()) >= each * len(counts)
        and sum(n == 1 for n in counts.values()) <= ALONE * sum(counts.values())
        and all(label[0].isalnum() and label[-1].isalnum() for label in counts)
        and not (CLASS + NUMBER in pattern and any(label[-1].isdigit() for label in counts))
    )


def _strangeness(labels: Collection[str]) -> int:
    """Names of things come first, then numbers, then what is of both."""
    digits = [sum(map(str.isdigit, label)) for label in labels]
    return 0 if not any(digits) else 1 if digits == list(map(len, labels)) else 2


def _candidates() -> list[str]:
    found = [f"{CLASS}{sign}{NUMBER}.*" for sign in ("", *SEPARATORS)] + [f"{CLASS} ({NUMBER}).*"]
    for sign in SEPARATORS:
        for place in range(FIELDS):
            before = f"*{sign}" * place
            found += [f"{before}{CLASS}{sign}*"] + ([f"{before}{CLASS}.*"] if place and sign != "." else [])
    return found


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text)


# Tables


def _by_table(names: Sequence[str], table: Path, labels: Mapping[str, str], folder: Path) -> Named:
    """The class of each file that a row of a table names, by its path, its end, or its name without the suffix."""
    called = table.name
    try:
        content = table.read_bytes()
    except OSError as error:
        raise DataError(
            f"data.fetch.labels names the table {labels['table']}: {table} can't be read ({error.strerror}). {HOW}"
        ) from error
    how = f"data.fetch.labels: {{{{table: {called}, encoding: {{}}}}}}"
    text, _ = tables.decoded(content, called, labels.get("encoding"), how)
    if text.lstrip()[:1] in ("{", "["):
        raise DataError(f"{table} is JSON. Write a table, .csv, with a line for each file: its name, and its class.")
    if not text.strip():
        raise DataError(f"{table} is empty. Write a line for each file: its name, and its class.")
    wanted = list(dict.fromkeys(labels[key] for key in ("file", "label") if labels.get(key)))
    remedy = "Set the keys file and label of data.fetch.labels to the names of its columns."
    files = _Files(names, folder)
    if any(map(files.called, tables.columns(text, called, [], remedy))):  # no names of columns, but a row
        text = tables.with_head(text, called)
    columns = wanted if len(wanted) == 2 else tables.columns(text, called, wanted, remedy)
    rows = list(tables.rows(text, called, columns, remedy))
    files.learn([[row.values[place] for row in rows] for place in range(len(columns))])
    of_file = labels.get("file") or _of_files(rows, columns, files, called)
    at_file = columns.index(of_file)
    if not labels.get("label") and (said := _by_ones(rows, columns, at_file)):
        log.warning("%s: the class of a file is the one of its columns %s that says 1", called, some(said[0], 20))
        return _joined(said[1], 0, 1, files, called)
    of_label = labels.get("label") or _of_labels(rows, columns, of_file, called, labels)
    return _joined(rows, at_file, columns.index(of_label), files, called)


def _by_ones(
    rows: Sequence[tables.Row], columns: Sequence[str], at_file: int
) -> tuple[list[str], list[tables.Row]] | None:
    """The classes, and each file with its own, where every other column is a class and says 1 in its rows, 0 else."""
    others = [place for place in range(len(columns)) if place != at_file]
    ones = [[place for place in others if row.values[place].strip().lower() in _ONE] for row in rows]
    nothing = all(row.values[place].strip().lower() in (*_ONE, *_ZERO) for row in rows for place in others)
    if len(others) < 2 or not nothing or any(len(its) != 1 for its in ones):
        return None
    return [columns[place] for place in others], [
        tables.Row(row.line, [row.values[at_file], columns[place]]) for row, (place,) in zip(rows, ones, strict=True)
    ]


def _without_suffix(name: str) -> str:
    return name[: -len(suffix)] if (suffix := PurePosixPath(name).suffix) else name


_WAYS: Mapping[Callable[[str], str], str] = {
    str: "", unquote: "as addresses are written", str.casefold: "in other capitals",
    _without_suffix: "by another suffix",
}  # fmt: skip


class _Files:
    """Files by what a table may call them: the end of their path, with the suffix or without."""

    def __init__(self, names: Sequence[str], folder: Path) -> None:
        self.names = names
        self._by_end: dict[str, list[str]] = {}
        above = folder.absolute().parts[1:]
        for name in names:
            parts = (*above, *PurePosixPath(name).parts)
            ends = {"/".join(parts[place:]) for place in range(len(parts))}
            for end in ends | {end[: -len(suffix)] for end in ends if (suffix := PurePosixPath(name).suffix)}:
                self._by_end.setdefault(_plain(end), []).append(name)
        self._by_cell: dict[str, list[str]] = {}  # what `learn` found

    def learn(self, columns: Sequence[Sequence[str]]) -> None:
        """Where no column names files, find out how one might: written on another computer, or put otherwise."""
        every = [[cell for cell in map(self._cleaned, cells) if cell] for cells in columns]
        if any(self._by_end.get(cell) for cells in every for cell in cells):
            return
        for cells in filter(None, every):
            before = PurePosixPath(os.path.commonpath([PurePosixPath(cell).parent for cell in cells])).parts
            tries = ((way, cut) for way in _WAYS for cut in range(len(before) + 1))
            if (how := next((how for how in tries if self._fits(cells, *how)), None)) is None:
                continue
            way, cut = how
            said = [_WAYS[way]] * bool(_WAYS[way]) + [f"without {'/'.join(before[:cut])!r}"] * bool(cut)
            log.warning("a table names files that are found %s, such as %s", " and ".join(said), cells[0])

    def _fits(self, cells: Sequence[str], way: Callable[[str], str], cut: int) -> bool:
        """Whether most cells mean one file each without `cut` folders in front, both put in a `way`; they do then."""
        by_end: dict[str, set[str]] = {}
        for end, names in self._by_end.items():
            by_end.setdefault(way(end), set()).update(names)
        found = {cell: by_end.get(way("/".join(PurePosixPath(cell).parts[cut:])), set()) for cell in cells}
        single = {cell: list(its) for cell, its in found.items() if len(its) == 1}
        if 2 * len(single) <= len(found):
            return False
        self._by_cell |= single
        return True

    def called(self, cell: str) -> list[str]:
        """The files that a cell may mean."""
        name = self._cleaned(cell)
        return self._by_end.get(name) or self._by_cell.get(name, [])

    @staticmethod
    def _cleaned(cell: str) -> str:
        return _plain(cell.strip()).replace("\\", "/").removeprefix("./").lstrip("/")


def _of_files(rows: Sequence[tables.Row], columns: Sequence[str], files: _Files, table: str) -> str:
    """The column whose cells name files."""
    hits = [sum(bool(files.called(row.values[place])) for row in rows) for place in range(len(columns))]
    likely = [column for column, n in zip(columns, hits, strict=True) if n and 2 * n >= max(hits)]
    if not likely:
        raise DataError(
            f"{table}: none of its columns names the files, such as {files.names[0]}; in the first row are "
            f"{some([repr(value[:40]) for value in rows[0].values])}. Write their names, with the suffix or without."
        )
    if len(likely) > 1:
        raise DataError(
            f"{table}: the columns {some(list(map(repr, likely)))} name files. Say which one, data.fetch.labels: "
            f"{{table: {table}, file: {likely[0]}}}."
        )
    return likely[0]


def _of_labels(
    rows: Sequence[tables.Row], columns: Sequence[str], of_file: str, table: str, labels: Mapping[str, str]
) -> str:
    """The column beside the files', if there is only one."""
    others = {
        column: len({row.values[place] for row in rows}) for place, column in enumerate(columns) if column != of_file
    }
    if len(others) == 1:
        return next(iter(others))
    if not others:
        raise DataError(f"{table}: beside the files' names none of its columns is left for the class. Add one.")
    again = [column for column in sorted(others, key=lambda column: others[column]) if others[column] > 1]
    raise DataError(
        f"{table} has the columns {some([f'{column} ({n} different values)' for column, n in others.items()], 20)}. "
        f"Say which one is the class, data.fetch.labels: {{table: {labels['table']}, label: {[*again, *others][0]}}}."
    )


def _joined(rows: Sequence[tables.Row], at_file: int, at_label: int, files: _Files, table: str) -> Named:
    found: dict[str, str] = {}
    lost: list[str] = []
    for row in rows:
        cell, label = row.values[at_file].strip(), row.values[at_label].strip()
        meant = files.called(cell)
        if not meant:
            lost.append(f"{cell} (line {row.line})")
            continue
        if len(meant) > 1:
            raise DataError(
                f"{table}, line {row.line}: {cell!r} may be {some(meant[:2]).replace(', ', ' or ')}. Write the folder "
                "too, or say which folders to take: data.fetch.splits."
            )
        if not label:
            raise DataError(f"{table}, line {row.line}: there is no label. Give it one, or take the row away.")
        if found.setdefault(meant[0], label) != label:
            raise DataError(
                f"{table}, line {row.line}: {meant[0]} is {label!r}, and {found[meant[0]]!r} above. Give a file one "
                "class."
            )
    if 2 * len(lost) > len(rows):
        raise DataError(
            f"{table}: {len(lost)} of the {len(rows)} rows name a file that is not there ({some(lost)}). Name the "
            "folder that holds them as data.fetch.path."
        )
    return Named(found, {"unlabelled": [name for name in files.names if name not in found], "not_there": lost})
