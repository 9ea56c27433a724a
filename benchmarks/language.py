"""Which lines of a report's page are not in a language: `python benchmarks/language.py results/report/index.html zh`.

A line is what a reader sees as one: a paragraph, a heading, a cell, a label, a word of a drawing, the name of a number
beside a picture. It is in the language if the page has it in it, or it has nothing to say there: no word of two letters
beyond (a) what the page marks as a name, translate="no": layers, samples, voices, classes without a word of ours, words
of the sentences that were read, sources, versions; (b) code; (c) what `locale/<language>/page/names.yaml` lists: terms
and units that stay as they are; (d) names with digits in them, as conv1. Prints how many lines there are, how many are
not in the language, and these.
"""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import yaml

LOCALE = Path(__file__).parents[1] / "src" / "cnnatomy" / "locale"
LINES = frozenset(
    ["p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "td", "th", "dt", "dd", "caption", "summary", "label", "button"]
    + ["option", "text", "title", "desc", "div", "section", "article"]
)
NEVER = frozenset(["script", "style", "pre", "code", "title"])  # a drawing's title is its work's
IN_LANGUAGES = ("span", "tspan")  # each language has one of its own, and the others' are hidden
#: Elements that end by themselves where one of these begins, in their table.
ENDED_BY = {"td": ("td", "th"), "th": ("td", "th"), "tr": ("td", "th", "tr")}
VOID = frozenset(
    ["img", "input", "meta", "link", "br", "audio", "source"]
    + ["path", "rect", "circle", "line", "polyline", "polygon", "use"]
)
WORD = re.compile(r"[^\W\d_]{2,}")


class Page(HTMLParser):
    """Lines of a page in one language: a text for each, empty where another language stands."""

    def __init__(self, tag: str, html: str) -> None:
        super().__init__()
        self.tag, self.html = tag, html
        self.names: dict[str, str] = {}
        self.facts: set[str] = set()
        self.lines: list[tuple[str, bool]] = []  # the text, and whether the language is in it
        self._open: list[
            tuple[str, bool, bool]
        ] = []  # the element, whether it is left out, whether it is in the language
        self._text, self._told = "", False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "body":
            self.names = json.loads(known.get("data-names") or "{}").get(self.tag, {})
        else:
            self.facts |= set(json.loads(known.get("data-names") or "[]"))
        if tag in LINES:
            self._end()
        self._close_before(tag)
        if tag in VOID:
            return
        left_out, here = self._open[-1][1:] if self._open else (False, False)
        lang = known.get("lang")
        left_out |= f"without-{self.tag}" in (known.get("class") or "").split()
        left_out |= (
            tag in NEVER
            or known.get("translate") == "no"
            or (lang is not None and lang != self.html and tag in IN_LANGUAGES)
        )
        here |= (lang == self.html and tag in IN_LANGUAGES) or f"data-{self.tag}" in known
        self._open.append((tag, left_out, here))

    def _close_before(self, tag: str) -> None:
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place][0] == "table":
                return
            if self._open[place][0] in ENDED_BY.get(tag, ()):
                del self._open[place:]

    def handle_endtag(self, tag: str) -> None:
        if tag in LINES:
            self._end()
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place][0] == tag:
                del self._open[place:]
                return

    def handle_data(self, data: str) -> None:
        _, left_out, here = self._open[-1] if self._open else ("", False, False)
        if left_out:
            return
        self._text += data
        self._told |= here and bool(data.strip())

    def _end(self) -> None:
        if text := " ".join(self._text.split()):
            self.lines.append((text, self._told))
        self._text, self._told = "", False


def without(page: str, tag: str) -> tuple[int, list[str]]:
    """How many lines of words a page has, and those that are not in the language."""
    html = yaml.safe_load((LOCALE / tag / "language.yaml").read_text(encoding="utf-8"))["html"]
    names = set(yaml.safe_load((LOCALE / tag / "page" / "names.yaml").read_text(encoding="utf-8"))["words"])
    read = Page(tag, html)
    read.feed(page)
    read.close()
    said = [(text, told) for text, told in read.lines if told or not _is_name(text, names)]
    said += [(key, key in read.names) for key in sorted(read.facts) if not _is_name(key, names)]
    return len(said), [text for text, told in said if not told]


def _is_name(text: str, names: set[str]) -> bool:
    parts = re.split(r"[\s,;:()“”·…]+", text)
    return not any(WORD.search(part) and part not in names and not re.search(r"\d", part) for part in parts)


def main(file: str, tag: str) -> None:
    lines, left = without(Path(file).read_text(encoding="utf-8"), tag)
    print(f"{len(left)} of {lines} lines are not in {tag}: {len(left) / max(1, lines):.1%}")
    print("\n".join(left))


if __name__ == "__main__":
    main(*sys.argv[1:])
