"""The path through the lecture: stops in its order, each at an exhibit that hangs, with a picture and a number of it.

`path.yaml` beside this module has the stops. What is said of them, and the questions about them, stand in the locale.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from cnnatomy.exhibit import Words, say
from cnnatomy.exhibit.checks import walk
from cnnatomy.exhibit.languages import FIRST, NoSentence, language, read, worded
from cnnatomy.exhibit.words import Say, described
from cnnatomy.report import show
from cnnatomy.report.chapters import Chapter, StoredExhibit
from cnnatomy.report.labels import HREF, MUTED, SVG

LEAST = 5  # stops; fewer are no path
LONG = 150  # characters of a line in a drawing; such a one is drawn coarser where it is small
LETTERS = set(string.ascii_letters)
APART = 6  # px between marks
ROOM, GAP = (230, 126), 4  # px for the pictures of a stop, and between them
PICTURES = ("grid", "figure", "text", "calculator")  # the blocks that a stop can show


@dataclass(frozen=True)
class Way:
    """An exhibit at which a stop may be, and what is shown of it: the keys of path.yaml."""

    at: str
    picture: str = ""
    items: int | Sequence[str] = 1
    number: str = ""
    subject: str = ""
    questions: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture as it is shown: its size in px, and whether its pixels are no squares there."""

    png: bytes
    width: int
    height: int
    smooth: bool


@dataclass(frozen=True)
class Stop:
    """A stop on the path: `place` of `places`, counted from 1."""

    name: str
    way: Way
    exhibit: StoredExhibit
    place: int
    places: int

    @property
    def anchor(self) -> str:
        """Where the stop is in the page: at its exhibit, on the path."""
        return show.anchor(f"path/{self.name}")

    @property
    def title(self) -> Words:
        return _words(say(f"path.{self.name}.title"))

    @property
    def says(self) -> Words:
        """What the lecture says here."""
        return _words(say(f"path.{self.name}.says"))

    @cached_property
    def number(self) -> dict[str, Any] | None:
        """The exhibit's number in parts, and what it is the number of; None where it was not measured."""
        for number in self.exhibit.document["numbers"]:
            if (number["metric"], number.get("subject", "")) == (self.way.number, self.way.subject):
                return show.measured(number) | {"of": _words(say(f"path.{self.name}.{self.way.number}"))}
        return None

    @cached_property
    def block(self) -> Mapping[str, Any] | None:
        """The block that the stop's picture is taken from."""
        found = [block for _, block in walk(self.exhibit.document) if block["type"] in PICTURES]
        return next((block for block in found if block["name"] == self.way.picture), next(iter(found), None))

    @property
    def drawing(self) -> bytes | None:
        """The drawing that is shown, made small."""
        if self.block is None or self.block["type"] != "figure":
            return None
        return coarse(self.exhibit.files[self.block["file"]])

    @property
    def is_tall(self) -> bool:
        """Whether the drawing is taller than wide: of such a one its upper part is shown, which can be read."""
        box = re.search(rb'viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"', self.drawing or b"")
        return box is not None and float(box[2]) > float(box[1])

    @property
    def results(self) -> list[tuple[Words, str]]:
        """What a calculator gives for its first values: what each number is, and the number."""
        if self.block is None or self.block["type"] != "calculator":
            return []
        return [(output["label"], " × ".join(values)) for output, values in show.results(dict(self.block))]

    @property
    def pictures(self) -> list[bytes]:
        """The pictures that are shown."""
        return [self.exhibit.files[item["file"]] for item in self._entries("items")]

    @property
    def sentences(self) -> list[dict[str, Any]]:
        """The sentences that are shown."""
        return self._entries("sentences")

    @property
    def rows(self) -> list[list[Picture]]:
        """The pictures as they lie in rows, all as large as their room lets them be."""
        count, sizes = len(self.pictures), [show.size(png) for png in self.pictures]
        longest = max(map(max, sizes))
        sides = [
            max(side * longest / max(size) for side, size in zip(axis, sizes, strict=True))
            for axis in zip(*sizes, strict=True)
        ]
        grids = [(columns, math.ceil(count / columns)) for columns in range(1, count + 1)]
        scales = [
            min((room / n - GAP) / side for room, n, side in zip(ROOM, grid, sides, strict=True)) for grid in grids
        ]
        columns, room = grids[scales.index(max(scales))][0], max(scales) * longest
        shown = [Picture(png, *_scaled(size, room / max(size))) for png, size in zip(self.pictures, sizes, strict=True)]
        return [shown[place : place + columns] for place in range(0, count, columns)]

    @property
    def questions(self) -> list[tuple[Words, Words]]:
        """Questions about what is seen here, each with its answer. One whose numbers were not measured is left out."""
        values = {n["metric"]: n["value"] for n in self.exhibit.document["numbers"] if not n.get("subject")}
        subject, found, place = self.way.questions or self.name, [], 1
        while f"questions.{subject}.{place}.ask" in language(FIRST).sentences:
            asked, answer = (
                say(f"questions.{subject}.{place}.ask", **values),
                say(f"questions.{subject}.{place}.answer", **values),
            )
            place += 1
            try:
                found.append((_words(asked), _words(answer)))
            except NoSentence:
                continue
        return found

    def _entries(self, key: str) -> list[dict[str, Any]]:
        entries = self.block.get(key, []) if self.block is not None else []
        wanted = self.way.items
        if isinstance(wanted, int):
            return entries[:wanted]
        named = [entry for entry in entries if entry["id"] in wanted]
        return named if len(named) == len(wanted) else entries[: len(wanted)]


@dataclass(frozen=True)
class LecturePath:
    """The path as it leads through a page: its stops, of which there may be none."""

    stops: Sequence[Stop]

    def at(self, exhibit: StoredExhibit) -> list[Stop]:
        """The stops at an exhibit."""
        return [stop for stop in self.stops if stop.exhibit is exhibit]

    def beside(self, stop: Stop, step: int) -> Stop | None:
        """The stop before (−1) or behind (1)."""
        place = stop.place - 1 + step
        return self.stops[place] if 0 <= place < len(self.stops) else None


def stops() -> dict[str, list[Way]]:
    """What path.yaml says: by stop, in the lecture's order, the exhibits at which it may be, best first."""
    return {name: [Way(**way) for way in ways] for name, ways in read(Path(__file__).with_name("path.yaml")).items()}


def through(chapters: Sequence[Chapter]) -> LecturePath:
    """The path through these chapters; where too little of the lecture hangs there is none."""
    hung = {exhibit.anchor: exhibit for chapter in chapters for exhibit in chapter.shown}
    found = []
    for name, ways in stops().items():
        way = next((way for way in ways if way.at in hung), None)
        if way is not None:
            found.append((name, way))
    if len(found) < LEAST:
        return LecturePath([])
    count = len(found)
    return LecturePath(
        [Stop(name, way, hung[way.at], place, count) for place, (name, way) in enumerate(found, start=1)]
    )


def coarse(svg: bytes) -> bytes:
    """A drawing as it is shown small: without ticks, and of points that nobody could tell apart there one."""
    root = ElementTree.fromstring(svg)
    for parent in list(root.iter()):
        _drop_what_is_too_small(parent)
        line = parent.get("d", "")
        if len(line) > LONG and set(line) & LETTERS <= set("MLZ"):  # curves are marks, and small
            parent.set("d", _thinned(line))
    return ElementTree.tostring(root)


def _drop_what_is_too_small(parent: ElementTree.Element) -> None:
    """Of an element's children the ticks with their words, and each mark that lies on the one before it."""
    last: dict[str, tuple[float, float]] = {}
    behind_a_tick = False
    for child in list(parent):
        mark, ticked = child.get(HREF) or child.get("href") or "", behind_a_tick
        behind_a_tick = child.tag == f"{SVG}use" and child.get("fill", "").startswith(MUTED)
        if behind_a_tick or (ticked and child.tag == f"{SVG}text"):
            parent.remove(child)
        elif child.tag == f"{SVG}use":
            at = float(child.get("x", "0")), float(child.get("y", "0"))
            if mark in last and math.dist(at, last[mark]) < APART:
                parent.remove(child)
            else:
                last[mark] = at


def _thinned(line: str) -> str:
    rounded = re.sub(r"-?\d+(\.\d+)?", lambda number: f"{2 * round(float(number[0]) / 2)}", line)
    steps = [" ".join(step.split()) for step in re.findall(r"[A-Za-z][^A-Za-z]*", rounded)]
    return "".join(step for step, before in zip(steps, ["", *steps], strict=False) if step != before)


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int, bool]:
    """Enlarged by a whole number, if by two or more."""
    scale = math.floor(scale) if scale >= 2 else scale
    width, height = (max(1, round(side * scale)) for side in size)
    return width, height, scale < 2


def _words(text: Say) -> Words:
    words: Words = worded(described(text))
    return words
