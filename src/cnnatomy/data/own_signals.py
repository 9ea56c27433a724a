"""A user's own signals: a file for each recording in a folder of its class, or all of them in one table or archive."""

from __future__ import annotations

import hashlib
import io
import logging
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from cnnatomy.data import archive, layout, own, recordings, signal_cells, signals, tables
from cnnatomy.data.column_names import GROUPS, RECORDINGS
from cnnatomy.data.errors import DamagedData, DataError
from cnnatomy.data.fetching import Into
from cnnatomy.data.left_out import LeftOut, left_out, said
from cnnatomy.data.naming import Labels
from cnnatomy.data.origin import Origin
from cnnatomy.data.signals import Recording
from cnnatomy.data.tables import Decoder

TABLES = (".csv", ".tsv", ".txt")
SOUNDS = (".wav", ".flac")
SUFFIXES = (*TABLES, ".npy", ".npz", *SOUNDS)
WHOLE = (".tsv", ".csv", ".ts", ".txt", ".npz")  # one file with all recordings; of one in several forms the first
#: Names of columns that are no channel: they say when, or in which row.
TIMES = ("", "time", "timestamp", "timestamps", "datetime", "date", "t", "index", "sample", "seconds", "unnamed",
         "zeit", "zeitstempel", "temps", "tiempo", "tempo", "время", "时间", "時間")  # fmt: skip
UNITS = frozenset(
    {"s", "sec", "secs", "seconds", "ms", "us", "µs", "ns", "min", "h", "utc", "stamp", "index", "number"}
)
FEW = 6  # values, fewer than a recording has
NUMBERED = 0.8  # of the columns of values are called alike, but for a number
RAMPS = 50  # recordings that are looked at
NINES = re.compile(r"-?999+")
_SPLIT = re.compile(r"(?i)(?:^|[_\-. ])(train|validation|val|test)$")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Columns:
    """Names of the columns of a table: the label's, and, where there are such, those of other things than values.

    decode: how tables become text. turned: files whose arrays have their time in front, for readers to add to. aside:
    columns of tables that are no moments of a recording, and are left out, likewise.
    """

    label: str
    recording: str | None
    time: str | None
    group: str | None
    split: str | None
    channels: tuple[str, ...] | None
    decode: Decoder
    turned: list[str] = field(default_factory=list, init=False)
    aside: list[str] = field(default_factory=list, init=False)


@dataclass(frozen=True)
class Read:
    """A recording as it was read: values (channels, steps), NaN where missing; names None where nothing names them."""

    values: np.ndarray
    names: tuple[str, ...] | None
    label: str
    id: str
    split: str
    group: str
    where: str
    rate: int | None = None


def fetch(
    into: Into,
    *,
    path: str,
    licence: str,
    citation: str,
    splits: Mapping[str, str] | bool | None = None,
    labels: Labels = None,
) -> None:
    """Write the raw zip with the files at `path`, as they are.

    path: a folder of each class with a file a recording (`<class>/…` or `<split>/<class>/…`), one table or .npz with
    all recordings, or a folder with such files of which the names end with train and test. Raises DataError.
    """
    place = Path(path).expanduser()
    if place.is_file() and labels is not None:
        raise DataError(tables.LABELS_OF_ROWS)
    if place.is_file():
        if not place.name.lower().endswith(WHOLE):
            raise DataError(f"{place} is no table of recordings: its name should end with {', '.join(WHOLE)}.")
        contents = own.Files({place.name: place})
    elif place.is_dir() and labels is None and (found := of_splits(place)):
        contents = own.Files({file.name: file for file in found})
    else:
        contents = own.packed(path, SUFFIXES, splits, labels, bare=False)
    into.write(contents, licence, citation, contents.notes)


def prepare(
    raw: Path,
    folder: Path,
    *,
    digest: str,
    length: int | None,
    step: int | None,
    rate: float | None,
    unit: str,
    channels: Sequence[str] | None,
    label: str,
    recording: str | None,
    time: str | None,
    group: str | None,
    split: str | None,
    encoding: str | None,
    validation: float,
    test: float,
    classes: Sequence[str] | None = None,
) -> None:
    """Windows float32 (n, channels, steps) of the recordings, see `signals.Form` for `length`, `step`, `rate`, `unit`.

    channels: columns to take, in this order, or names of channels without any; None: all columns that are nothing else.
    label, recording, time, group, split: names of columns of a table. With `recording` a line of it is a moment, or
    else a whole recording. encoding: of tables; None is UTF-8, or guessed and said.
    Split as folders, files or the column `split` say, or by content: see `own.splits`. Recordings of one `group`, such
    as a patient, are never parted. classes: their order, see `own.ordered`. Raises DataError, and
    DamagedData for files that can't be read.
    """
    for key, value in (("length", length), ("step", step), ("rate", rate)):
        if value is not None and not value > 0:
            raise DataError(f"data.prepare.{key} is {value}; it is a number above 0, or null.")
    columns = Columns(
        label, recording, time, group, split, None if channels is None else tuple(channels), Decoder(encoding)
    )
    with archive.Raw(raw) as source:
        found = _read(source, columns)
        names = _channels(raw.stem, found, columns.channels)
        _say_ramps(raw.stem, found, names)
        _say_no_values(raw.stem, found, names)
        ordered = own.ordered(_classes(raw.stem, found), classes)
        sorted_, without = _sorted_out(raw.stem, found, ordered, validation, test)
        origin = Origin(source, digest, [*source.left_out, *without])
        signals.write(folder, sorted_, ordered, origin, signals.Form(length, step, _rate(found, rate), unit, names))


def _classes(name: str, found: Sequence[Read]) -> list[str]:
    """The labels in order. Raises DataError where they are none that a network could tell apart."""
    classes = own.in_order([one.label for one in found])
    if len(classes) < 2:
        raise DataError(
            f"{name}: there is one label only ({own.some(classes)}), so that there is nothing to tell apart."
        )
    if len(classes) > max(2, len(found) / 2):
        raise DataError(
            f"{name}: {len(found)} recordings have {len(classes)} labels, such as {own.some(classes)}, and "
            "classes come again and again. Set data.prepare.label to the column that says the class; in a table "
            "without a line of names it is the first."
        )
    return classes


def _read(source: archive.Raw, columns: Columns) -> list[Read]:
    """All recordings of a raw zip: a file each, or all in one."""
    if "layout" in source.manifest:
        found = [recording_of(source.read(file.name), file.name, file, columns) for file in own.filed(source)]
    else:
        alone = len(source.names) == 1
        found = [one for name in source.names for one in recordings_in(source.read(name), name, columns, alone=alone)]
    if columns.aside:
        log.warning("%s: %s", source.path.stem, said_aside(columns.aside))
    columns.decode.say(source.path.stem)
    if columns.turned:
        log.warning(
            "%s: arrays whose first axis is longer, which is taken for time: %d (%s)",
            *(source.path.stem, len(columns.turned), own.some(columns.turned)),
        )
    return found


def _sorted_out(
    data: str, found: Sequence[Read], classes: Sequence[str], validation: float, test: float
) -> tuple[list[Recording], list[LeftOut]]:
    """The recordings to use, each in its split, in the order of their contents; and what is left out."""
    hashes = [hashlib.sha256(np.ascontiguousarray(one.values).tobytes()).hexdigest() for one in found]
    labels, given, ids = ([getattr(one, what) for one in found] for what in ("label", "split", "id"))
    kept, others = own.once(hashes, labels, given, ids)
    without = left_out(others)
    if without:
        log.warning("%s: left out %s", data, said(without))
    hashes, found = [hashes[place] for place in kept], [found[place] for place in kept]
    whose = _splits(found, hashes, validation, test)
    in_groups = any(one.group for one in found)
    ordered = sorted(zip(hashes, found, whose, strict=True), key=lambda each: (each[0], each[1].id))
    return [
        Recording(
            one.values, classes.index(one.label), one.id, split, one.where, {"group": one.group} if in_groups else {}
        )
        for _, one, split in ordered
    ], without


def of_splits(folder: Path) -> list[Path]:
    """The files right in the folder whose names end with train and test, and begin alike; none where there are none.

    Raises DataError where they are of several sets, or one has no other.
    """
    sets: dict[str, dict[str, Path]] = {}  # by how names begin, the file of each split
    for suffix in WHOLE:
        for file in sorted(folder.iterdir()):
            said = _SPLIT.search(file.stem)
            if file.is_file() and file.suffix.lower() == suffix and said:
                its = sets.setdefault(file.stem[: said.start()].lower(), {})
                its.setdefault(layout.SPLITS_BY_NAME[said[1].lower()], file)
    whole = [its for its in sets.values() if {"train", "test"} <= set(its)]
    if not whole and any(one.is_dir() for one in folder.iterdir()):  # of classes; what lies beside them is left out
        return []
    if len(sets) > 1 or len(whole) < len(sets):
        listed = own.some(sorted(file.name for its in sets.values() for file in its.values()))
        raise DataError(
            f"{folder}: which files are one set, of train and test, their names must say, as in Moves_TRAIN.ts and "
            f"Moves_TEST.ts; here are {listed}. Put the pair to use into a folder of its own and name it in "
            "data.fetch.path, or the one file without a split."
        )
    return list(whole[0].values()) if whole else []


def _rate(found: Sequence[Read], rate: float | None) -> float | None:
    """The rate of all recordings, in Hz: the given one, or that of sound files. Raises DataError where files differ."""
    rates = {one.rate: one.where for one in found if one.rate is not None}
    if rate is None and rates:
        rate = next(iter(rates))
    if strange := {hertz: where for hertz, where in rates.items() if hertz != rate}:
        hertz, where = next(iter(strange.items()))
        raise DataError(f"{where} has {hertz} values a second, not {rate:g}. Resample it, or give all files one rate.")
    return rate


def _channels(data: str, found: Sequence[Read], wanted: tuple[str, ...] | None) -> list[str]:
    """The names of the channels, which all recordings share."""
    if not found:
        raise DataError(f"{data}: there is no recording in its files. Add some.")
    first = found[0]
    for one in found:
        if len(one.values) != len(first.values):
            raise DataError(
                f"{one.where} has {len(one.values)} channels, {first.where} has {len(first.values)}. Take out what is "
                "none, or name the columns to take: data.prepare.channels."
            )
        if one.names != first.names:
            raise DataError(
                f"{one.where} has the columns {_listed(one.names)}, {first.where} {_listed(first.names)}. Give all "
                "files the same, or name those to take: data.prepare.channels."
            )
    if first.names is not None:
        return list(first.names)
    if wanted is not None:
        if len(wanted) != len(first.values):
            raise DataError(
                f"data.prepare.channels names {len(wanted)} channels, but {first.where} has {len(first.values)} and no "
                "line of names to choose by."
            )
        return list(wanted)
    return [f"channel {place}" for place in range(1, len(first.values) + 1)]


def _listed(names: Sequence[str] | None) -> str:
    return "without names" if names is None else own.some([repr(name) for name in names])


def _splits(found: Sequence[Read], hashes: Sequence[str], validation: float, test: float) -> list[str]:
    """The split of each recording, those of one group in one."""
    given = [one.split for one in found]
    if any(given) and not {"train", "test"} <= set(given):
        said = own.some(sorted(split or "none" for split in set(given)))
        raise DataError(f"The splits given are {said}. Say train of some recordings and test of others, or give none.")
    labels = [one.label for one in found]
    if not any(one.group for one in found):
        return own.splits(hashes, labels, given, validation=validation, test=test)
    return own.in_groups(labels, [one.group for one in found], given, validation=validation, test=test)


# One file for each recording


def recording_of(content: bytes, name: str, file: layout.Filed, columns: Columns) -> Read:
    """The recording of a file of its own. Raises DataError."""
    suffix, rate, names = PurePosixPath(name).suffix.lower(), None, None
    if suffix in SOUNDS:
        values, rate = recordings.channels(content, name)
    elif suffix in TABLES:
        values, names = _columns(content, name, columns)
    else:
        values = _array(content, name, columns)
    return Read(values, names, file.label, name, file.split, file.group, name, rate)


def _array(content: bytes, name: str, columns: Columns) -> np.ndarray:
    """An array of numbers as (channels, steps); of two axes the longer one is time."""
    arrays = _arrays(content, name)
    if len(arrays) != 1:
        raise DataError(f"{name} should hold the one array of a recording, and holds {own.some(sorted(arrays))}.")
    values = next(iter(arrays.values()))
    if values.ndim not in (1, 2) or values.dtype.kind not in "fiub" or values.size == 0:
        raise DataError(
            f"{name} holds {values.dtype} of shape {values.shape}. Save a recording as numbers of shape (steps,) "
            "or (channels, steps)."
        )
    values = np.atleast_2d(values).astype(np.float64)
    if values.shape[0] <= values.shape[1]:
        return values
    columns.turned.append(name)
    return values.T


def _arrays(content: bytes, name: str) -> dict[str, np.ndarray]:
    try:
        loaded = np.load(io.BytesIO(content), allow_pickle=False)
        return {"": loaded} if isinstance(loaded, np.ndarray) else {key: loaded[key] for key in loaded.files}
    except (ValueError, EOFError, OSError, KeyError, zipfile.BadZipFile) as error:
        if "Object arrays" in str(error):
            raise DataError(
                f"{name} holds an array of Python's objects, which may be programs and are not read. Save numbers as "
                "numbers, labels as texts: np.savez(file, X=X.astype(float), y=y.astype(str)); recordings of "
                "different lengths as a file each."
            ) from error
        raise DamagedData(
            f"{name} can't be read as arrays of numbers or texts: {error}. Save it anew: np.savez(file, X=…, y=…)."
        ) from error


def _columns(content: bytes, name: str, columns: Columns) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """The channels of a recording, a column each, (channels, steps), and their names where the first line has them."""
    rows = list(signal_cells.below(signal_cells.rows_of(content, name, columns.decode), name, columns.decode))
    head = rows.pop(0)[1] if not all(map(signal_cells.is_number, rows[0][1])) else None
    if not rows:
        raise DataError(f"{name} has a line of names and no line of values. Add some, or take the file away.")
    if head is None:
        if columns.time is not None:
            raise DataError(f"{name}, line 1: there are numbers where data.prepare.time wants a column of a name.")
        return signal_cells.numbers(rows, name, None, range(len(rows[0][1]))).T, None
    chosen = _chosen(head, name, columns.channels, [columns.time])
    return signal_cells.numbers(rows, name, head, chosen).T, tuple(head[place] for place in chosen)


def _chosen(
    head: Sequence[str], name: str, wanted: Sequence[str] | None, others: Sequence[str | None], line: int = 1
) -> list[int]:
    """The places of the columns that are channels: the wanted ones, or all that are nothing else."""
    if lost := [other for other in (*others, *(wanted or ())) if other is not None and other not in head]:
        raise DataError(
            f"{name}, line {line}: there is no column {own.some([repr(key) for key in lost])}. There are "
            f"{_listed(head)}."
        )
    if wanted is not None:
        return [list(head).index(key) for key in wanted]
    found = [place for place, key in enumerate(head) if key not in others and not _says_when(key)]
    if not found:
        raise DataError(
            f"{name}, line {line}: of the columns {_listed(head)} none is a channel. "
            "Name the columns to take: data.prepare.channels."
        )
    return found


def _says_when(column: str) -> bool:
    """Whether a column's name means time or the number of a row: "time", "Time (ms)", "timestamp_ns", "Unnamed: 0"."""
    first, *others = re.split(r"[\W_]+", column.strip().lower())
    return first in TIMES and (first == "unnamed" or set(others) <= UNITS | {""})


def _say_ramps(data: str, found: Sequence[Read], names: Sequence[str]) -> None:
    """Warn of channels that rise evenly in all recordings, as a time without its name does."""
    even = [name for place, name in enumerate(names) if all(_is_even(one.values[place]) for one in found[:RAMPS])]
    if even:
        log.warning(
            "%s: the channels %s rise evenly in every recording, as time does. If they are none, name the others: "
            "data.prepare.channels=[…]",
            data,
            own.some([repr(name) for name in even]),
        )


def _say_no_values(data: str, found: Sequence[Read], names: Sequence[str]) -> None:
    """Warn of a value of nines, as -9999, that comes again far from all others: it may say that one is missing."""
    for place, name in enumerate(names):
        values = np.concatenate([one.values[place] for one in found])
        values = values[np.isfinite(values)]
        for end in {values.min(), values.max()} if len(values) else ():
            others = values[values != end]
            times, far = len(values) - len(others), 5 * abs(others).max(initial=0) < abs(end)
            if NINES.fullmatch(f"{end:.0f}") and times > 1 and far:
                log.warning(
                    "%s: in the channel %s the value %g stands %d times, far from all others. If it says that there is "
                    "no value, leave those cells empty, or write NaN",
                    *(data, repr(name), end, times),
                )


def _is_even(values: np.ndarray) -> bool:
    steps = np.diff(values)
    return len(steps) > 4 and bool(steps[0] > 0 and np.allclose(steps, steps[0], rtol=1e-3))


# All recordings in one file


def recordings_in(content: bytes, name: str, columns: Columns, *, alone: bool = False) -> Iterator[Read]:
    """The recordings of a table, an archive or a .ts file. alone: its name says no split. Raises DataError."""
    said = None if alone else _SPLIT.search(PurePosixPath(name).stem)
    split = layout.SPLITS_BY_NAME[said[1].lower()] if said else ""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".npz":
        return _stacked(content, name, split)
    if suffix == ".ts":
        return _time_series(content, name, split, columns.decode)
    rows = signal_cells.rows_of(content, name, columns.decode)
    first = rows[0][1]
    if columns.recording is not None:
        head, *rows = signal_cells.below(rows, name, columns.decode)
        return _long(rows, name, head[1], columns, split)
    if columns.label in first:
        return _wide(rows[1:], name, first, columns, split)
    if not any(map(signal_cells.is_number, first)):
        raise DataError(
            f"{name} has no column {columns.label!r}: its first line names {_listed(first)}. Set data.prepare.label, "
            "and, where a recording is more than one line, data.prepare.recording, to the names of columns."
        )
    for key in ("group", "split", "time"):
        if getattr(columns, key) is not None:
            raise DataError(f"{name}, line 1: there are no names of columns, and data.prepare.{key} wants one.")
    return _wide(rows, name, None, columns, split)


def _stacked(content: bytes, name: str, split: str) -> Iterator[Read]:
    """An archive of arrays: X (n, channels, steps) or (n, steps), y (n,), and perhaps group and split (n,).

    Or X_train and y_train, and so on. Of the two last axes of X the longer one is time.
    """
    arrays = _arrays(content, name)
    parts = {its: layout.split_of(its[2:]) for its in arrays if its[:2] in ("X_", "x_") and f"y_{its[2:]}" in arrays}
    if "train" in parts.values() and all(parts.values()):
        for its, split in parts.items():
            yield from _stack({"X": arrays[its], "y": arrays[f"y_{its[2:]}"]}, f"{name}, {its}", split)
        return
    yield from _stack(arrays, name, split)


def _called_so(arrays: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
    """Arrays under the names X and y where others that are usual stand for them."""
    found = dict(arrays)
    for name, others in (("X", ("x", "data", "signals", "inputs", "values")), ("y", ("labels", "label", "target"))):
        there = [other for other in others if other in arrays]
        if name not in arrays and len(there) == 1:
            found[name] = found.pop(there[0])
    return found


def _stack(arrays: Mapping[str, np.ndarray], name: str, split: str) -> Iterator[Read]:
    arrays = _called_so(arrays)
    if not {"X", "y"} <= set(arrays):
        raise DataError(f"{name} should hold the arrays X and y, and holds {own.some(sorted(arrays)) or 'nothing'}.")
    values, labels = arrays["X"], arrays["y"]
    labels = _texts(labels.ravel() if labels.shape == (*values.shape[:1], 1) else labels)
    if values.ndim not in (2, 3) or values.dtype.kind not in "fiub" or labels.shape != values.shape[:1]:
        raise DataError(
            f"{name}: X is {values.dtype} {values.shape} and y {labels.dtype} {labels.shape}; they should be numbers "
            "(n, channels, steps) or (n, steps), and labels (n,): of a 1 among zeros, y.argmax(1)."
        )
    others = {key: _texts(arrays[key]) if key in arrays else None for key in ("group", "split")}
    for key, other in others.items():
        if other is not None and other.shape != labels.shape:
            raise DataError(
                f"{name}: {key} is of shape {other.shape}. Make it {labels.shape}, one for each recording, or "
                "leave it out."
            )
    values = values[:, None] if values.ndim == 2 else values
    if values.shape[1] > values.shape[2]:
        log.warning("%s: X is of shape %s, of which the longer axis is taken for time", name, values.shape)
        values = values.swapaxes(1, 2)
    for place in range(len(values)):
        where = f"{name}, recording {place}"
        group = "" if others["group"] is None else str(others["group"][place])
        its = split if others["split"] is None else layout.given_split(str(others["split"][place]), where)
        label = _label(str(labels[place]), where)
        yield Read(values[place].astype(np.float64), None, label, _id(split, f"recording {place}"), its, group, where)


def _texts(array: np.ndarray) -> np.ndarray:
    """Bytes, as other languages write texts, as texts."""
    return np.char.decode(array, "utf-8", "replace") if array.dtype.kind == "S" else array


def _time_series(content: bytes, name: str, split: str, decode: Decoder) -> Iterator[Read]:
    """The .ts files of the UEA and UCR archives: a recording a line, its channels and its label with colons between."""
    lines = list(enumerate(decode(content, name).splitlines(), 1))
    start = next((place for place, (_, line) in enumerate(lines) if line.strip().lower() == "@data"), None)
    if start is None:
        raise DataError(f"{name} has no line @data, below which a .ts file should have its recordings.")
    if any(line.lower().split()[:2] == ["@timestamps", "true"] for _, line in lines[:start]):
        raise DataError(f"{name} has a time beside every value (@timestamps true); only values in step can be read.")
    for number, line in lines[start + 1 :]:
        if not line.strip():
            continue
        *parts, said = line.strip().split(":")
        where = f"{name}, line {number}"
        channels = [signal_cells.values(part.split(","), where) for part in parts]
        if not channels or len({len(values) for values in channels}) > 1:
            raise DataError(
                f"{where}: a line should have channels of one length with colons between, and its label at the end."
            )
        label = _label(said, where)
        yield Read(_ended(np.stack(channels)), None, label, _id(split, f"line {number}"), split, "", where)


def _wide(
    rows: Sequence[tuple[int, list[str]]], name: str, head: Sequence[str] | None, columns: Columns, split: str
) -> Iterator[Read]:
    """A line for each recording of one channel: its label, and its values in order."""
    if not rows:
        raise DataError(f"{name} has a line of names and no line of values. Add some, or take the file away.")
    others = {key: getattr(columns, key) for key in ("label", "group", "split")}
    if head is None:
        at = {"label": _place_of_label(rows, name, columns.label)}
        widest = max(len(cells) for _, cells in rows)
        chosen: Sequence[int] = [place for place in range(widest) if place != at["label"]]
    else:
        chosen = _chosen(head, name, None, list(others.values()))  # which are moments, not channels
        _refuse_moments(rows, name, head, chosen, list(others.values()))
        aside = _no_moments(head, chosen)
        columns.aside.extend(head[place] for place in aside if head[place] not in columns.aside)
        chosen = [place for place in chosen if place not in aside]
        at = {key: list(head).index(other) for key, other in others.items() if other is not None}
    for number, cells in rows:
        where = f"{name}, line {number}"
        if head is not None and len(cells) > len(head):
            raise DataError(f"{where}: there are {len(cells)} values, and {len(head)} columns.")
        said = {key: cells[place] if place < len(cells) else "" for key, place in at.items()}
        its = layout.given_split(said["split"], where) if "split" in said else split
        values = signal_cells.values([cells[place] if place < len(cells) else "" for place in chosen], where)
        label = _label(said["label"], where)
        group = said.get("group", "")
        yield Read(_ended(values[None]), None, label, _id(split, f"line {number}"), its, group, where)


def said_aside(names: Sequence[str]) -> str:
    """That columns are left out of recordings that stand in a line each."""
    return (
        "columns that are left out, for their names are not like those of the values: "
        f"{own.some(list(map(repr, names)))}. If one is whom a recording is of, name it as data.prepare.group; if they "
        "are values, call them like the others"
    )


def _no_moments(head: Sequence[str], chosen: Sequence[int]) -> list[int]:
    """The places of columns beside the values of a recording in a line: an id, an age.

    Values are numbered as a rule, v0, v1 and so on: then whatever is called otherwise; else what is called as ids are.
    """
    stems = {place: re.sub(r"\d+", "", head[place]).strip().lower() for place in chosen}
    stem, count = Counter(stems.values()).most_common(1)[0]
    if count >= max(FEW, NUMBERED * len(chosen)):
        return [place for place in chosen if stems[place] != stem]
    return [place for place in chosen if stems[place].endswith("id") or stems[place] in (*GROUPS, *RECORDINGS)]


def _place_of_label(rows: signal_cells.Cells, name: str, said: str) -> int:
    """The column of the classes in a table without names of columns: the first, or the one of `column 188`.

    Raises DataError where the first can hardly be it, and the last can.
    """
    wide = {len(cells) for _, cells in rows}
    if numbered := re.fullmatch(r"column (\d+)", said):
        place = int(numbered[1]) - 1
        if len(wide) > 1 or not 0 <= place < min(wide):
            raise DataError(
                f"{name}: data.prepare.label is {said!r}, and its lines have {own.some(sorted(map(str, wide)))} "
                "columns, counted from 1. Name one that each line has."
            )
        return place
    if classes := classes_at_the_end(rows):
        raise DataError(
            f"{name}: no line of names says the column of the classes. The first, which is taken then, holds "
            f"fractions; the last holds {own.some(classes)}. If that is the class: data.prepare.label: column "
            f"{len(rows[0][1])}."
        )
    return 0


def classes_at_the_end(rows: signal_cells.Cells) -> list[str]:
    """What may be classes in the last column of a table without names; none where the first can be the one of them."""
    first, last = ([cells[place] for _, cells in rows] for place in (0, -1))
    even = len({len(cells) for _, cells in rows}) == 1
    if not even or not any(map(_is_fraction, first)) or any(map(_is_fraction, last)):
        return []
    classes = own.in_order(list(set(last)))
    return classes if 2 <= len(classes) <= len(rows) / 2 else []


def _is_fraction(cell: str) -> bool:
    try:
        return not float(cell).is_integer()
    except ValueError:
        return False


def _refuse_moments(
    rows: signal_cells.Cells, name: str, head: Sequence[str], chosen: Sequence[int], others: Sequence[str | None]
) -> None:
    """Refuse a table of which each line seems to be a moment: one says when, or few values of which one stays."""
    said = [key for place, key in enumerate(head) if place not in chosen and key not in others]
    when = [key for key in said if key.lower() not in ("", "index", "sample", "unnamed: 0")]  # those number the rows
    cells = [[row[place] for place in chosen] for _, row in rows if len(row) == len(head)]
    same = [sum(a == b for a, b in zip(column, column[1:], strict=False)) for column in zip(*cells, strict=True)]
    stays = [head[place] for place, n in zip(chosen, same, strict=True) if len(chosen) < FEW and 2 * n > len(cells)]
    if when or stays:
        raise DataError(
            f"{name}: in each line there is {when[0] if when else stays[0]!r}, as if a line were a moment of a "
            f"recording. If it is: data.prepare.recording={stays[0] if stays else '…'} names the column that says "
            f"which recording. If a line is a whole recording, take that column out."
        )


def _long(
    rows: Sequence[tuple[int, list[str]]], name: str, head: Sequence[str], columns: Columns, split: str
) -> Iterator[Read]:
    """A line for each moment: the recording that it is of, its channels, and what is said of the recording."""
    others = {key: getattr(columns, key) for key in ("recording", "label", "time", "group", "split")}
    chosen = _chosen(head, name, columns.channels, list(others.values()))
    at = {key: list(head).index(other) for key, other in others.items() if other is not None}
    if not rows:
        raise DataError(f"{name} has a line of names and no line of values. Add some, or take the file away.")
    values = signal_cells.numbers(rows, name, head, chosen)
    moments = signal_cells.moments(rows, name, head, at["time"]) if "time" in at else np.arange(len(rows))
    together: dict[str, list[int]] = {}
    for place, (_, cells) in enumerate(rows):
        together.setdefault(cells[at["recording"]].strip(), []).append(place)
    for key, places in together.items():
        said: dict[str, str] = {}
        for what in ("label", "group", "split"):
            if what not in at:
                continue
            for place in places:
                number, cells = rows[place]
                cell = cells[at[what]].strip()
                if said.setdefault(what, cell) != cell:
                    raise DataError(
                        f"{name}, line {number}: the {what} of the recording {key!r} is {cell!r}, and {said[what]!r} "
                        "above. Give a recording one; where its name comes again, as with another subject, write both "
                        "into one column."
                    )
        where = f"{name}, recording {key!r} from line {rows[places[0]][0]}"
        if "time" in at:
            _refuse_several(places, moments[places], where)
        order = np.array(places)[np.argsort(moments[places], kind="stable")]
        its = layout.given_split(said["split"], where) if "split" in said else split
        names = tuple(head[place] for place in chosen)
        label, group = _label(said["label"], where), said.get("group", "")
        yield Read(values[order].T, names, label, _id(split, f"recording {key}"), its, group, where)


def _refuse_several(places: Sequence[int], moments: np.ndarray, where: str) -> None:
    """Refuse several recordings under one name: it comes again further down, with the same times."""
    runs = 1 + int((np.diff(places) > 1).sum())
    if runs > 1 and 2 * len(np.unique(moments)) <= len(moments):
        raise DataError(
            f"{where}: it stands in {runs} places with the same times, as if several recordings had that name. Write "
            "what tells them apart, such as the subject, into the same column."
        )


def _ended(values: np.ndarray) -> np.ndarray:
    """Without what is missing at the end: in a table of one width, shorter recordings are filled up with nothing."""
    there = np.flatnonzero(~np.isnan(values).all(axis=0))
    return values[:, : int(there[-1]) + 1] if len(there) else values


def _id(split: str, name: str) -> str:
    """What a recording is called; of files of several splits each counts from the beginning."""
    return f"{split}/{name}" if split else name


def _label(said: str, where: str) -> str:
    """A class's name; a whole number as such, for some write 1.0000e+00."""
    text = said.strip()
    if not text:
        raise DataError(f"{where}: there is no label. Give it one.")
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if np.isfinite(number) and number == int(number) else text
