"""The cells of a table of signals: its lines as rows, where its values begin, and cells as numbers."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from cnnatomy.data.errors import DataError
from cnnatomy.data.left_out import shortened
from cnnatomy.data.tables import Decoder

MISSING = ("", "nan", "na", "n/a", "null", "none", "?")
FEW = 6  # numbers that a date may have
ABOVE = 30  # lines that may stand above the names of columns
_WITH_COMMA = re.compile(r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?")

Cells = Sequence[tuple[int, list[str]]]


def below(rows: Cells, name: str, decode: Decoder) -> Cells:
    """The rows from the names of columns on, without a row of units below those; what devices write above is left out.

    Names stand in the last row without a number, or the first of several, before one of numbers only.
    """
    wide = Counter(len(cells) for _, cells in rows[-ABOVE:]).most_common(1)[0][0]
    first = next(
        (k for k, (_, cells) in enumerate(rows[:ABOVE]) if len(cells) == wide and all(map(is_number, cells))), ABOVE
    )
    words = [k for k, (_, cells) in enumerate(rows[:first]) if len(cells) == wide and not any(map(is_number, cells))]
    if not words:
        start = next(k for k, (_, cells) in enumerate(rows) if len(cells) == wide)
        units: Cells = ()
    else:
        start = next(k for k in reversed(words) if k - 1 not in words)
        units = rows[start + 1 : words[-1] + 1]
    if start > ABOVE or len(rows) == start + 1 + len(units):
        return rows
    decode.above.extend(f"{name}, line {number}: {' '.join(cells)}" for number, cells in (*rows[:start], *units))
    return [*rows[start : start + 1], *rows[start + 1 + len(units) :]]


def rows_of(content: bytes, name: str, decode: Decoder) -> Cells:
    """The cells of each line, with the line's number; empty lines and those that begin with # or % are no rows.

    What cuts most of the last lines cuts all, for devices may write anything above. Between semicolons 1,5 is 1.5.
    """
    lines = [
        (number, line)
        for number, line in enumerate(decode(content, name).splitlines(), 1)
        if line.strip() and line.lstrip()[0] not in "#%"
    ]
    if not lines:
        raise DataError(f"{name} is empty. Fill it, or take it away.")
    last = [line for _, line in lines[-ABOVE:]]
    sign = next(
        (sign for sign in "\t;," if 2 * sum(sign in line.rstrip(sign + " \r") for line in last) > len(last)),
        None,
    )
    if sign == "," and all(line.rstrip().endswith(";") for line in last):  # as some devices end lines
        lines = [(number, line.rstrip().rstrip(";")) for number, line in lines]
    if sign == "," and all(_apart_by_blanks(line) for line in last[1:] or last):
        sign = None
    if sign is None:
        found = [(number, line.split()) for number, line in lines]
    else:
        cells = (next(csv.reader([line], delimiter=sign)) for _, line in lines)
        found = [(number, [cell.strip() for cell in row]) for (number, _), row in zip(lines, cells, strict=True)]
    if sign == "," or (sign != ";" and not _have_commas([cells for _, cells in found[-ABOVE:]])):
        return found
    return [
        (number, [cell.replace(",", ".") if _WITH_COMMA.fullmatch(cell) else cell for cell in row])
        for number, row in found
    ]


def _apart_by_blanks(line: str) -> bool:
    """Whether a line is of numbers with blanks between them, of which some have a decimal comma."""
    cells = line.split()
    return len(cells) > 1 and "," in line and all(_WITH_COMMA.fullmatch(cell) or cell.isdigit() for cell in cells)


def _have_commas(rows: Sequence[Sequence[str]]) -> bool:
    """Whether numbers have decimal commas: no point, and some that is not how thousands are written."""
    numbers = [cell for row in rows for cell in row if _WITH_COMMA.fullmatch(cell)]
    points = any(re.fullmatch(r"[-+]?\d*\.\d+", cell) for row in rows for cell in row)
    return not points and not all(re.fullmatch(r"[-+]?[1-9]\d{0,2},\d{3}", cell) for cell in numbers)


def is_number(cell: str) -> bool:
    """Whether a cell holds a number or says that one is missing."""
    try:
        float(cell)
    except ValueError:
        return cell.strip().lower() in MISSING
    return True


def numbers(rows: Cells, name: str, head: Sequence[str] | None, chosen: Sequence[int]) -> np.ndarray:
    """The chosen columns as float64 (rows, columns), NaN where a cell is empty or says that it is missing."""
    wide = len(head) if head is not None else len(rows[0][1])
    for number, cells in rows:
        if len(cells) != wide:
            raise DataError(f"{name}, line {number}: there are {len(cells)} values, and {wide} columns above.")
    found = [[cells[place] for place in chosen] for _, cells in rows]
    try:
        return np.array(found, dtype=np.float64)  # of a whole table at once ten times as fast
    except ValueError:
        return np.stack([values(cells, f"{name}, line {rows[place][0]}") for place, cells in enumerate(found)])


def moments(rows: Cells, name: str, head: Sequence[str], place: int) -> np.ndarray:
    """When each line was, to sort by: numbers, or the seconds of dates as ISO 8601 writes them."""
    try:
        return numbers(rows, name, head, [place])[:, 0]
    except DataError as error:
        try:
            return np.array([datetime.fromisoformat(cells[place]).timestamp() for _, cells in rows])
        except (ValueError, IndexError, OverflowError, OSError):
            odd = next(((number, cells[place]) for number, cells in rows if not _is_date(cells[place:])), None)
            if odd is None or "columns above" in str(error):
                raise error from None
        raise DataError(
            f"{name}, line {odd[0]}: {shortened(odd[1], 40)!r}, in the column {head[place]!r} of data.prepare.time, is "
            "no moment. Write seconds, or dates as in 2024-01-31 10:00:00.5; or leave data.prepare.time out, if lines "
            "stand in order."
        ) from error


def _is_date(cells: Sequence[str]) -> bool:
    try:
        return bool(datetime.fromisoformat(cells[0]))
    except ValueError:
        return False


def values(cells: Sequence[str], where: str) -> np.ndarray:
    """Numbers, float64 (cells,), NaN for what is missing. where: file and line, for what is said of another."""
    found = np.empty(len(cells))
    for place, cell in enumerate(cells):
        text = cell.strip()
        try:
            found[place] = np.nan if text.lower() in MISSING else float(text)
        except ValueError as error:
            hint = " Write decimals with a point." if re.fullmatch(r"[-+]?\d+,\d+", text) else ""
            if len(re.findall(r"\d[\d.eE+-]*", text)) > FEW:
                hint = " It holds many numbers: give each a column of its own."
            if re.fullmatch(r"[-+]?\d[\d.,]*\s*[^\d\s.,:]{1,6}", text):
                hint = " If that is a unit: write numbers alone, and the unit as data.prepare.unit."
            if re.match(r"\d{1,4}[-/.:]\d{1,2}[-/.:]\d", text):
                hint = " If its column says when: data.prepare.time; or name those to take: data.prepare.channels."
            raise DataError(
                f"{where}: {shortened(text, 40)!r} is no number.{hint} Leave the cell empty if the value is missing."
            ) from error
    return found
