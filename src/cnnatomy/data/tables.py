"""Tables as people have them, in any encoding, cut at any sign, with lines above the head."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from cnnatomy.data.errors import DataError
from cnnatomy.data.files import POINTER
from cnnatomy.data.layout import some
from cnnatomy.data.left_out import shortened

SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
ABOVE = 10  # rows that may stand above the head
SPARSE = 0.05  # of a file's bytes may be zeros that were never meant
SAMPLE = 4000  # characters that a guess looks at
MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
SAVE = (
    "Save it as CSV in UTF-8, as spreadsheets offer; or with pandas, read_excel(…).to_csv(…, index=False), and "
    "read_parquet(…) likewise."
)
_UNPACK = "Unpack it, and name what was in it."
_NO_TABLES = (
    (b"\x1f\x8b", "packed by gzip", _UNPACK),
    (b"bzh", "packed by bzip2", _UNPACK),
    (b"\xfd7zxz", "packed by xz", _UNPACK),
    (b"<!doctype html", "a web page", "Get the table itself."),
    (b"<html", "a web page", "Get the table itself; a spreadsheet that some programs write so, save as CSV."),
)
NAME_COLUMNS = "Set data.prepare.text and data.prepare.label to the names of its columns."
LABELS_OF_ROWS = (
    "data.fetch.labels is of files, and data.fetch.path is one table. Name the column of its classes: "
    "data.prepare.label."
)
#: Encodings of two bytes, with the older one whose rows are sorted, and the first bytes of its signs in common use.
_DOUBLE = {
    "euc_jp": ("euc_jp", ((0xA1, 0xA5), (0xB0, 0xCF))),
    "cp932": ("shift_jis", ((0x81, 0x83), (0x88, 0x97))),
    "cp949": ("euc_kr", ((0xA1, 0xA3), (0xB0, 0xC8))),
    "gb18030": ("gb2312", ((0xA1, 0xA3), (0xB0, 0xD7))),
    "big5": ("big5", ((0xA1, 0xA3), (0xA4, 0xC6))),
}
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_RUSSIAN = frozenset("оеаинтсрвл")  # six letters of ten in any Russian text


log = logging.getLogger(__name__)


class Row(NamedTuple):
    """The values of the wanted columns, and the number of the line on which the row ends."""

    line: int
    values: list[str]


def decoded(
    content: bytes, name: str, encoding: str | None = None, how: str = "data.prepare.encoding={}"
) -> tuple[str, str]:
    """A file as text, and the encoding that was guessed ("" where none had to be).

    UTF-8, and what a mark at the beginning says, is no guess. how: what sets an encoding, {}.
    Raises DataError for what is no text, or can't be guessed.
    """
    if content.startswith(POINTER):
        raise DataError(f"{name} is a pointer of git-lfs in place of the text. Run git lfs pull in its folder.")
    if content[:4] == b"PK\x03\x04" or content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" or content[:4] == b"PAR1":
        raise DataError(f"{name} is no text, whatever its name says. {SAVE}")
    for mark, what, how_read in _NO_TABLES:
        if content[:200].lstrip().lower().startswith(mark):
            raise DataError(f"{name} is {what}, whatever its name says. {how_read}")
    known = encoding or next((its for mark, its in MARKS if content.startswith(mark)), None)
    if known is not None:
        return _strictly(content, name, known, how.format(encoding) if encoding else "the mark at its beginning"), ""
    if b"\0" in content[:SAMPLE]:
        _refuse_stray_zeros(content, name)
        return _strictly(content, name, _wide(content, name), "its pattern of zeros"), "utf-16"
    try:
        return content.decode("utf-8"), ""
    except UnicodeDecodeError as error:
        mended = content.decode("utf-8", errors="replace")
        strange = mended.count("\ufffd")
        if sum(sign > "\x7f" for sign in mended[: 50 * SAMPLE]) > 20 * strange:
            line = len(re.findall(rb"\r\n|\r|\n", content[: error.start])) + 1
            raise DataError(
                f"{name} is in UTF-8 but for {strange} places, the first byte {error.start}, in line {line}. Mend it, "
                f"or take them out: iconv -c -f UTF-8 -t UTF-8 {name}"
            ) from error
    guess = _guessed(content)
    if guess is None:
        raise DataError(
            f"{name} is not in UTF-8, and what else it is can't be told. Name it, as in {how.format('cp1256')}, "
            "or save it as UTF-8."
        )
    return content.decode(guess), guess


class Decoder:
    """Files as text, in the encoding that the user names or in what each seems to be in, which is said once.

    above: lines that were found above the values, and are no names of columns, for whoever reads them to add to.
    """

    def __init__(self, encoding: str | None) -> None:
        self._encoding = encoding
        self._guesses: defaultdict[str, list[str]] = defaultdict(list)
        self.above: list[str] = []

    def __call__(self, content: bytes, name: str) -> str:
        """A file as text. Raises DataError, see `decoded`."""
        text, guess = decoded(content, name, self._encoding)
        if guess:
            self._guesses[guess].append(name)
        return text

    def say(self, data: str) -> None:
        """Tell the log what was guessed, and what was left out above the values."""
        if self.above:
            log.warning(
                "%s: lines above the values that are no names of columns, and are left out: %d (%s)",
                *(data, len(self.above), some([shortened(line) for line in self.above])),
            )
        for guess, names in self._guesses.items():
            log.warning(
                "%s: not in UTF-8, taken for %s: %d files (%s). If that is wrong, set data.prepare.encoding",
                data,
                guess,
                len(names),
                some(names),
            )


def _strictly(content: bytes, name: str, encoding: str, said_by: str) -> str:
    try:
        return content.decode(encoding)
    except (UnicodeError, LookupError, ValueError, TypeError) as error:
        raise DataError(f"{name} can't be read in {encoding}, which {said_by} says ({error}).") from error


def _refuse_stray_zeros(content: bytes, name: str) -> None:
    """Refuse UTF-8 with single bytes of zero, which would be taken for UTF-16."""
    zeros, at = content.count(0), content.index(0)
    if zeros > SPARSE * len(content):
        return
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return
    line = len(re.findall(rb"\r\n|\r|\n", content[:at])) + 1
    raise DataError(
        f"{name}, line {line}: there is a byte of zero, which no text has; {zeros} in all. Take them out: tr -d "
        f"'\\000' < {name} > clean_{name}"
    )


def _wide(content: bytes, name: str) -> str:
    """Which way round UTF-16 without a mark is: the zeros stand in every second place."""
    zeros = [content[start : 2 * SAMPLE : 2].count(0) for start in (0, 1)]
    if min(zeros) * 5 > max(zeros):
        raise DataError(f"{name} is no text: it holds bytes of zero here and there. {SAVE}")
    return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"


def _guessed(content: bytes) -> str | None:
    """The encoding that makes most sense of bytes that are no UTF-8; None where none does."""
    runs = re.findall(rb"[\x80-\xff]+", content[: 50 * SAMPLE])
    if sum(len(run) == 1 for run in runs) > len(runs) / 2:  # letters with accents among plain ones
        return next((its for its in ("cp1252", "cp1250") if _reads(content, its)), "latin-1")
    scores: dict[str, float] = {}
    for its in _DOUBLE:
        if text := _reads(content, its):
            signs = [sign for sign in text if sign > "\x7f"][:SAMPLE]
            kana = sum("\u3041" <= sign <= "\u30ff" for sign in signs) / len(signs)
            common = sum(_common(sign, its) for sign in signs) / len(signs)
            fits = kana > 0.1 if its in ("euc_jp", "cp932") else common > 0.97 if its == "cp949" else True
            scores[its] = common if fits else 0.0
    best = max(scores, key=lambda its: scores[its], default="")  # of equal ones the first
    if best and scores[best] > 0.8:
        return best
    for its in ("cp1251", "koi8_r"):
        signs = [sign for sign in _reads(content, its) if sign > "\x7f"][:SAMPLE]
        if signs and sum(sign in _RUSSIAN for sign in signs) > 0.45 * len(signs):
            return its
    return None


def _reads(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return ""


def _common(sign: str, encoding: str) -> bool:
    base, rows = _DOUBLE[encoding]
    code = sign.encode(base, errors="ignore")
    return len(code) == 2 and any(first <= code[0] <= last for first, last in rows)


def of_json(text: str, name: str, wanted: Sequence[str], remedy: str = NAME_COLUMNS) -> Iterator[Row]:
    """Rows of a table with an object a line, or of a list of objects. Raises DataError, which names the line."""
    seen = False
    for line, what, found in _objects(text, name):
        where = f"{name}, {what} {line}"
        if not isinstance(found, dict):
            raise DataError(f"{where}: this is no object. Each {what} wants one, with {some(wanted)} as keys.")
        if not seen and set(wanted) - set(found):
            missing = [key for key in wanted if key not in found]
            raise _no_column(name, f"its {what} {line} has", missing, list(found), remedy)
        seen = True
        yield Row(line, [_plain(found.get(key), f"{where}, {key!r}") for key in wanted])
    if not seen:
        raise DataError(f"{name} has no row. Add some.")


def keys_of_json(text: str, name: str) -> list[str]:
    """The keys of the first object that hold no objects, nor lists of several. Raises DataError."""
    for line, what, found in _objects(text, name):
        if not isinstance(found, dict):
            raise DataError(f"{name}, {what} {line}: this is no object. Give each {what} one.")
        return [key for key, value in found.items() if not isinstance(_alone(value), dict | list)]
    raise DataError(f"{name} has no row. Add some.")


def _objects(text: str, name: str) -> Iterator[tuple[int, str, object]]:
    """What a file of JSON holds, each with its number and what that counts: a line each, or entries of one list.

    The list may be all that there is, or the only one of objects in an object.
    """
    start = text.lstrip()
    if start[:1] == "[" or (start[:1] == "{" and not _is_json(start.split("\n", 1)[0])):
        whole = _loaded(text, name, "Each line wants an object; or the whole file is a list of such.")
        lists = [value for value in whole.values() if _is_of_objects(value)] if isinstance(whole, dict) else [whole]
        if len(lists) != 1:
            raise DataError(
                f"{name} is one object, and wants one for each sample: a list of them, or one a line. With pandas: "
                f"read_json('{name}').to_csv(…, index=False)."
            )
        yield from ((number, "entry", one) for number, one in enumerate(lists[0], 1))
        return
    for line, written in enumerate(text.split("\n"), start=1):
        if written.strip():
            yield line, "line", _loaded(written, f"{name}, line {line}", "Each line wants an object.")


def _loaded(text: str, where: str, wanted: str) -> Any:
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: this is no JSON ({error}). {wanted}") from error


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _is_of_objects(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _alone(value: object) -> object:
    """What a list of one holds, as labels are exported; all else as it is."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _plain(value: object, where: str) -> str:
    value = _alone(value)
    if isinstance(value, list) and not any(isinstance(one, dict | list) for one in value):
        what = f"{len(value)} values ({some(list(map(str, value)), 3)[:60]})" if value else "an empty list"
        raise DataError(
            f"{where}: there {'are' if value else 'is'} {what}, and a sample has one of each: of several classes at "
            "once none is learnt here. Keep one, or take the row away."
        )
    if isinstance(value, (dict, list)):
        raise DataError(f"{where}: this wants a text or a number, not {json.dumps(value, ensure_ascii=False)[:60]}.")
    return "" if value is None else str(value)


def rows(text: str, name: str, wanted: Sequence[str], remedy: str = NAME_COLUMNS) -> Iterator[Row]:
    """Rows of a table: what cuts it is the sign that gives the wanted columns, in one of the first rows.

    Rows without anything are passed over. Between tabs, where each line is a row, a quotation mark is part of a text
    unless it is around a whole one. Raises DataError, which names the line; where a column is missing, with the
    `remedy`.
    """
    csv.field_size_limit(sys.maxsize)  # a text may be longer than the 131,072 characters that csv takes for a mistake
    sign, above, columns = _head(text, name, wanted, remedy)
    places = [columns.index(column) for column in wanted]
    for column in wanted:
        if columns.count(column) > 1:
            raise DataError(f"{name} has {columns.count(column)} columns {column!r}. Give them different names.")
    found = 0
    for number, (first, last, row) in enumerate(_cut(text, name, sign, above, len(columns))):
        if number <= above or not any(map(str.strip, row)):
            continue
        _whole(row, len(columns), text, name, (first, last), sign)
        found += 1
        yield Row(last, [row[place] if place < len(row) else "" for place in places])
    if not found:
        raise DataError(f"{name} has a line of names and no row below it. Add some.")


def _cut(text: str, name: str, sign: str, above: int, columns: int) -> Iterator[tuple[int, int, list[str]]]:
    """Every row with its first and its last line. above: the number of the row with the names of so many `columns`."""
    if sign == "\t" and (cells := _each_a_row(text, above, columns)) is not None:
        yield from ((line, line, row) for line, row in enumerate(cells, 1))
        return
    lines: list[str] = []  # of the row that is read

    def noted() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            lines.append(line)
            yield line

    reader = csv.reader(noted(), delimiter=sign)
    before = 0
    try:
        for row in reader:
            if len(lines) > 1:
                _refuse_merged("".join(lines), name, (before + 1, reader.line_num), sign)
            yield before + 1, reader.line_num, row
            lines.clear()
            before = reader.line_num
    except csv.Error as error:
        raise DataError(f"{name}, line {reader.line_num}: {error}. Save the table again as CSV.") from error


def _each_a_row(text: str, above: int, columns: int) -> list[list[str]] | None:
    """The cells of each line between tabs, where quotation marks are there and each line is a row all the same."""
    if '"' not in text:
        return None
    found = [line.split("\t") for line in re.split(r"\r\n|\r|\n", text)]
    if any(any(row) and (len(row) < columns or any(row[columns:])) for row in found[above:]):
        return None
    return [[cell[1:-1].replace('""', '"') if _QUOTED.fullmatch(cell) else cell for cell in row] for row in found]


def _refuse_merged(written: str, name: str, lines: tuple[int, int], sign: str) -> None:
    """Refuse rows that became one since a mark opened a text, and the next one, of another text, closed it."""
    closed = re.sub(rf'" +(?={re.escape(sign)}|[\r\n]|$)', '"', written)
    try:
        list(csv.reader(io.StringIO(closed, newline=""), delimiter=sign, strict=True))
    except csv.Error as error:
        if "unexpected end" in str(error):
            return  # it never closes, which is said elsewhere
        raise DataError(
            f"{name}, lines {lines[0]} to {lines[1]}: a quotation mark opens a text, and the next one does not end it: "
            "they seem to be parts of texts. Put each text that holds one in quotes and write the mark twice there, as "
            "pandas does: read_csv(…, quoting=3).to_csv(…, index=False)."
        ) from error


def _whole(row: list[str], columns: int, text: str, name: str, lines: tuple[int, int], sign: str) -> None:
    """Refuse a row with more values than columns, and one that swallowed the rest of the table."""
    first, last = lines
    if last > first and (len(row) < columns or not text.rstrip().endswith('"')) and "\n" in row[-1].strip():
        raise DataError(
            f"{name}, line {first}: a quotation mark opens a text that never closes. Close it, or write it twice where "
            "it is part of the text."
        )
    if any(map(str.strip, row[columns:])) and any("\\" in cell for cell in row) and '\\"' in text:
        raise DataError(
            f"{name}, line {last}: there are more values than columns, and quotation marks behind a \\. Write one that "
            'is part of a text twice, "", as pandas does: read_csv(…, escapechar="\\\\").to_csv(…, index=False).'
        )
    if any(map(str.strip, row[columns:])):
        raise DataError(
            f"{name}, line {last}: there are more values than columns. Put quotes around a text that holds "
            f"{SEPARATORS.get(sign, repr(sign))}."
        )


def columns(text: str, name: str, wanted: Sequence[str], remedy: str) -> list[str]:
    """The names of a table's columns: of the row with the wanted ones; of the longest of the first rows, where none is.

    Raises DataError, with the `remedy`, where a wanted one is missing.
    """
    return _head(text, name, wanted, remedy)[2]


def at_blanks(text: str) -> str | None:
    """A table that is cut at blanks, as lists of files and classes often are, with tabs in their place; else None.

    Lines that begin with # are none. Where lines have other numbers of words, the last is the class.
    """
    lines = [line.rstrip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    cells = [line.split() for line in lines]
    if not cells or min(map(len, cells)) < 2 or any(sign in line for sign in SEPARATORS for line in lines[:ABOVE]):
        return None
    if len(set(map(len, cells))) > 1:
        cells = [line.rsplit(None, 1) for line in lines]
    return "\n".join(map("\t".join, cells))


def with_head(text: str, name: str) -> str:
    """A table whose first row is one of values, with names of columns above it in the same line: "column 1" and so on.

    Lines keep their numbers but for the first, which ends on the second.
    """
    sign, _, there = _head(text, name, [], "")
    return sign.join(f"column {number}" for number, _ in enumerate(there, 1)) + "\n" + text


def _head(text: str, name: str, wanted: Sequence[str], remedy: str) -> tuple[str, int, list[str]]:
    """What cuts the table, the number of the row with the columns' names, and those."""
    told = re.match(r'"?sep=(.)"?[ ,;\t]*(?:\r\n|\r|\n)', text, flags=re.IGNORECASE)
    heads: dict[str, tuple[int, list[str]]] = {}  # the longest of the first rows
    wide: dict[str, Counter[int]] = {}  # how many of them have so many cells
    for sign in [told[1]] if told and told[1] not in '"\r\n' else SEPARATORS:
        try:
            for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=sign)):
                names = [unicodedata.normalize("NFC", cell.strip().strip("\ufeff")) for cell in row]
                if wanted and set(wanted) <= set(names):
                    return sign, number, names
                wide.setdefault(sign, Counter())[len(names)] += any(names)
                if len(names) > len(heads.get(sign, (0, []))[1]):
                    heads[sign] = number, names
                if number == ABOVE:
                    break
        except csv.Error:
            continue

    def likely(sign: str) -> tuple[bool, float, int]:
        """Whether a sign cuts at all, how many of the rows into as many cells as the head, and into how many."""
        cells = len(heads[sign][1])
        return cells > 1, round(wide[sign][cells] / max(1, wide[sign].total()), 1), cells

    sign = max(heads, key=likely, default=",")
    number, there = heads.get(sign, (0, []))
    if not wanted:
        return sign, number, there
    missing = [column for column in wanted if column not in there]
    where = f"its first lines, cut at {SEPARATORS.get(sign, repr(sign))}, name"
    raise _no_column(name, where, missing, there, remedy)


def _no_column(
    name: str, where: str, missing: Sequence[str], there: Sequence[str], remedy: str = NAME_COLUMNS
) -> DataError:
    shown = some([repr(column[:40]) for column in there], 20) or "nothing"
    if len(missing) > 1:
        remedy += f" If it has no line of names, write one above it: {','.join(missing)}."
    return DataError(f"{name} has no column {some([repr(column) for column in missing])}: {where} {shown}. {remedy}")
