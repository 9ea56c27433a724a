"""Words along a drawing's left side, which are longer in one language than in another.

A drawing is laid out for its English. What another language says must neither lie over the drawing nor be cut off.
"""

from __future__ import annotations

import re
import unicodedata
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"
MUTED = "var(--chart-muted"  # the colour of ticks
TO_A_TICK = 7.0  # from a tick's label to the axis, as plotting has it
MOVED = re.compile(r"translate\(([-\d.]+)[ ,]+([-\d.]+)\)")
SIZE = 12.0  # of words that say none, in px
#: How wide letters are, in shares of their size: those of scripts that fill a square, and a wide guess for all others.
FULL, NARROW = 1.0, 0.58


def align(root: ElementTree.Element) -> None:
    """Labels of several lines at ticks of the vertical axis: each line then ends at its tick, however long it is.

    matplotlib writes where each line begins, which is right for the words that it measured.
    """
    for parent in list(root.iter()):
        tick: float | None = None
        for child in parent:
            if child.tag == f"{SVG}use" and child.get("fill", "").startswith(MUTED):
                tick = float(child.get("x", "0"))
                continue
            place = MOVED.fullmatch(child.get("transform", ""))
            if child.tag != f"{SVG}text" or tick is None or not place or "text-anchor" in child.attrib:
                tick = None
            elif float(place[1]) < tick:
                del child.attrib["transform"]
                child.attrib |= {"x": f"{tick - TO_A_TICK:.2f}", "y": place[2], "text-anchor": "end"}


def make_room(root: ElementTree.Element) -> None:
    """Widen the drawing to the left by what a word that ends at its place would leave it by."""
    box = [float(number) for number in re.findall(r"-?[\d.]+(?:e-?\d+)?", root.get("viewBox", ""))]
    if len(box) != 4 or root.get("width", "") != f"{box[2]:g}":
        return  # scaled as a whole, so that no one knows what a pixel is in it
    missing = 0.0
    for text in root.iter(f"{SVG}text"):
        if text.get("text-anchor") == "end" and "transform" not in text.attrib and len(text):
            widest = max(wide(part.text or "", text.get("font-size", "")) for part in text)
            missing = max(missing, box[0] - float(text.get("x", "0")) + widest)
    if missing > 0:
        box = [box[0] - round(missing), box[1], box[2] + round(missing), box[3]]
        root.attrib |= {"viewBox": " ".join(f"{number:g}" for number in box), "width": f"{box[2]:g}"}


def wide(text: str, size: str) -> float:
    """About how many pixels a text takes, of letters as large as an attribute `font-size` says."""
    number = re.match(r"[\d.]+", size)
    letters = sum(FULL if unicodedata.east_asian_width(letter) in "WF" else NARROW for letter in text)
    return letters * (float(number[0]) if number else SIZE)
