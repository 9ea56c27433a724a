"""What an exhibit cites: entries of locale/references.bib, named as in Pandoc: `@kim2014`, `@kish1965, chapter 5`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

REFERENCES = Path(__file__).parents[1] / "locale/references.bib"
MOST = 3  # authors named; of more the first
VENUES = ("booktitle", "journal", "publisher", "institution", "howpublished")
_NAMED = re.compile(r"@([\w-]+)(?:, (.+))?")


class Cited(NamedTuple):
    """A source in words, the same in every language, and where it can be read ("" where nobody says)."""

    text: str
    url: str = ""


def cited(source: str) -> Cited:
    """A source as readers see it. What doesn't begin with `@` is in words already; raises `KeyError` for no entry."""
    named = _NAMED.fullmatch(source)
    if named is None:
        return Cited(source)
    key, where = named.groups()
    entry = references()[key]
    return Cited(f"{entry.text}, {where}" if where else entry.text, entry.url)


def unknown(source: str) -> bool:
    """Whether a source names an entry that there isn't; cheaper than reading them all."""
    named = _NAMED.fullmatch(source)
    return named is not None and f"{{{named[1]},\n" not in REFERENCES.read_text(encoding="utf-8")


@cache
def references() -> dict[str, Cited]:
    """Every entry of references.bib by its key."""
    from bibtexparser.entrypoint import parse_string  # only what shows sources pays for it
    from bibtexparser.middlewares import SeparateCoAuthors, SplitNameParts

    library = parse_string(
        REFERENCES.read_text(encoding="utf-8"), append_middleware=[SeparateCoAuthors(), SplitNameParts()]
    )
    entries = {entry.key: entry.fields_dict for entry in library.entries}
    return {key: _described({name: field.value for name, field in fields.items()}) for key, fields in entries.items()}


def _described(fields: Mapping[str, Any]) -> Cited:
    names = [" ".join([*name.von, *name.last]).strip("{}") for name in fields["author"]]
    *first, last = names if len(names) <= MOST else [f"{names[0]} et al."]
    authors = f"{', '.join(first)} & {last}" if first else last
    venue = next(fields[name] for name in VENUES if name in fields)
    return Cited(f"{authors} {fields['year']}, {fields['title']}, {venue}", _address(fields))


def _address(fields: Mapping[str, Any]) -> str:
    """By DOI if there is one, else arXiv, the address itself, or a catalogue of books."""
    if "doi" in fields:
        return f"https://doi.org/{fields['doi']}"
    if "eprint" in fields:
        return f"https://arxiv.org/abs/{fields['eprint']}"
    return str(fields.get("url") or f"https://openlibrary.org/isbn/{fields['isbn']}")
