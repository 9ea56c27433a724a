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
from cnnatomy.data.column_names import GROUPS
from cnnatomy.data.errors import DataError
from cnnatomy.data.layout import SPLITS_BY_NAME, given_split, some

CLASS, NUMBER = "{class}", "{number}"
#: What stands in a pattern for part of a name. All take as little as they can, from left to right.
SIGNS = {CLASS: "(?P<label>.+?)", NUMBER: r"\d+", "*": ".*?", "?": "."}
KEYS = ("table", "file", "label", "split", "group", "encoding")
HOW = (
    "Write a pattern, labels: '{class}.*' (of cat.1.jpg it is cat; * is anything, ? one sign, {number} digits), or the "
    "name of a table, labels: labels.csv."
)
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson")
LISTS = (".txt", ".lst")  # of files, with their classes behind a blank
SHEETS = (".xlsx", ".xls", ".ods")
SEPARATORS = "._- "
FIELDS = 4  # parts of a name that may be the class
OFFERED = 3  # patterns that a message names
LOOKED_AT = 20_000  # names that decide which
SOME = 5  # texts beside the files, of which one may be a table: of more, each is of one file
MANY = 10  # files of each class that make numbers likely to be classes
_ONE, _ZERO = ("1", "1.0", "true"), ("0", "0.0", "false", "")
ALONE = 0.01  # of the files may be the only one of their class

log = logging.getLogger(__name__)

Labels = str | Mapping[str, str] | None


class Named(NamedTuple):
    """The class of each file that has one, and the names of what has none by the reason why, see `left_out.REASONS`.

    splits, groups: of each file of which a table says them. hint: what else a table seems to say.
    """

    labels: dict[str, str]
    left_out: dict[str, list[str]]
    splits: dict[str, str]
    groups: dict[str, str]
    hint: str = ""


def table_of(labels: Labels, folder: Path) -> Path | None:
    """Where the table is that `data.fetch.labels` names, from the data's folder on; None for a pattern or nothing."""
    if isinstance(labels, Mapping):
        name = labels.get("table")
    else:
        name = labels if isinstance(labels, str) and "{" not in labels else None
    if not isinstance(name, str) or not name or "*" in name:
        return None
    return Path(folder).expanduser() / Path(name).expanduser()


def tables_of(labels: Labels, folder: Path) -> list[Path]:
    """The tables that `data.fetch.labels` names: one, or with a * several in the data's folder, as one a split."""
    name = labels.get("table") if isinstance(labels, Mapping) else labels
    if table := table_of(labels, folder):
        return [table]
    if not isinstance(name, str) or "*" not in name or "{" in name:
        return []
    try:
        found = sorted(Path(folder).expanduser().glob(name))
    except (ValueError, NotImplementedError) as error:
        raise DataError(f"data.fetch.labels is {name!r}: a * stands for part of a path from the folder on.") from error
    if not found:
        raise DataError(f"data.fetch.labels is {name!r}, and in {folder} no file is called so. {HOW}")
    return found


def named(names: Sequence[str], labels: Labels, folder: Path) -> Named:
    """The class of each file of `folder`, by what `data.fetch.labels` says. Raises DataError, with what to do."""
    if isinstance(labels, str) and "{" in labels:
        found = by_names(names, labels)
        return Named(found, {"unfitting": [name for name in names if name not in found]}, {}, {})
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
    said = labels if isinstance(labels, Mapping) else {"table": labels}
    each = [_by_table(names, table, said, folder) for table in tables_of(labels, folder)]
    classes: dict[str, str] = {}
    for one in each:
        if strange := next(
            (name for name in one.labels if classes.get(name, one.labels[name]) != one.labels[name]), ""
        ):
            raise DataError(
                f"{strange} is {classes[strange]!r} in one table and {one.labels[strange]!r} in another. Leave it "
                "out of one of them."
            )
        classes |= one.labels
    lost = [cell for one in each for cell in one.left_out["not_there"]]
    splits = {name: split for one in each for name, split in one.splits.items()}
    groups = {name: group for one in each for name, group in one.groups.items()}
    left_out = {"unlabelled": [name for name in names if name not in classes], "not_there": lost}
    return Named(classes, left_out, splits, groups, next((one.hint for one in each if one.hint), ""))


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
    lists = [
        name for name in beside if name.lower().endswith(LISTS) and name.count("/") < 2 and "read" not in name.lower()
    ]
    tables_there = tables_there or (lists if len(lists) <= SOME else [])
    if tables_there:
        which = min(tables_there, key=lambda name: ("submission" in name.lower(), name.count("/"), name))
        again = [name for name in tables_there if name.count("/") and name.partition("/")[2] == which.partition("/")[2]]
        which = f"'*/{which.partition('/')[2]}'" if len(again) > 1 else which
        said += f" If a table says the class of each file, data.fetch.labels: {which}."
    elif sheets := [name for name in beside if name.lower().endswith(SHEETS)]:
        said += f" If {sheets[0]} says the class of each file: save it as CSV, data.fetch.labels: labels.csv."
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
    if not text.strip():
        raise DataError(f"{table} is empty. Write a line for each file: its name, and its class.")
    files = _Files(names, folder, table.parent)
    columns, rows = _rows(
        text, called, files, [labels[key] for key in ("file", "label", "split", "group") if labels.get(key)]
    )
    files.learn([[row.values[place] for row in rows] for place in range(len(columns))])
    of_files = [labels["file"]] if labels.get("file") else _of_files(rows, columns, files, called)
    of_file = of_files[0]
    at_file = columns.index(of_file)
    if not labels.get("label") and (said := _by_ones(rows, columns, at_file)):
        log.warning("%s: the class of a file is the one of its columns %s that says 1", called, some(said[0], 20))
        return _joined(said[1], (0, 1, None, None), files, called)
    split = labels.get("split") or next((one for one in columns if _says_splits(rows, columns.index(one))), None)
    left = [one for one in columns if one not in (split, labels.get("group"), *of_files)]
    of_label = labels.get("label") or _of_labels(rows, columns, left, labels)
    if split and "split" not in labels:
        settled = f"{{table: {labels['table']}, file: {of_file}, label: {of_label}, split: {split}}}"
        raise DataError(
            f"{called}: the column {split!r} says {some(_different(rows, columns.index(split)))}. If those are the "
            f"splits of the files: data.fetch.labels: {settled}. If they are not: the same with split: false."
        )
    at_split = columns.index(split) if split and labels.get("split") else None
    at_group = columns.index(labels["group"]) if labels.get("group") else None
    found = _joined(rows, (at_file, columns.index(of_label), at_split, at_group), files, called)
    whose = next((one for one in left if one != of_label and _says_whose(rows, columns.index(one), one)), "")
    if not whose or at_group is not None or at_split is not None:
        return found
    return found._replace(
        hint=f"the column {whose!r} of {called} may say whom a file is of. So that none is both learnt and asked of: "
        f"data.fetch.labels: {{table: {labels['table']}, file: {of_file}, label: {of_label}, group: {whose}}}"
    )


def _says_whose(rows: Sequence[tables.Row], place: int, name: str) -> bool:
    """Whether a column seems to say of whom a file is, by its name, "Patient ID", and by values that come again."""
    words = {word for word in re.split(r"[\W\d_]+", name.casefold()) if word} - {"id", "no", "nr", "number", "name"}
    return bool(words) and words <= set(GROUPS) and 2 < len(_different(rows, place)) < 0.9 * len(rows)


def _rows(text: str, called: str, files: _Files, wanted: list[str]) -> tuple[list[str], list[tables.Row]]:
    """The columns of a table of labels and its rows: cut at a sign, or at blanks, or objects of JSON."""
    remedy = "Set the keys file and label of data.fetch.labels to the names of its columns."
    if text.lstrip()[:1] in ("{", "["):
        columns = list(dict.fromkeys([*wanted, *tables.keys_of_json(text, called)]))
        return columns, list(tables.of_json(text, called, columns, remedy))
    text = tables.at_blanks(text) or text
    if any(map(files.called, tables.columns(text, called, [], remedy))):  # no names of columns, but a row
        text = tables.with_head(text, called)
    columns = tables.columns(text, called, wanted, remedy)
    if doubled := [one for one in dict.fromkeys(columns) if columns.count(one) > 1 and one not in wanted]:
        columns = [one for one in columns if one not in doubled]
    return columns, list(tables.rows(text, called, columns, remedy))


def _different(rows: Sequence[tables.Row], place: int) -> list[str]:
    return list(dict.fromkeys(row.values[place].strip() for row in rows))


def _says_splits(rows: Sequence[tables.Row], place: int) -> bool:
    """Whether a column's values are names of splits, to train on and to test on among them."""
    meant = {SPLITS_BY_NAME.get(cell.lower()) for cell in _different(rows, place)}
    return None not in meant and {"train", "test"} <= meant


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


def _without_zeros(name: str) -> str:
    """A name as a spreadsheet leaves it, 7 of 0007.png."""
    return re.sub(r"(?<!\d)0+(?=\d)", "", _without_suffix(name))


def _without_suffix(name: str) -> str:
    return name[: -len(suffix)] if (suffix := PurePosixPath(name).suffix) else name


_WAYS: Mapping[Callable[[str], str], str] = {
    str: "", unquote: "as addresses are written", str.casefold: "in other capitals",
    _without_suffix: "by another suffix", _without_zeros: "with zeros in front",
}  # fmt: skip


class _Files:
    """Files by what a table may call them: the end of their path, with the suffix or without."""

    def __init__(self, names: Sequence[str], folder: Path, table: Path) -> None:
        """table: the folder of the table, whose own files are meant before others of the same name."""
        self.names = names
        below = table.absolute().is_relative_to(folder.absolute())
        self._near = f"{table.absolute().relative_to(folder.absolute()).as_posix()}/" if below else ""
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
        found = self._by_end.get(name) or self._by_cell.get(name, [])
        near = [one for one in found if one.startswith(self._near)] if len(found) > 1 else []
        return near if len(near) == 1 else found

    @staticmethod
    def _cleaned(cell: str) -> str:
        return _plain(cell.strip()).replace("\\", "/").removeprefix("./").lstrip("/")


def _of_files(rows: Sequence[tables.Row], columns: Sequence[str], files: _Files, table: str) -> list[str]:
    """The columns whose cells name files, all the same ones."""
    meant = [[files.called(row.values[place]) for row in rows] for place in range(len(columns))]
    hits = [len({name for its in cells for name in its[:1]}) for cells in meant]  # numbers of classes may name a few
    likely = [column for column, n in zip(columns, hits, strict=True) if n and 2 * n >= max(hits)]
    if len({str(meant[columns.index(column)]) for column in likely}) == 1:
        return likely
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
    return likely


def _of_labels(
    rows: Sequence[tables.Row], columns: Sequence[str], left: Sequence[str], labels: Mapping[str, str]
) -> str:
    """The column beside the files', if there is only one left."""
    table = PurePosixPath(labels["table"]).name
    others = {column: len({row.values[columns.index(column)] for row in rows}) for column in left}
    if len(others) == 1:
        return next(iter(others))
    if not others:
        raise DataError(f"{table}: beside the files' names none of its columns is left for the class. Add one.")
    again = [column for column in sorted(others, key=lambda column: others[column]) if others[column] > 1]
    raise DataError(
        f"{table} has the columns {some([f'{column} ({n} different values)' for column, n in others.items()], 20)}. "
        f"Say which one is the class, data.fetch.labels: {{table: {labels['table']}, label: {[*again, *others][0]}}}."
    )


def _joined(
    rows: Sequence[tables.Row], places: tuple[int, int, int | None, int | None], files: _Files, table: str
) -> Named:
    """The class of each file, from the places of the columns of files, classes, splits and groups."""
    at_file, at_label, at_split, at_group = places
    found: dict[str, str] = {}
    splits: dict[str, str] = {}
    groups: dict[str, str] = {}
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
        if at_split is not None:
            splits[meant[0]] = given_split(row.values[at_split], f"{table}, line {row.line}")
        if at_group is not None:
            groups[meant[0]] = row.values[at_group].strip()
            if not groups[meant[0]]:
                raise DataError(f"{table}, line {row.line}: there is no group. Give it one, or take the row away.")
    if 2 * len(lost) > len(rows):
        raise DataError(
            f"{table}: {len(lost)} of the {len(rows)} rows name a file that is not there ({some(lost)}). Name the "
            "folder that holds them as data.fetch.path."
        )
    classes = set(found.values())
    if len(classes) > max(2, len(found) / 2):
        raise DataError(
            f"{table}: {len(found)} files have {len(classes)} labels, such as {some(sorted(classes))}, and classes "
            "come again and again. Name another column as label, or put numbers into ranges, such as low and high."
        )
    return Named(found, {"not_there": lost}, splits, groups)
