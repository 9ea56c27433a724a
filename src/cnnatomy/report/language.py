"""The page's languages: each text stands in it in all of them, and the style sheet hides those that were not chosen.

What the page itself says is written in English in the templates, and in every other language by its English in
`locale/<language>/page/`: what the page says, what its script says, names of numbers and columns, words of drawings.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from cnnatomy.exhibit import Words, languages
from cnnatomy.exhibit.languages import FIRST

PER_CENT = re.compile(r"(?<=\d) (?=%)")  # a line must not end between a number and its sign
#: Where a sentence ends: in English before a space, but not behind an abbreviation.
END = re.compile(r"(?<!\bal)(?<!\b[a-z]\.[a-z])(?<!\bvs)[.!?][”’)]*(?=\s|$)|[。！？][”’）]*")
SEEN = 2  # sentences of a caption that are always seen
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


def others() -> tuple[str, ...]:
    """The tags of all languages but English."""
    return tuple(tag for tag in languages.tags() if tag != FIRST)


def html(tag: str) -> str:
    """A language as HTML's lang says it."""
    return str(languages.language(tag).habits["html"])


PARTS = ("page", "script", "metrics", "drawings", "phrases", "classes", "names")


@cache
def catalogue(tag: str) -> dict[str, dict[str, Any]]:
    """A language's words by English: `page`, `script`, and those of `terms.py`."""
    folder = languages.LOCALE / tag / "page"
    return {part: languages.read(folder / f"{part}.yaml") for part in PARTS}


def english(text: Words) -> str:
    return text if isinstance(text, str) else text[FIRST]


def spoken(text: Words, tag: str) -> str:
    """A text in a language, in English where it has none."""
    return text if isinstance(text, str) else text.get(tag) or text[FIRST]


def phrase(english: str, **values: object) -> Words:
    """What the page says, in all languages, with values (texts themselves perhaps) in the places of `{names}`.

    Raises KeyError for what a catalogue doesn't have.
    """
    all_ = {FIRST: english, **{tag: catalogue(tag)["page"][english] for tag in others()}}
    return {tag: _filled(said, tag, values) for tag, said in all_.items()}


def _filled(said: str, tag: str, values: Mapping[str, object]) -> str:
    """`said` with the values in; a value that is a text in several languages gives the one of this language."""
    parts = []
    for literal, name, _, _ in string.Formatter().parse(said):
        parts.append(literal)
        if name is not None:
            value = values[name]
            parts.append(spoken(value, tag) if isinstance(value, Mapping) else str(value))
    return "".join(parts)


def metric(name: str) -> Words:
    """A metric's, a column's or a split's name as words; in other languages, too, where there are any."""
    plain = " ".join(PROPER.get(word, word) for word in name.replace("_", " ").split())
    words = names_in_english().get(name, plain)
    known = {tag: said for tag in others() if (said := catalogue(tag)["metrics"].get(name))}
    return {FIRST: words, **known} if known else words


@cache
def names_in_english() -> dict[str, str]:
    """What numbers and levels of studies are called whose own names say too little."""
    return dict(languages.read(languages.LOCALE / FIRST / "page" / "metrics.yaml"))


def named(name: str) -> Words:
    """What a column or a value is called, as it is; in other languages where there is a word for it."""
    known = {tag: said for tag in others() if (said := catalogue(tag)["metrics"].get(name))}
    return {FIRST: name, **known} if known else name


def verdict(word: str) -> Words:
    """A study's verdict as `show.measured` words it; what is none of the three stays as it is."""
    return phrase(word) if word in ("supported", "not supported", "not decided") else word


def joined(parts: Sequence[Words], between: Words = " · ") -> Words:
    """Texts one after the other; what is empty is left out."""
    shown = [part for part in parts if english(part)]
    return {tag: spoken(between, tag).join(spoken(part, tag) for part in shown) for tag in languages.tags()}


def between(what: str) -> Words:
    """What stands between items or clauses, as each language has it."""
    return {tag: languages.language(tag).habits[f"between_{what}"] for tag in languages.tags()}


def counted(number: int) -> Words:
    """A small number as it begins a sentence: a word where the language writes one."""
    words = {tag: languages.language(tag).habits.get("counts", []) for tag in languages.tags()}
    return {tag: of[number] if number < len(of) else str(number) for tag, of in words.items()}


def said(text: Words) -> Markup:
    """A text as markup: as it is where that is the same in all languages, else an element for each."""
    if isinstance(text, str) or not any(text.get(tag) for tag in others()):
        return escape(PER_CENT.sub("\u202f", english(text)))
    words = {html(tag): PER_CENT.sub("\u202f", spoken(text, tag)) for tag in languages.tags()}
    return Markup("".join(f"<span lang={tag}>{escape(one)}</span>" for tag, one in words.items()))


def parted(text: Words) -> tuple[Words, Words]:
    """A caption's first two sentences, which are always seen, and the rest, which is folded away, or ""."""
    if isinstance(text, str):
        return _parted(text)
    parts = {tag: _parted(words) for tag, words in text.items()}
    rest = {tag: more for tag, (_, more) in parts.items()}
    return {tag: first for tag, (first, _) in parts.items()}, rest if any(rest.values()) else ""


def _parted(text: str) -> tuple[str, str]:
    ends = [end.end() for end in END.finditer(text)]
    if len(ends) < SEEN or not text[ends[SEEN - 1] :].strip():
        return text, ""
    return text[: ends[SEEN - 1]].strip(), text[ends[SEEN - 1] :].strip()


def without(text: Words) -> str:
    """The classes of what has nothing to show in some languages."""
    return "" if isinstance(text, str) else "".join(f" without-{tag}" for tag, words in text.items() if not words)


def attribute(name: str, text: Words) -> Markup:
    """An attribute of an element, with those of the other languages beside it for the script to put in its place."""
    # Tens of thousands a page: Markup's own format takes three times as long as escaping what it would.
    markup = f'{name}="{escape(english(text))}"'
    if isinstance(text, str):
        return Markup(markup)
    other = [(tag, words) for tag in others() if (words := text.get(tag))]
    return Markup(markup + "".join(f' data-{tag}-{name}="{escape(words)}"' for tag, words in other))


def rules() -> str:
    """The style sheet's part that hides what was not chosen; the button shows the language that comes next.

    Scripts choose by the page's `lang`; without them a reader does by a radio button (`without_scripts`).
    """
    tags = languages.tags()
    lines = []
    for tag, next_ in zip(tags, [*tags[1:], tags[0]], strict=True):
        here, there = html(tag), html(next_)
        chosen = f':root:is([lang="{here}"]:not(:has(.language-radio:checked)), :has(.language-radio.in-{tag}:checked))'
        for root, supports in ((chosen, "selector(:has(a))"), (f':root[lang="{here}"]', "not selector(:has(a))")):
            lines += [
                f"@supports {supports} {{",
                f"{root} .without-{tag} {{ display: none; }}",
                f'{root} :is(span, tspan)[lang]:not([lang="{here}"], .other) {{ display: none; }}',
                f'{root} .other:not([lang="{there}"]) {{ display: none; }}',
                "}",
            ]
    return "\n".join(lines)


def without_scripts() -> Markup:
    """A radio button for each language, by which a reader chooses where no script runs."""
    each = [(tag, html(tag), languages.language(tag).habits["name"]) for tag in languages.tags()]
    label = Markup(
        '<label lang="{}" translate="no"><input class="language-radio in-{}" type="radio" name="language"{}> {}</label>'
    )
    buttons = [label.format(lang, tag, Markup(" checked") if tag == FIRST else "", name) for tag, lang, name in each]
    group = Markup('<span class="languages" role="radiogroup" aria-label="Language">{}</span>')
    return Markup("<noscript>{}</noscript>").format(group.format(Markup(" ").join(buttons)))


def switch() -> Markup:
    """What the button of the languages holds: the name of each, of which the style sheet shows one."""
    names = [(html(tag), languages.language(tag).habits["name"]) for tag in languages.tags()]
    return Markup("").join(Markup('<span class="other" lang="{}">{}</span>').format(*one) for one in names)
