"""Drawings made fit to stand inside the page.

The page's content security policy forbids style attributes, and the ids of two drawings must not clash: styles
become classes, ids get the block's name in front, and a title and a description are put in for those who can't see
it. What a drawing must not have at all is refused before, by `cnnatomy.exhibit`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from xml.etree import ElementTree

from markupsafe import Markup

from cnnatomy.exhibit import Words, languages
from cnnatomy.report import labels
from cnnatomy.report.labels import HREF, SVG
from cnnatomy.report.language import english, html, others, spoken
from cnnatomy.report.terms import Terms

REFERENCE = re.compile(r"url\(\s*['\"]?#([^)'\"]+)['\"]?\s*\)")
WORD = re.compile(r"[^\W\d_]{2,}")
LENGTH = re.compile(r"([0-9.]+)(px|pt|pc|in|cm|mm)?")
#: An attribute whose value HTML takes without quotes as well. Drawings have 50,000 of them, a hundredth of the page.
QUOTED = re.compile(r"( [a-z0-9-]+=)\"([^\s\"'=<>`&]+)\"(?=[ >])")
PLACES = frozenset(["d", "points", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "width", "height"])
LONG = re.compile(r"\d+\.\d{2,}")
#: What a path says as well without: blanks beside letters and before a minus, and the 0 before a point. A twentieth of
#: what drawings take.
IDLE = re.compile(r" (?=[A-Za-z-])|(?<=[A-Za-z]) |(?<![\d.])0(?=\.\d)")
WIDE = 200  # units of a drawing that a tenth of one is nothing of
PIXELS = {"": 1, "px": 1, "pt": 4 / 3, "pc": 16, "in": 96, "cm": 96 / 2.54, "mm": 9.6 / 2.54}
# Attributes that are styles as well. Drawings repeat the same ones on thousands of points; as classes they are short.
LOOKS = """
    fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-dasharray stroke-dashoffset stroke-linecap
    stroke-linejoin stroke-miterlimit opacity font-family font-size font-style font-weight text-anchor
    dominant-baseline paint-order visibility
"""
LOOKS_ALLOWED = frozenset(LOOKS.split())


def inline(
    content: bytes, prefix: str, title: Words, description: Words, terms: Terms
) -> tuple[Markup, dict[str, str]]:
    """The drawing as markup, and the styles (class → declarations) that the page must define for it."""
    root = ElementTree.fromstring(content)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{SVG}metadata", f"{SVG}style", f"{SVG}title", f"{SVG}desc"):
                parent.remove(child)
    labels.align(root)
    _translate(root, terms)
    labels.make_room(root)
    names = _names(root, prefix)
    styles: dict[str, str] = {}
    _round(root)
    for element in root.iter():
        element.tag = element.tag.removeprefix(SVG)
        element.attrib = _attributes(element, names, styles)
        if not (element.tail or "").strip():
            element.tail = None
    _frame(root, prefix, title, description, styles)
    return Markup(QUOTED.sub(r"\1\2", ElementTree.tostring(root, encoding="unicode"))), styles


def _round(root: ElementTree.Element) -> None:
    """Places to a tenth of a pixel, for charts have thousands. Markers, which are small, stay as they are.

    So does a drawing that is enlarged, within itself or by the page.
    """
    turned = any(re.search(r"scale|matrix", element.get("transform", "")) for element in root.iter())
    box = re.findall(r"-?[\d.]+", root.get("viewBox", ""))
    if turned or len(box) != 4 or float(box[2]) < WIDE:
        return
    small = {part for defined in root.iter(f"{SVG}defs") for part in defined.iter()}
    for element in set(root.iter()) - small:
        for name in PLACES & element.attrib.keys():
            element.set(name, LONG.sub(_tenths, element.attrib[name]))


def _tenths(number: re.Match[str]) -> str:
    return f"{float(number[0]):.1f}".removesuffix(".0")


def _translate(root: ElementTree.Element, terms: Terms) -> None:
    """The words of axes, ticks and legends in each language, a part of the text each; names are marked as such.

    The style sheet hides the parts of the languages that were not chosen, as it does in the rest of the page.
    """
    for element in root.iter(f"{SVG}text"):
        text = (element.text or "").strip()
        words = terms.words(text)
        if not isinstance(words, str) and not len(element):
            element.text = None
            for tag in languages.tags():
                ElementTree.SubElement(element, "tspan", {"lang": html(tag)}).text = spoken(words, tag)
        elif WORD.search(text) and terms.is_name(text):
            element.set("translate", "no")


def _names(root: ElementTree.Element, prefix: str) -> dict[str, str]:
    """New names for the ids that something refers to: short, since hundreds of lines refer to each."""
    prefix = f"d{_short(prefix)}"
    used = set()
    for element in root.iter():
        used |= {name for value in element.attrib.values() for name in REFERENCE.findall(value)}
        used |= {element.get(key, "")[1:] for key in (HREF, "href")}
    ids = [name for element in root.iter() if (name := element.get("id", "")) in used and name]
    return {name: f"{prefix}-{number}" for number, name in enumerate(dict.fromkeys(ids))}


def _short(text: str) -> str:
    """Four letters that stand for a text: names of 24 bits, of which a page has thousands."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:3]).decode()


def _attributes(element: ElementTree.Element, names: dict[str, str], styles: dict[str, str]) -> dict[str, str]:
    def renamed(value: str) -> str:
        return REFERENCE.sub(lambda match: f"url(#{names.get(match[1], match[1])})", value)

    kept: dict[str, str] = {}
    looks: list[str] = []
    for name, value in element.attrib.items():
        if name == "id":
            if value in names:
                kept["id"] = names[value]
        elif name in (HREF, "href"):
            kept["href"] = f"#{names.get(value[1:], value[1:])}" if value.startswith("#") else value
        elif name == "style":
            looks += [renamed(part.strip()) for part in value.split(";") if part.strip()]
        elif name in LOOKS_ALLOWED and not re.search(r"[;:]|url\(", value):
            unit = "px" if name == "font-size" and value.replace(".", "", 1).isdigit() else ""  # CSS wants one
            looks.insert(0, f"{name}: {value}{unit}")  # before the style attribute's, which has the last word
        elif name == "d":
            kept["d"] = IDLE.sub("", value)
        elif name != "class" and not name.startswith("{"):
            kept[name] = renamed(value)
    if looks:
        style = "; ".join(looks)
        kept["class"] = f"s{_short(style)}"
        styles[kept["class"]] = style
    return kept


def _frame(root: ElementTree.Element, prefix: str, title: Words, description: Words, styles: dict[str, str]) -> None:
    """Size, title and description of the whole."""
    width, height = (_pixels(root.get(key, "")) for key in ("width", "height"))
    box = [float(number) for number in re.findall(r"-?[\d.]+(?:e-?\d+)?", root.get("viewBox", ""))]
    if len(box) != 4:
        box = [0, 0, width or 300, height or 150]  # as browsers take it where nothing is said
    root.set("viewBox", " ".join(f"{number:g}" for number in box))
    pixels = round(width or box[2])  # the page lets no drawing grow much beyond the size that it was made for
    root.set("class", f"{root.get('class', '')} w{pixels}".strip())
    styles[f"w{pixels}"] = f"--natural: {pixels}px"
    root.attrib = {"role": "img", "aria-labelledby": f"{prefix}--title {prefix}--desc"} | root.attrib
    for position, (tag, text) in enumerate((("title", title), ("desc", description))):
        translated = {} if isinstance(text, str) else {f"data-{one}": text[one] for one in others() if text.get(one)}
        element = ElementTree.Element(tag, {"id": f"{prefix}--{tag}"} | translated)
        element.text = english(text)
        root.insert(position, element)


def _pixels(length: str) -> float | None:
    """A length in px; None for what is none, as 100 %."""
    found = LENGTH.fullmatch(length)
    return float(found[1]) * PIXELS[found[2] or ""] if found else None
