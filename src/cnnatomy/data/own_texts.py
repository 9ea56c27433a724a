"""A user's own texts: a table with a row for each, or a folder of each class with a file for each."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from cnnatomy.data import archive, layout, own, tables, texts
from cnnatomy.data.errors import DataError
from cnnatomy.data.fetching import Into
from cnnatomy.data.left_out import LeftOut, left_out, said
from cnnatomy.data.naming import Labels
from cnnatomy.data.origin import Origin
from cnnatomy.data.tokenising import tokenise

CUT = (".csv", ".tsv")
LINES = (".jsonl", ".ndjson")
JSON = (*LINES, ".json")
FILES = (".txt",)

SHARE_OF_HTML = 0.05  # of the texts: then it is said
_HTML = re.compile(r"</?(?:br|p|div|span|a|b|i|li|ul|td|tr|h\d)\b[^<>]*>|&(?:amp|quot|nbsp|lt|gt|#\d+);", re.IGNORECASE)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Given:
    """One text: where it stands, what it is, its class, and its split where that is said."""

    where: str
    text: str
    label: str
    split: str


def fetch(
    into: Into,
    *,
    path: str,
    licence: str,
    citation: str,
    splits: Mapping[str, str] | bool | None = None,
    labels: Labels = None,
) -> None:
    """Write the raw zip with the table `path`, those of a folder with one a split, or the files of a folder of classes.

    Raises DataError.
    """
    place = Path(path).expanduser()
    if isinstance(labels, Mapping) and labels.get("group"):
        raise DataError("data.fetch.labels has a group, which texts have none of: say their splits in a column, split.")
    if place.is_file() and labels is not None:
        raise DataError(tables.LABELS_OF_ROWS)
    if place.is_dir() and labels is None and (found := of_splits(place)):
        files = own.Files({file.name: file for file in found})
    elif place.is_dir():
        files = own.packed(path, FILES, splits, labels)
    elif place.is_file() and place.name.lower().endswith((*CUT, *JSON, *FILES)):
        files = own.Files({place.name: place})
    else:
        raise DataError(
            f"{place} is no table: name a file whose name ends with {', '.join((*CUT, *JSON))}, or a folder of each "
            f"class with .txt files. {tables.SAVE}"
        )
    into.write(files, licence, citation, files.notes)


def of_splits(folder: Path) -> list[Path]:
    """The tables right in a folder that are one set: train.csv and test.csv, or a single one; none beside .txt files.

    Raises DataError where it can't be told which are one set.
    """
    found = [file for file in sorted(folder.iterdir()) if file.is_file() and not file.name.startswith(".")]
    found = [file for file in found if file.name.lower().endswith((*CUT, *LINES))]
    if not found or next(folder.rglob("*.txt"), None) is not None:
        return []
    splits = _splits_by_name([file.name for file in found])
    if len(found) > 1 and (len(set(splits.values())) < len(found) or "train" not in splits.values()):
        raise DataError(
            f"{folder} holds {len(found)} tables, {own.some([file.name for file in found])}. Name the one to use in "
            "data.fetch.path; or call them by their splits, such as train.csv and test.csv."
        )
    return found


def _splits_by_name(names: Sequence[str]) -> dict[str, str]:
    """The split that each table's name means, of those that mean one."""
    stems = {PurePosixPath(name).stem: name for name in names}
    return {stems[stem]: split for stem, split in layout.splits_of(stems).items()}


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
    tokens: str,
    encoding: str | None,
    validation: float,
    test: float,
    classes: Sequence[str] | None = None,
) -> None:
    """Tokens of a table's column `text`, with the column `label` as the classes; or of files in folders of classes.

    split: a column that says train, validation (or val) or test; where there is none, the content decides: see
    `own.splits`. classes: their order, see `own.ordered`. tokens: how texts are cut, see
    `tokenise`. encoding: None is UTF-8, or guessed and said.
    What has no word, or stands under several classes, or is a copy of a given test text, is left out and said.
    Raises DataError, which names the line of the table.
    """
    with archive.Raw(raw) as source:
        every = (
            _of_files(source, encoding)
            if "layout" in source.manifest
            else _of_tables(source, text, label, split, encoding)
        )
        if both := own.several_at_once([one.label for one in every]):
            log.warning("%s: %s", source.path.stem, both)
        ordered = own.ordered(_classes(every, source.path.stem, label), classes)
        used, whose, without = _sorted_out(source.path.stem, every, tokens, validation, test)
        labels = [ordered.index(one.label) for one in used]
        given = texts.Sentences([one.text for one in used], labels, whose)
        origin = Origin(source, digest, [*source.left_out, *without])
        texts.write(folder, given, ordered, origin, texts.Form(length, at_least, way=tokens))


def _sorted_out(
    data: str, every: Sequence[Given], tokens: str, validation: float, test: float
) -> tuple[list[Given], list[str], list[LeftOut]]:
    """The texts to use, the split of each, and what is left out."""
    read = [tokenise(one.text, tokens) for one in every]
    if marks := of_html([one.text for one in every]):
        log.warning("%s: %s", data, marks)
    worded = [place for place, found in enumerate(read) if found]
    if not worded:
        raise DataError(f"{data}: it is empty, {len(every)} texts were read and none has a word.")
    hashes = [own.content_hash(" ".join(read[place])) for place in worded]
    labels, given = ([getattr(every[place], what) for place in worded] for what in ("label", "split"))
    kept, others = own.once(hashes, labels, given, [every[place].where for place in worded])
    silent = [one.where for one, found in zip(every, read, strict=True) if not found]
    without = left_out({"no_words": silent} | others)
    if without:
        log.warning("%s: left out %s", data, said(without))
    whose = own.splits(
        [hashes[row] for row in kept],
        [labels[row] for row in kept],
        [given[row] for row in kept],
        validation=validation,
        test=test,
    )
    return [every[worded[row]] for row in kept], whose, without


def of_html(texts: Sequence[str]) -> str:
    """What to say of texts in which signs of web pages are read as words; "" where hardly any has such."""
    found = [match[0] for text in texts if (match := _HTML.search(text))]
    if len(found) < SHARE_OF_HTML * len(texts) or not found:
        return ""
    return (
        f"{len(found):,} texts hold signs of web pages, such as {found[0][:30]}, whose names are read as words. "
        "To take them out, with pandas: html.unescape, and t[text].str.replace(r'<[^>]+>', ' ', regex=True)"
    )


def _of_files(source: archive.Raw, encoding: str | None) -> list[Given]:
    decode = tables.Decoder(encoding)
    every = [
        Given(file.name, decode(source.read(file.name), file.name), file.label, file.split)
        for file in own.filed(source)
    ]
    decode.say(source.path.stem)
    return every


def _of_tables(source: archive.Raw, text: str, label: str, split: str | None, encoding: str | None) -> list[Given]:
    """The rows of the one table, or of a table for each split, whose classes are the same."""
    if len(source.names) == 1:
        every = _of_table(source, source.names[0], text, label, split, encoding)
    else:
        splits = _splits_by_name(source.names)
        every = []
        for name in source.names:
            try:
                rows = _of_table(source, name, text, label, None, encoding)
            except DataError as error:
                alone = next(name for name in splits if splits[name] == "train")
                message = f"{error} Or name the one table with labels, data.fetch.path: …/{alone}."
                raise DataError(message) from error
            every += [replace(one, where=f"{name}, {one.where}", split=splits[name]) for one in rows]
    if split and len(source.names) == 1 and not {"train", "test"} <= {one.split for one in every}:
        raise DataError(
            f"{source.names[0]}: the column {split!r} should say train in some rows and test in some others."
        )
    names = _labels([one.label for one in every], own.some(source.names))
    return [replace(one, label=names[one.label]) for one in every]


def _of_table(
    source: archive.Raw, name: str, text: str, label: str, split: str | None, encoding: str | None
) -> list[Given]:
    wanted = list(dict.fromkeys(column for column in (text, label, split) if column is not None))
    content, guess = tables.decoded(source.read(name), name, encoding)
    of_rows = tables.of_json if name.lower().endswith(JSON) else tables.rows
    found = [(row.line, dict(zip(wanted, row.values, strict=True))) for row in of_rows(content, name, wanted)]
    if guess:
        shown = next((its for _, row in found for its in row.values() if not its.isascii()), "")
        log.warning(
            "%s is not in UTF-8 and taken for %s, in which it says “%s”. If that is wrong, set data.prepare.encoding",
            name,
            guess,
            shown[:40],
        )
    silent = [f"line {line}" for line, row in found if not row[label].strip()]
    if silent:
        raise DataError(
            f"{name}, {own.some(silent)}: there is nothing in the column {label!r}. Give it a label, or take the row "
            "away."
        )
    return [
        Given(
            f"line {line}",
            row[text],
            row[label],
            layout.given_split(row[split], f"{name}, line {line}") if split else "",
        )
        for line, row in found
    ]


def _labels(written: Sequence[str], table: str) -> dict[str, str]:
    """The name of the class that each label means: blanks count as one, 1.0 is 1, and True is true."""
    plain = {label: unicodedata.normalize("NFC", " ".join(label.split())) for label in set(written)}
    often = Counter(plain[label] for label in written)

    def same(name: str) -> object:
        if numbers:
            return float(name)
        return name.lower() if truths else name

    numbers = all(_is_number(name) for name in often)
    truths = {name.lower() for name in often} <= {"true", "false"}
    meant: dict[object, str] = {}
    for name in sorted(often, key=lambda name: (len(name) if numbers else -often[name], name.isupper(), name)):
        meant.setdefault(same(name), name)
    if len(meant) < len(often):
        ways = Counter(same(name) for name in often)
        several = sorted(name for name in often if ways[same(name)] > 1)
        log.warning("%s: labels that are written in several ways are one: %s", table, own.some(several))
    alike = Counter(name.lower() for name in meant.values())
    if any(n > 1 for n in alike.values()):
        pairs = sorted(name for name in meant.values() if alike[name.lower()] > 1)
        log.warning("%s: labels that differ in capitals only are classes of their own: %s", table, own.some(pairs))
    return {label: meant[same(name)] for label, name in plain.items()}


def _is_number(name: str) -> bool:
    try:
        return name.isascii() and "_" not in name and abs(float(name)) < 1e15
    except ValueError:
        return False


def _classes(every: Sequence[Given], name: str, label: str) -> list[str]:
    classes = own.in_order([one.label for one in every])
    if len(classes) < 2:
        raise DataError(
            f"{name}: there is one label only ({own.some(classes)}), so that there is nothing to tell apart."
        )
    if len(classes) > max(2, len(every) / 2):
        raise DataError(
            f"{name}: the column {label!r} has {len(classes)} different values in {len(every)} rows "
            f"({own.some([one[:40] for one in classes])}), and classes come again and again. Name another column with "
            "data.prepare.label, or put numbers into ranges, such as low and high."
        )
    return classes
