"""One word for one thing: no file of the locale says what the glossary forbids, and the docs show the glossary."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cnnatomy.exhibit import languages
from cnnatomy.exhibit.languages import FIRST, language, read, tags
from cnnatomy.report.language import END

ROOT = Path(__file__).parents[2]
GLOSSARY: list[dict[str, Any]] = read(languages.LOCALE / "glossary.yaml")
MOST_WORDS = 30  # of a sentence
VALUE = re.compile(r"\{[^}]*\}")


def told(tag: str) -> Iterator[tuple[str, str]]:
    """Everything that a language's readers are told, with where it stands."""
    yield from language(tag).sentences.items()
    for file in (languages.LOCALE / tag / "page").glob("*.yaml"):
        known = read(file)
        if isinstance(known, dict) and file.stem not in ("classes", "names"):
            yield from ((f"{file.stem}: {english}", said) for english, said in known.items())
    for file in sorted([*ROOT.glob("conf/**/*.yaml"), *ROOT.glob("docs/results/**/exhibit.json")]):
        read_ = read(file) if file.suffix == ".yaml" else json.loads(file.read_text(encoding="utf-8"))
        yield from ((f"{file.relative_to(ROOT)}", said) for said in _in_languages(read_, tag))


def _in_languages(value: Any, tag: str) -> Iterator[str]:
    """What titles, claims and the like say in a language, which stand as {en: …, zh: …} where they are written."""
    if isinstance(value, dict) and FIRST in value and set(value) <= set(tags()):
        yield str(value.get(tag, ""))
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _in_languages(one, tag)


@pytest.mark.parametrize("tag", tags())
def test_nothing_is_said_that_the_glossary_forbids(tag):
    found = []
    for entry in GLOSSARY:
        for word in entry.get("not", {}).get(tag, ()):
            pattern = re.compile(rf"\b{re.escape(word)}\b" if tag == FIRST else re.escape(word), re.IGNORECASE)
            found += [f"{where}: {word} → {entry[tag]}" for where, said in told(tag) if pattern.search(str(said))]
    assert not found


@pytest.mark.parametrize("tag", tags())
def test_every_word_is_said_somewhere_and_is_no_other_words_forbidden_one(tag):
    everything = "\n".join(str(said) for _, said in told(tag)).lower()
    words = {entry[tag] for entry in GLOSSARY}
    assert [word for word in words if word.lower() not in everything] == []
    assert not words & {word for entry in GLOSSARY for word in entry.get("not", {}).get(tag, ())}


def test_the_docs_show_it():
    rows = "\n".join(f"| {entry['en']} | {entry['zh']} | {entry['what']} |" for entry in GLOSSARY)
    assert rows in (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")


def sentences(text: str) -> list[str]:
    ends = [0, *(end.end() for end in END.finditer(text)), len(text)]
    return [text[start:end].strip() for start, end in zip(ends, ends[1:], strict=False) if text[start:end].strip()]


def test_english_sentences_are_short():
    long = {
        id_: sentence
        for id_, text in language(FIRST).sentences.items()
        for sentence in sentences(text)
        if len(VALUE.sub("x", sentence).split()) > MOST_WORDS
    }
    assert not long


def test_sentences_are_counted():
    assert sentences("One, two. “Three?” Four (e.g. five). Yosinski et al. 2015 say so.") == [
        "One, two.",
        "“Three?”",
        "Four (e.g. five).",
        "Yosinski et al. 2015 say so.",
    ]
    assert sentences("甲。乙（丙。）丁") == ["甲。", "乙（丙。）", "丁"]
    words = [len(s.split()) for text in language(FIRST).sentences.values() for s in sentences(text)]
    assert statistics.median(words) < 15


def _prose(markdown: str) -> str:
    """The paragraphs and list items of a page, without code, tables, headings and pictures."""
    kept: list[str] = []
    fenced = False
    for line in markdown.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced and not line.startswith(("    ", "|", "#", "![", "<")):
            kept.append(re.sub(r"^\s*([-*]|\d+\.) ", "\n", line))
    return "\n".join(kept)


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/*.md")), ids=lambda page: page.stem)
def test_sentences_of_the_docs_are_short(page):
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", _prose(page.read_text(encoding="utf-8")))
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n|\n(?=\n)", text)]
    long = [s for part in paragraphs for s in sentences(part) if len(s.split()) > MOST_WORDS]
    assert not long
