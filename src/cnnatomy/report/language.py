"""The page's two languages: each text stands in it in both, and the style sheet hides the one that was not chosen.

What the page itself says is written in English in the templates, and in Chinese in `templates/zh.yaml` by its English;
exhibits bring their own Chinese, or are shown in English.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import yaml
from markupsafe import Markup, escape

from cnnatomy.exhibit import Words

CHINESE = "zh-Hans"  # as HTML's lang says it
PER_CENT = re.compile(r"(?<=\d) (?=%)")  # a line must not end between a number and its sign
PROPER = {
    "mse": "MSE",
    "xor": "XOR",
    "hz": "Hz",
    "f1": "F1",
    "bayes": "Bayes",
    "grad": "Grad",
    "cam": "CAM",
}  # in names of numbers
TEMPLATES = Path(__file__).parent / "templates"


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Chinese by English: what the page says (`page`), what its script says (`script`), `metrics`, and `drawings`."""
    return yaml.load(
        (TEMPLATES / "zh.yaml").read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )


def english(text: Words) -> str:
    return text if isinstance(text, str) else text["en"]


def chinese(text: Words) -> str:
    """The Chinese of a text, or nothing."""
    return "" if isinstance(text, str) else text.get("zh", "")


def phrase(english: str, **values: object) -> Words:
    """What the page says, in both languages, with values (texts themselves perhaps) in the places of `{names}`.

    Raises KeyError for what the catalogue doesn't have.
    """
    both = {"en": english, "zh": catalogue()["page"][english]}
    return {language: _filled(said, language, values) for language, said in both.items()}


def _filled(said: str, language: str, values: Mapping[str, object]) -> str:
    """`said` with the values in; a value that is a text in two languages gives the one of this language."""
    parts = []
    for literal, name, _, _ in string.Formatter().parse(said):
        parts.append(literal)
        if name is not None:
            value = values[name]
            parts.append(str(value.get(language) or value["en"]) if isinstance(value, Mapping) else str(value))
    return "".join(parts)


def metric(name: str) -> Words:
    """A metric's or a split's name as words; in Chinese, too, where there is one."""
    words = " ".join(PROPER.get(word, word) for word in name.replace("_", " ").split())
    known = catalogue()["metrics"].get(name)
    return {"en": words, "zh": known} if known else words


def drawn(words: str) -> str:
    """The Chinese of what stands at an axis or in a legend, or nothing."""
    return catalogue()["drawings"].get(words, "")


def verdict(word: str) -> Words:
    """A study's verdict as `show.measured` words it; what is none of the three stays as it is."""
    return phrase(word) if word in ("supported", "not supported", "not decided") else word


def joined(parts: Sequence[Words], between: Words = " · ") -> Words:
    """Texts one after the other; what is empty is left out."""
    shown = [part for part in parts if english(part)]
    return {
        "en": english(between).join(map(english, shown)),
        "zh": (chinese(between) or english(between)).join(chinese(part) or english(part) for part in shown),
    }


def said(text: Words) -> Markup:
    """A text as markup: in one language as it is, in two as two elements."""
    here, there = (PER_CENT.sub("\u202f", words) for words in (english(text), chinese(text)))
    if not there:
        return escape(here)
    return Markup('<span lang="en">{}</span><span lang="{}">{}</span>').format(here, CHINESE, there)


def attribute(name: str, text: Words) -> Markup:
    """An attribute of an element, with its Chinese beside it for the script to put in its place."""
    markup = Markup('{}="{}"').format(name, english(text))
    return markup + (Markup(' data-zh-{}="{}"').format(name, chinese(text)) if chinese(text) else "")
