"""Filters and neurons across a chapter: where each of them hangs, and what was measured of it with an interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from cnnatomy.exhibit import Words
from cnnatomy.exhibit.checks import walk
from cnnatomy.report import show
from cnnatomy.report.chapters import StoredExhibit
from cnnatomy.report.language import metric, phrase


@dataclass
class Layer:
    """A layer of which single filters or neurons hang.

    places: the exhibits in which they do, each by the anchor of its first block of this layer and its title. first: the
    anchor of each one's first picture or sentence, by its index.
    """

    name: str
    places: dict[str, tuple[str, Words]] = field(default_factory=dict)
    first: dict[int, str] = field(default_factory=dict)

    @property
    def units(self) -> list[tuple[int, str, str]]:
        """Index, address, and anchor of the first picture, in the order of the indices."""
        return [
            (index, address({"layer": self.name, "index": index}), self.first[index]) for index in sorted(self.first)
        ]


def address(unit: dict[str, Any]) -> str:
    """`conv1/3`: what tells a filter or neuron from all others of its network, as an address may hold it."""
    return show.anchor(f"{unit['layer']}/{unit['index']}")


def layers(shown: Sequence[StoredExhibit]) -> list[Layer]:
    """The layers of which single filters or neurons hang, in the order in which they first do."""
    found: dict[str, Layer] = {}
    for exhibit in shown:
        for block, entry in _entries(exhibit):
            unit = entry["unit"]
            layer = found.setdefault(unit["layer"], Layer(unit["layer"]))
            place = show.anchor(exhibit.anchor, block["name"]), exhibit.document["title"]
            layer.places.setdefault(exhibit.anchor, place)
            layer.first.setdefault(unit["index"], show.anchor(f"{exhibit.anchor}:{entry['id']}"))
    return list(found.values())


def _entries(exhibit: StoredExhibit) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The pictures and sentences of filters and neurons, each with its block."""
    for _, block in walk(exhibit.document):
        for entry in (*block.get("items", ()), *block.get("sentences", ())):
            if isinstance(entry, dict) and "unit" in entry:
                yield block, entry


def numbers(exhibit: StoredExhibit) -> list[tuple[Words, Words, dict[str, list[str]]]]:
    """What an exhibit has measured of single filters or neurons with an interval: what the values beside pictures lack.

    Each metric's name, its unit, and by address the value, the interval, and n.
    """
    found: dict[str, tuple[Words, Words, dict[str, list[str]]]] = {}
    for number in exhibit.document["numbers"]:
        if "of_unit" in number and "ci_low" in number:
            shown = show.measured(number)
            unit = phrase("points") if shown["unit"] == "points" else shown["unit"]
            of = found.setdefault(number["metric"], (metric(number["metric"]), unit, {}))[2]
            of.setdefault(address(number["of_unit"]), [shown["value"], shown["interval"], shown["n"]])
    return list(found.values())
