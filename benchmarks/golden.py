"""What two sets of exhibits say differently: numbers, siblings, and texts in every language, as the page shows them.

    python benchmarks/golden.py <older results> <newer results> [exhibits/mnist/seed0/kernels …]

For changes that must change nothing but the code: exhibits of an older checkout beside those of a newer one. Numbers
and siblings are compared to the byte, texts word by word; a language that said nothing before is listed, but is no
difference. Ends with 1 if there is a difference that `benchmarks/intended.yaml`, where it is there, does not list by
exhibit and place.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

INTENDED = Path(__file__).with_name("intended.yaml")
APART = {"config", "digests", "format"}  # they name the code and the settings, not what is shown


def differences(old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str, str, Any, Any]]:
    """(what, place, before, now) of two documents whose texts are in words; what: "differs" or "said now"."""
    before, now = dict(_leaves(old)), dict(_leaves(new))
    for place in [*before, *(place for place in now if place not in before)]:
        one, other = before.get(place), now.get(place)
        if one != other:
            yield "said now" if one is None and place.endswith(".zh") else "differs", place, one, other


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        if place.rpartition(".")[2] in ("title", "caption", "alt", "text", "label", "zero", "group"):
            value = {tag: words for tag, words in value.items() if tag == "en" or words != value["en"]}
        for key, entry in value.items():
            if place or key not in APART:
                yield from _leaves(entry, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _leaves(entry, f"{place}[{number}]")
    elif isinstance(value, str) and place.rpartition(".")[2] in ("title", "caption", "alt", "text", "label", "group"):
        yield f"{place}.en", value
    else:
        yield place, value


def documents(results: Path, wanted: list[str]) -> dict[str, dict[str, Any]]:
    """Exhibits by their folders under results, in words."""
    from cnnatomy.exhibit.languages import in_words

    kinds = ("exhibits/*/*/*", "lessons/*", "studies/*")
    found = wanted or [str(folder.relative_to(results)) for kind in kinds for folder in sorted(results.glob(kind))]
    return {
        place: in_words(json.loads((results / place / "exhibit.json").read_text(encoding="utf-8")))
        for place in found
        if (results / place / "exhibit.json").exists()
    }


def main() -> int:
    older, newer = Path(sys.argv[1]), Path(sys.argv[2])
    intended = yaml.safe_load(INTENDED.read_text(encoding="utf-8")) if INTENDED.exists() else {}
    old, new = documents(older, sys.argv[3:]), documents(newer, sys.argv[3:])
    unmeant = 0
    for place, document in new.items():
        if place not in old:
            print(f"{place}: was not there")
            continue
        for what, where, before, now in differences(old[place], document):
            meant = what == "said now" or any(where.startswith(start) for start in intended.get(place, ()))
            unmeant += not meant
            print(f"{place} {where} {what if not meant or what == 'said now' else 'differs as meant'}")
            if not meant:
                print(f"    before: {before!r}\n    now:    {now!r}")
    print(f"{len(new)} exhibits, {unmeant} differences that nobody meant")
    return int(unmeant > 0)


if __name__ == "__main__":
    sys.exit(main())
