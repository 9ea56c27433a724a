"""How numbers, pictures and weights are shown: the filters of the page's templates."""

from __future__ import annotations

import base64
import csv
import gzip
import html
import io
import json
import math
import re
import struct
import zlib
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from cnnatomy.exhibit import Words, formulas
from cnnatomy.exhibit.reading import gaps, joined
from cnnatomy.report.language import english

NARROW = "\u202f"  # narrow no-break space, between a number and its unit
MINUS = "\u2212"
JOINED = "\u2060"  # keeps a line from breaking here
MOST_HELD = 14  # characters of the ends of an interval that fit on one line of a label
SIZES = ((4, 168), (16, 126), (64, 84))  # at least how many px the longer side of a picture gets among so many
SMALL = 56  # among more than that
NEARLY = 0.1  # of a pixel's size: so much less than that is as good
CARD = 112  # on a card of the first screen
THIN, LONG = 30, 560  # px, how narrow it may stay, and how long it may get for that
FLAT = 0.35  # of its size, likewise how narrow a large one may stay
BETWEEN = "|"  # values beside a picture, which items.js takes apart
GLANCE = 9  # items of a group that are not counted beside its name, since they can be seen
LEVELS = 12  # of a heat map, and of the weights of words
NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?(e[+-][0-9]{2,3})?|-?inf|nan")
STATES = {
    "live": ("", "live"),
    "dead": ("\u2020", "dead"),
    "rescued": ("\u21ba", "rescued"),
    "right": ("\u2713", "right"),
    "wrong": ("\u2717", "wrong"),
}  # a sign and a word, so that no state is told by colour alone; what is as it should be has no sign


def plain(value: float | int | str | None, digits: int = 4) -> str:
    """A number for readers: four significant digits, thousands set apart as in sentences, a real minus sign."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e15):
        shown = f"{int(value):,}" if abs(value) >= 10_000 else str(int(value))  # 2013 may be a year
    elif abs(value) >= 10 ** (digits - 1):
        shown = f"{value:,.0f}" if abs(value) < 1e9 else f"{value:.{digits}g}"
    elif abs(value) < 1e-4:
        shown = f"{value:.2e}"
    else:
        shown = f"{value:.{digits}g}"
    return shown.replace("-", MINUS)


def measured(number: dict[str, Any]) -> dict[str, str]:
    """A number of an exhibit in parts: `value`, `unit`, `interval`, and `n`."""
    value, unit = number["value"], number.get("unit", "")
    ends = [number[key] for key in ("ci_low", "ci_high") if key in number]
    if unit == "fraction":
        shown = _as_sure([100 * number for number in (value, *ends)])
        unit = "%"
    elif unit == "points":
        shown = _as_sure([value, *ends])
    elif number["metric"] == "verdict":
        shown = [{1: "supported", -1: "not supported", 0: "not decided"}.get(value, plain(value))]
        ends = []
    else:
        shown = [plain(end) for end in (value, *ends)]
    parts = {"value": shown[0], "unit": unit, "interval": "", "n": f"{number['n']:,}" if "n" in number else ""}
    if ends:
        between = "…" if shown[1].startswith(MINUS) else "–"  # a dash would be read as a sign
        held = JOINED if len(shown[1] + shown[2]) <= MOST_HELD else ""
        parts["interval"] = f"{shown[1]}{JOINED}{between}{held}{shown[2]}"
    return parts


def _as_sure(per_cent: list[float]) -> list[str]:
    """A number of per cent, and the ends of its interval if any, with as many decimals as the interval lets count."""
    if len(per_cent) < 3 or per_cent[2] <= per_cent[1]:
        return [plain(round(value, 2)) for value in per_cent]
    decimals = min(3, max(1, 1 - math.floor(math.log10(per_cent[2] - per_cent[1]))))
    return [f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", MINUS) for value in per_cent]  # no -0.0


def data_uri(content: bytes | str, mime: str) -> str:
    """A file's content as an address that needs no file."""
    raw = content.encode() if isinstance(content, str) else content
    return f"data:{mime};base64,{base64.b64encode(raw).decode()}"


def picture_uri(png: bytes) -> str:
    """A PNG as an address that needs no file: as lossless WebP where that is smaller, which it mostly is."""
    from PIL import Image

    picture = Image.open(io.BytesIO(png))
    webp = io.BytesIO()
    # Method 2 of 6: 3 % larger than the library's own 4 where it differs at all, in half the time; an effort of 50
    # out of 100 in place of its 80 makes small pictures no larger and takes an eighth off that.
    picture.convert("RGB").save(webp, format="WEBP", lossless=True, method=2, quality=50)
    return data_uri(*min((webp.getvalue(), "image/webp"), (png, "image/png"), key=lambda one: len(one[0])))


def packed(content: bytes | str) -> str:
    """A file's content, gzipped, as text for an attribute; the page's script unpacks it when it is saved."""
    raw = content.encode() if isinstance(content, str) else content
    # The other way looks for nothing that stood before: shorter for numbers that come as chance has them.
    other = zlib.compressobj(9, wbits=zlib.MAX_WBITS + 16, memLevel=6, strategy=zlib.Z_RLE)
    return base64.b64encode(min(gzip.compress(raw, 9, mtime=0), other.compress(raw) + other.flush(), key=len)).decode()


def anchor(*parts: str) -> str:
    """An HTML id, and the part of an address behind #; what neither may hold is written as %xx."""
    return quote("-".join(part for part in parts if part), safe="/+.:-_~")


def size(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG, read from its header."""
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def fit(width: int, height: int, size: int) -> tuple[int, int]:
    """The width and height of a picture that stands for others: enlarged as by `zoom`, or reduced to `size` px."""
    longest = max(width, height)
    scale = zoom(width, height, size) if longest <= 1.25 * size else size / longest
    return max(1, round(width * scale)), max(1, round(height * scale))


def picture_size(items: int) -> int:
    """About how large each of so many pictures is shown, px."""
    return next((size for most, size in SIZES if items <= most), SMALL)


def zoom(width: int, height: int, size: int) -> int:
    """By which whole number a picture is enlarged to `size` px or more: pixels stay square and none is lost."""
    thin = max(THIN, FLAT * size)
    wanted = max(math.ceil(size / max(width, height) - NEARLY), math.ceil(thin / min(width, height) - NEARLY))
    return max(1, min(wanted, LONG // max(width, height)))


def at_once(block: dict[str, Any]) -> int:
    """How many items of a grid are seen at once."""
    if not block.get("switch"):
        return len(block["items"])
    return max(len(items) for _, items in grouped(block["items"]))


def pictures(item: dict[str, Any]) -> list[str]:
    """The files of an item's pictures, that which is shown first in front."""
    return [item["file"], *item.get("more", ())]


def ends(of: dict[str, Any]) -> list[str]:
    """The numbers at the ends of a scale, as they are shown; none where they aren't known."""
    return [plain(end) for end in of.get("ends", ())]


def alike(width: int, height: int, size: int) -> int:
    """By which whole number a picture is enlarged to be about as long as another."""
    return max(1, math.ceil(size / max(width, height) - NEARLY))


def heat(matrix: dict[str, Any]) -> list[list[str]]:
    """The class of each cell's colour: `h0` (nothing) to `h12` (most), `c1` to `c12` for what is below zero.

    A matrix of one set of names against itself, as of right and wrong answers, has a scale of its own for the diagonal
    (`d0` to `d12`), or else the diagonal would be all that can be seen.
    """
    values, square = matrix["values"], matrix["rows"] == matrix["columns"]
    off = [abs(v) for r, row in enumerate(values) for c, v in enumerate(row) if not (square and r == c)]
    on = [abs(row[r]) for r, row in enumerate(values)] if square else []
    most, diagonal = max(off, default=0), max(on, default=0)

    def level(value: float, largest: float) -> int:
        share = abs(value) / largest if largest else 0
        return max(1, round(LEVELS * math.sqrt(share))) if share else 0

    return [
        [
            f"d{level(value, diagonal)}" if square and r == c else f"{'c' if value < 0 else 'h'}{level(value, most)}"
            for c, value in enumerate(row)
        ]
        for r, row in enumerate(values)
    ]


def weigh(sentence: dict[str, Any]) -> list[tuple[str, str, float, str]]:
    """Each word of a sentence with the class of its weight, the weight, and what stands behind the word.

    Classes are `w0`, `p1`..`p12` for, `n1`..`n12` against.
    """
    largest = max((abs(weight) for _, weight in sentence["tokens"]), default=0) or 1
    marked = []
    behind = gaps([token for token, _ in sentence["tokens"]], sentence.get("spaces", True))
    for (token, weight), gap in zip(sentence["tokens"], behind, strict=True):
        level = round(LEVELS * abs(weight) / largest)
        marked.append((token, f"{'p' if weight > 0 else 'n'}{level}" if level else "w0", weight, gap))
    return marked


def rows_of(content: bytes) -> tuple[list[str], list[list[str]], list[bool]]:
    """A CSV's header, its rows, and which columns hold numbers only."""
    header, *rows = list(csv.reader(io.StringIO(content.decode()))) or [[]]
    filled = [[row[column] for row in rows if row[column]] for column in range(len(header))]
    return header, rows, [bool(cells) and all(_is_number(cell) for cell in cells) for cells in filled]


def _is_number(cell: str) -> bool:
    """Whether a cell is a number as pandas writes one; 007, 1_2 and the commit 12345e6 are texts that float() takes."""
    return NUMBER.fullmatch(cell) is not None


def cell(text: str) -> str:
    """A numeric cell of a CSV as it is shown."""
    if not text:
        return ""
    number = float(text)
    return plain(number) if math.isfinite(number) else text


def sorted_otherwise(text: str, shown: str) -> bool:
    """Whether a numeric cell has to say by what it is sorted: what is shown is no number, or has lost digits."""
    try:
        return float(shown) != float(text)
    except ValueError:
        return bool(text)


def results(calculator: dict[str, Any]) -> list[tuple[dict[str, Any], list[str]]]:
    """Each output of a calculator, and its numbers for the values that are there first."""
    given = {entry["name"]: entry["value"] for entry in calculator["inputs"]}
    found = formulas.results(calculator["outputs"], given)
    return [(output, list(map(plain, values))) for output, values in zip(calculator["outputs"], found, strict=True)]


def settings(config: dict[str, Any]) -> Markup:
    """A slice of configuration as readable lines; quotation marks, of which it is full, stand in text as they are."""
    lines: list[str] = []

    def put(value: Any, indent: str) -> None:
        for key, entry in value.items():
            if isinstance(entry, dict) and entry:
                lines.append(f"{indent}{key}:")
                put(entry, indent + "  ")
            else:
                lines.append(f"{indent}{key}: {json.dumps(entry, ensure_ascii=False)}")

    put(config, "")
    return Markup(html.escape("\n".join(lines), quote=False))


def grouped(items: list[dict[str, Any]]) -> list[tuple[Words, list[dict[str, Any]]]]:
    """Items by group, groups in the order in which they first appear."""
    groups: dict[str, tuple[Words, list[dict[str, Any]]]] = {}
    for item in items:
        group = item.get("group", "")
        groups.setdefault(english(group), (group, []))[1].append(item)
    return list(groups.values())


def states(items: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    """The states among the items: sign, word, how many."""
    found = [item["state"] for item in items if "state" in item]
    return [(*STATES[state], found.count(state)) for state in STATES if state in found]


def labelled(item: dict[str, Any]) -> str:
    """All that is known of an item in one line, for screen readers; the page's script says it in other languages."""
    label = english(item.get("label", ""))
    parts = [label, item["id"] if item["id"] != label else "", item.get("state", "")]
    parts += [f"{key} {value}" for key, value in facts(item).items()]
    return ", ".join(part for part in parts if part)


def facts(item: dict[str, Any]) -> dict[str, str]:
    """An item's values as they are shown, by name."""
    return {key: plain(value) for key, value in item.get("values", {}).items()}


def names(items: list[dict[str, Any]]) -> list[str]:
    """What values items have, said once for all of them."""
    return sorted({key for item in items for key in item.get("values", {})})


def in_turn(item: dict[str, Any], names: list[str]) -> str:
    """An item's values as they are shown, in the order of their names, a stroke between; nothing for what it lacks."""
    known = facts(item)
    return BETWEEN.join(known.get(name, "") for name in names)


def exact(items: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """The full values, by item and name, of those that are shown like another item's and yet differ from it."""
    alike: dict[tuple[str, str], list[tuple[str, float]]] = {}
    for item in items:
        for key, value in item.get("values", {}).items():
            alike.setdefault((key, plain(value)), []).append((item["id"], value))
    full: dict[str, dict[str, float]] = {}
    for (key, _), found in alike.items():
        if len({value for _, value in found}) > 1:
            for name, value in found:
                full.setdefault(name, {})[key] = value
    return full


def items_csv(items: list[dict[str, Any]]) -> str:
    """The items of a grid or the sentences of a text as CSV."""
    keys = list(dict.fromkeys(key for item in items for key in item.get("values", {})))
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    texts = any("tokens" in item for item in items)
    writer.writerow(["id", "label", "state", "group", *(["text"] if texts else []), *keys])
    for item in items:
        words = [joined([token for token, _ in item["tokens"]], item.get("spaces", True))] if texts else []
        values = [item.get("values", {}).get(key, "") for key in keys]
        named = [english(item.get(key, "")) for key in ("label", "state", "group")]
        writer.writerow([item["id"], *named, *words, *values])
    return table.getvalue()
