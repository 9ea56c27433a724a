"""What data and methods call their things (classes, layers, columns, cells, words of a drawing), in all languages.

A language has a word for what stands in its `locale/<language>/page/`: `metrics` and `drawings` by their English,
`phrases` by English with places in it (`{n} filters of {size}`), `classes` by the dataset, and under its `names` what
stays as it is. What is none of these, as the classes of a user's own data, stays as it was given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from markupsafe import Markup

from cnnatomy.exhibit import Words
from cnnatomy.exhibit.languages import FIRST
from cnnatomy.report.language import catalogue, names_in_english, others, said

NO_WORD = re.compile(r"[\W\d_]*([^\W\d_]|[^\W\d_]?[\W\d_]+)?")  # a number, a sign, a single letter
IDENTIFIER = re.compile(r"[^\s,;:()“”]*([\d_/@+]|\w\.\w)[^\s,;:()“”]*")  # conv1, blocks.4.relu, test/11, en-us+Alicia
NAME = re.compile(r"\b[a-z0-9]+_[a-z0-9_]+\b")
WORD = re.compile(r"[^\W\d_]{2,}")
APART = re.compile(r"[\s,;:()“”]+")
LISTS = (" · ", "; ", ", ", " − ", " + ", " / ", " and ")  # what stands between the parts of a list
BETWEEN = {", ": "between_items", " and ": "between_items", "; ": "between_clauses"}


@dataclass(frozen=True)
class Terms:
    """The words of one exhibit.

    data: the dataset, or the study. own: the data's classes and channels, and the words of the texts that are shown.
    """

    data: str = ""
    own: frozenset[str] = frozenset()
    _known: dict[tuple[str, str], str | None] = field(default_factory=dict, compare=False)

    def words(self, text: str, column: str = "") -> Words:
        """The text in every language that has a word for it. column: whose cell it is, for a column may hold names."""
        if not isinstance(text, str) or self.holds_names(column):
            return text
        known = {tag: said for tag in others() if (said := self._word(text, tag)) is not None and said != text}
        english = for_readers(text)
        return {FIRST: english, **known} if known else english

    def class_name(self, text: str) -> Words:
        """A class of the data in every language that has a word for it; what is none stays as it is."""
        known = {tag: named for tag in others() if (named := classes(tag, self.data).get(text))}
        return {FIRST: text, **known} if known else text

    def filler(self, text: str) -> Words:
        """What fills a sentence of a study: a metric or a comparison, which a title begins with a capital letter."""
        known = self.words(text)
        if isinstance(known, str) and text[:1].isupper():
            small = self.words(text[:1].lower() + text[1:])
            return text if isinstance(small, str) else {**small, FIRST: text}
        return known

    def holds_names(self, column: str) -> bool:
        """Whether what stands in a column of this name is a name: of a layer, a voice, a word of the samples."""
        return bool(column) and (column in self.own or any(column in names(tag)["columns"] for tag in others()))

    def is_name(self, text: str, column: str = "") -> bool:
        """Whether a text is made of names, identifiers and numbers alone, so that no language has a word for it."""
        if text in self.own or self.holds_names(column):
            return True
        parts = [part for between in LISTS if between in text for part in text.split(between)]
        if parts and all(self.is_name(part) for part in parts):
            return True
        return all(_is_name(part) for part in APART.split(text))

    def marked(self, text: Words, column: str = "") -> Markup:
        """A text as markup, in all languages; a name is marked as what nobody should translate."""
        if isinstance(text, str):
            text = self.words(text, column)
        name = isinstance(text, str) and WORD.search(text) and self.is_name(text, column)
        return Markup('<bdi translate="no">{}</bdi>' if name else "<bdi>{}</bdi>").format(said(text))

    def subject(self, subject: str) -> Words:
        """What a number was measured on, `layer=conv1;filter=3`, as it is said."""
        pairs = [part.partition("=")[::2] for part in subject.split(";")]
        every = {}
        for tag in (FIRST, *others()):
            each = []
            for key, value in pairs:
                plain = key.replace("_", " ")
                name = plain if tag == FIRST else self._word(key, tag) or plain
                known = None if self.holds_names(key) else self._word(value, tag if tag != FIRST else others()[0])
                of = value if known is None else for_readers(value).replace("_", " ") if tag == FIRST else known
                each.append(f"{name} {of}".strip())
            every[tag] = ", ".join(each) if tag == FIRST else "，".join(each)
        return every

    def _word(self, text: str, tag: str) -> str | None:
        """The text in this language, or None."""
        if (text, tag) not in self._known:
            self._known[text, tag] = None  # what leads back to itself has no word
            self._known[text, tag] = self._found(text.strip(), tag)
        return self._known[text, tag]

    def _found(self, text: str, tag: str) -> str | None:
        if text in self.own:
            return classes(tag, self.data).get(text)
        for known in (classes(tag, self.data), catalogue(tag)["metrics"], catalogue(tag)["drawings"]):
            if isinstance(there := known.get(text), str):
                return there
        for pattern, places, sentence in phrases(tag):
            if match := pattern.fullmatch(text):
                filled = [self._part(part, tag) for part in match.groups()]
                if None not in filled:
                    return sentence.format_map(dict(zip(places, filled, strict=True)))
        known = classes(tag, self.data)
        if text.count(" ") and all(part in known for part in text.split()):  # levels of several factors of a study
            return " · ".join(known[part] for part in text.split())
        return self._list(text, tag)

    def _list(self, text: str, tag: str) -> str | None:
        for between in LISTS:
            parts = text.split(between)
            if len(parts) > 1:
                each = [self._part(part, tag) or (part if part.isidentifier() else None) for part in parts]
                if None not in each and each != parts:
                    return _between(between, tag).join(map(str, each))
        return None

    def _part(self, text: str, tag: str) -> str | None:
        """A part in this language; names as they are, set apart as it does; None for words that it does not have."""
        there = self._word(text, tag)
        if there is None and self.is_name(text):
            return _between(", ", tag).join(text.split(", "))
        return there


def for_readers(text: str) -> str:
    """English with the words for names that say too little: `male_female` is male → female."""
    known = names_in_english()
    return NAME.sub(lambda name: known.get(name[0], name[0]), text)


def _between(what: str, tag: str) -> str:
    from cnnatomy.exhibit.languages import language

    return str(language(tag).habits[BETWEEN[what]]) if what in BETWEEN else what


def _is_name(part: str) -> bool:
    return bool(NO_WORD.fullmatch(part) or IDENTIFIER.fullmatch(part)) or any(
        part in names(tag)["words"] for tag in others()
    )


def _place(name: str) -> str:
    """What may stand in a phrase's place: one thing, or a list where the place's name is a plural."""
    return "(.+?)" if name.endswith("s") else "((?:(?!, |; | · ).)+?)"


@cache
def classes(tag: str, data: str) -> dict[str, str]:
    """A language's words for the classes and groups of a dataset of ours, none for another."""
    found = catalogue(tag)["classes"].get(data, {})
    return {str(name): word for name, word in found.items()} if isinstance(found, dict) else {}


@cache
def names(tag: str) -> dict[str, frozenset[str]]:
    """What a language leaves as it is: `words`, and what stands in `columns` of these names."""
    found: dict[str, Any] = catalogue(tag)["names"]
    return {key: frozenset(map(str, found.get(key, ()))) for key in ("words", "columns")}


@cache
def phrases(tag: str) -> list[tuple[re.Pattern[str], list[str], str]]:
    """A language's phrases: what the English looks like, the names of its places, and the sentence."""
    made = []
    for english, sentence in catalogue(tag)["phrases"].items():
        literal = re.split(r"\{(\w+)\}", english)
        pattern = "".join(_place(part) if number % 2 else re.escape(part) for number, part in enumerate(literal))
        made.append((re.compile(pattern), literal[1::2], sentence))
    return made
