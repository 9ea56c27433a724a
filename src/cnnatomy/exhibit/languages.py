"""Putting texts into words. A language is a folder of `locale/`: its sentences by ids, and its habits of writing.

A sentence names what fills it in braces. A number takes Python's format specification, with a true minus sign and a
space before the sign of per cent (`{gain:+.2f}`, `{share:.1%}`); `{n:filter|filters}` is the first word for one and the
second for any other number. A list is joined by the language's `between_items` (`{names}`), by its `between_clauses`
(`{differences:;}`), or by what stands there (`{units: and }`).
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from cnnatomy.exhibit.words import Text, Words, say

LOCALE = Path(__file__).parents[1] / "locale"
HABITS = "language"  # the file of a language's own name and habits
FIRST = "en"  # the language that stands in where another has no sentence
_FOLDED = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef]) (?=[\u3000-\u9fff\uff00-\uffef])")  # Chinese has no spaces


class NoSentence(KeyError):
    """A text names a sentence that is not there, or one of its values is missing."""

    def __str__(self) -> str:
        return str(self.args[0])


class Language(string.Formatter):
    """`locale/<tag>/`: a file for each subject, sentences by dotted ids, and `language.yaml` with the habits."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.habits = read(LOCALE / tag / f"{HABITS}.yaml")
        self.sentences = {
            f"{file.stem}.{id_}": sentence
            for file in sorted((LOCALE / tag).glob("*.yaml"))
            if file.stem != HABITS
            for id_, sentence in _flat(read(file))
        }

    def words(self, text: Any) -> str:
        """A text as exhibit.json holds it, in this language. Raises NoSentence for an id or a value that is missing."""
        if isinstance(text, str):
            return text
        if "say" not in text:
            return text.get(self.tag) or text[FIRST]
        if not isinstance(text["say"], str):
            return self.habits["between_sentences"].join(filter(None, map(self.words, text["say"])))
        said, values = text["say"], text.get("with", {})
        sentence = self.sentences.get(said)
        if sentence is None:
            if self.tag == FIRST:
                raise NoSentence(f"there is no sentence {said!r} in locale/{FIRST}/{said.partition('.')[0]}.yaml")
            return language(FIRST).words(text)
        try:
            return _FOLDED.sub("", self.vformat(sentence, (), values))  # a word of Chinese that fills Chinese
        except KeyError as missing:
            raise NoSentence(f"the sentence {said!r} ({self.tag}) wants a value {missing}") from None

    def format_field(self, value: Any, spec: str) -> str:
        if isinstance(value, list):
            between = self.habits["between_clauses" if spec == ";" else "between_items"] if spec in ("", ";") else spec
            return between.join(self.format_field(one, "") for one in value)
        if not isinstance(value, int | float):
            return self.words(value)
        if "|" in spec:
            one, more = spec.split("|")
            return one if value == 1 else more
        written = str(super().format_field(value, spec)).replace("-", "−")
        return f"{written[:-1]} %" if spec.endswith("%") else written


@cache
def language(tag: str) -> Language:
    """The language of this tag, read once."""
    return Language(tag)


@cache
def tags() -> tuple[str, ...]:
    """The languages there are, English first, then as their `order` says."""
    found = [file.parent.name for file in LOCALE.glob(f"*/{HABITS}.yaml")]
    return tuple(sorted(found, key=lambda tag: (tag != FIRST, language(tag).habits.get("order", 0), tag)))


def titled(subject: str) -> Text:
    """The title that the locale has for a method or a lesson; for one of the user's its name."""
    return say(f"{subject}.title") if f"{subject}.title" in language(FIRST).sentences else subject


def in_words(document: Mapping[str, Any], name: Callable[[str], Words] = str) -> dict[str, Any]:
    """An exhibit.json with every text of it in words, by language; one that is the same in all is a string.

    name: what a language calls a class of the data that fills a sentence.
    """
    told = {key: worded(document[key], name) for key in ("title", "caption", "blocks")}
    return {**document, **told}


def worded(value: Any, name: Callable[[str], Words] = str) -> Any:
    """A part of an exhibit.json with every sentence of it in words."""
    if isinstance(value, list):
        return [worded(one, name) for one in value]
    if not isinstance(value, Mapping):
        return value
    if "say" not in value:
        return {key: worded(one, name) for key, one in value.items()}
    value = _named(value, name)
    words = {tag: language(tag).words(value) for tag in tags()}
    return words[FIRST] if len(set(words.values())) == 1 else words


def _named(value: Any, name: Callable[[str], Words]) -> Any:
    """A text with what fills its sentences as `name` has it."""
    if isinstance(value, str):
        return name(value)
    if isinstance(value, list):
        return [_named(one, name) for one in value]
    if not isinstance(value, Mapping) or "say" not in value:
        return value
    if not isinstance(value["say"], str):
        return {"say": [one if isinstance(one, str) else _named(one, name) for one in value["say"]]}
    return {**value, "with": {key: _named(one, name) for key, one in value.get("with", {}).items()}}


def texts(value: Any) -> Iterator[tuple[str, Any]]:
    """Every text by sentences in a described exhibit, with its JSON path."""
    waiting = [("$", value)]
    while waiting:
        path, here = waiting.pop()
        if isinstance(here, list):
            waiting += [(f"{path}[{number}]", one) for number, one in enumerate(here)]
        elif isinstance(here, Mapping) and "say" in here:
            yield path, here
        elif isinstance(here, Mapping):
            waiting += [(f"{path}.{key}", one) for key, one in here.items()]


def read(file: Path) -> Any:
    """A YAML file of the locale."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # five times as fast
    return yaml.load(file.read_text(encoding="utf-8"), Loader=loader)


def _flat(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if not isinstance(tree, Mapping):
        yield path, _FOLDED.sub("", str(tree))
        return
    for key, branch in tree.items():
        yield from _flat(branch, f"{path}.{key}" if path else str(key))
