"""Which drawings are let into an exhibit: those that only draw.

The report puts drawings into its page, where a script, an event handler or a reference to something outside
would act; they are refused when an exhibit is written, and again when it is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

ELEMENTS = """
    svg g defs symbol use path rect circle ellipse line polyline polygon text tspan textPath title desc image
    style clipPath mask marker pattern linearGradient radialGradient stop metadata
"""
PROPERTIES = """
    fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-dasharray stroke-dashoffset
    stroke-linecap stroke-linejoin stroke-miterlimit opacity font font-family font-size font-style font-weight
    font-variant font-stretch text-anchor dominant-baseline letter-spacing word-spacing white-space color
    stop-color stop-opacity clip-path clip-rule mask marker-start marker-mid marker-end visibility display
    image-rendering shape-rendering text-rendering mix-blend-mode paint-order vector-effect transform
    transform-origin
"""
ELEMENTS_ALLOWED = frozenset(ELEMENTS.split())
PROPERTIES_ALLOWED = frozenset(PROPERTIES.split())
# matplotlib writes this one rule into every drawing; the page says the same for all of them.
STYLE_SHEET = re.compile(r"\s*\*\s*\{\s*stroke-linejoin:\s*round;\s*stroke-linecap:\s*butt;?\s*\}\s*")
INSIDE = re.compile(r"url\(\s*(['\"]?)#[^)]*\1\s*\)")
OUTSIDE = re.compile(r"url\s*\(|image-set|@import|expression\s*\(|javascript:", re.IGNORECASE)
PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=\s]*")


def problems(content: bytes) -> Iterator[str]:
    """What is wrong with the drawing `content`, as the ends of sentences that begin with its name."""
    if b"<!ENTITY" in content:
        yield "declares entities; write the drawing without a document type"
        return
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        yield f"is no XML ({error}); write it with cnnatomy.drawing.plotting"
        return
    if root.tag != f"{{{SVG}}}svg":
        yield f"is no SVG (its root is {root.tag}); write it with cnnatomy.drawing.plotting"
        return
    described = {child for data in root.iter(f"{{{SVG}}}metadata") for child in data.iter() if child is not data}
    for element in root.iter():
        if element not in described:  # the page leaves metadata out
            yield from _element_problems(element)


def _element_problems(element: ElementTree.Element) -> Iterator[str]:
    tag = str(element.tag).removeprefix(f"{{{SVG}}}")
    if tag not in ELEMENTS_ALLOWED:
        yield f"has a <{tag.rpartition('}')[2]}>; a drawing may only draw: take it out"
        return
    if tag == "style" and not STYLE_SHEET.fullmatch(element.text or ""):
        yield "has a <style> sheet; put the style on the elements"
    for name, value in element.attrib.items():
        plain = name.rpartition("}")[2]
        if plain.lower().startswith("on"):
            yield f"has the event handler {plain!r}; a drawing may only draw: take it out"
        elif plain in ("href", "src"):
            if not value.startswith("#") and not (tag == "image" and PICTURE.fullmatch(value)):
                yield f"refers to {value[:60]!r}; draw everything inside, pictures as data:image/png"
        elif plain == "style":
            for declaration in value.split(";"):
                key, _, setting = (part.strip() for part in declaration.partition(":"))
                if key and key not in PROPERTIES_ALLOWED:
                    yield f"sets the style {key[:60]!r}, which no drawing needs; take it out"
                yield from _setting_problems(setting)
        else:
            yield from _setting_problems(value)


def _setting_problems(setting: str) -> Iterator[str]:
    if OUTSIDE.search(INSIDE.sub("", setting)):
        yield f"refers outside of itself in {setting[:60]!r}; use url(#id) of the same drawing"
    if any(sign in setting for sign in ("{", "}", "\\", "<", "/*")):
        yield f"has {setting[:60]!r}, which is no setting of a drawing; take it out"
