"""Charts as small SVG texts that follow the page's theme.

A chart is drawn by matplotlib, then rewritten: colours become CSS variables with fallbacks, text takes the page's
colour and font, `style` attributes become presentation attributes (a strict content security policy forbids the
former), and everything that changes from run to run is left out. The same numbers give the same bytes.

The page may set `--series-1` … `--series-6`, `--chart-muted` and `--chart-font`; without them the colours below
hold, which can be read on white and on near black.
"""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias
from xml.etree import ElementTree

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

#: What a chart is painted on, for annotations: to name matplotlib's own would import it, and most that show a thing
#: draw no chart.
Drawing: TypeAlias = "matplotlib.figure.Figure"
Axes: TypeAlias = "matplotlib.axes.Axes"

# Paul Tol's "bright" scheme (2021), told apart by colour-blind readers.
SERIES = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")
MUTED = "#87888a"  # axes, grid, what is only there for comparison
TEXT = "#010203"  # a colour that nothing else has: it stands for the page's own text colour

_STYLE: Any = {  # matplotlib's own types name every key of its own
    "svg.fonttype": "none",
    "svg.hashsalt": "cnnatomy",
    "text.parse_math": False,  # a class may be called $$
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": TEXT,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": MUTED,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.7,
    "text.color": TEXT,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": TEXT,
    "ytick.labelcolor": TEXT,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.frameon": False,
    "legend.fontsize": 11,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "path.simplify": True,
    "figure.constrained_layout.use": True,
}

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


def draw(paint: Callable[[Drawing], None], width: int = 640, height: int = 300) -> str:
    """Draw a chart and return it as SVG text.

    `paint` gets an empty matplotlib Figure of `width` × `height` pixels and puts axes on it; take colours from
    `SERIES`, `MUTED` and `TEXT` of this module, because only those follow the theme.
    """
    import matplotlib
    from cycler import cycler
    from matplotlib.figure import Figure

    # From matplotlib's defaults, so that a user's matplotlibrc changes nothing. 72 dots an inch: a point is a pixel.
    with matplotlib.rc_context(), _texts_for_xml():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE | {"axes.prop_cycle": cycler(color=SERIES)})
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        paint(figure)
        for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) if axis.get_scale() == "log"):
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                tick.label1.set_parse_math(True)  # powers of ten are formulas
        text = io.StringIO()
        metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing from font")  # the reader's browser has it
            figure.savefig(text, format="svg", metadata=metadata, transparent=True)
    return _themed(text.getvalue(), width, height)


@contextmanager
def _texts_for_xml() -> Iterator[None]:
    """While drawing, what XML can't hold stands as a sign: a class may have a control character in its name."""
    from matplotlib.text import Text

    given = Text.set_text

    def set_text(self: Text, said: object) -> None:
        given(self, None if said is None else _NOT_IN_XML.sub("\ufffd", str(said)))

    Text.set_text = set_text  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        Text.set_text = given  # type: ignore[method-assign]


def _themed(svg: str, width: int, height: int) -> str:
    """Matplotlib's SVG as a small element that can stand inside a page."""
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(svg)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{{{_SVG}}}style":  # `*{…}` would reach the whole page
                parent.remove(child)
    for element in root.iter():
        _plain_attributes(element)
    _drop_invisible(root)
    _name_ids_by_content(root)
    root.attrib = {
        "viewBox": f"0 0 {width} {height}",
        "width": str(width),
        "height": str(height),
        "fill": "currentColor",
        "font-family": "var(--chart-font, system-ui, sans-serif)",
        "stroke-linejoin": "round",
    }
    return ElementTree.tostring(root, encoding="unicode")


def _plain_attributes(element: ElementTree.Element) -> None:
    """Style declarations as attributes, themed colours, short numbers, no white space between tags."""
    for declaration in element.attrib.pop("style", "").split(";"):
        key, _, value = declaration.partition(":")
        if key.strip() and key.strip() != "font-family":
            element.set(key.strip(), value.strip())
    if _XLINK in element.attrib:
        element.set("href", "".join(element.attrib.pop(_XLINK).split()))
    for key, value in element.attrib.items():
        if key in ("fill", "stroke"):
            element.set(key, _themed_colour(value))
        elif key not in ("id", "href", "clip-path"):
            element.set(key, _LONG_NUMBER.sub(lambda number: f"{float(number[0]):.2f}", " ".join(value.split())))
    if re.fullmatch(r"rotate\(-?0(\.0)?( .*)?\)", element.get("transform", "")):
        del element.attrib["transform"]
    if not (element.text or "").strip():
        element.text = None
    element.tail = None


def _themed_colour(colour: str) -> str:
    if colour == TEXT:
        return "currentColor"
    names = {MUTED: "--chart-muted", **{c: f"--series-{i}" for i, c in enumerate(SERIES, 1)}}
    return f"var({names[colour]}, {colour})" if colour in names else colour


def _drop_invisible(root: ElementTree.Element) -> None:
    """Without the transparent backgrounds and the groups and definitions that are empty after that."""
    for parent in reversed(list(root.iter())):  # children before their parents
        for child in list(parent):
            tag = child.tag.removeprefix(f"{{{_SVG}}}")
            empty = tag in ("g", "defs") and not len(child)
            unseen = (
                tag == "path"
                and child.get("fill") == "none"
                and "stroke" not in child.attrib
                and parent.tag != (f"{{{_SVG}}}defs")
            )
            if empty or unseen:
                parent.remove(child)
    _unwrap_groups(root)


def _unwrap_groups(parent: ElementTree.Element) -> None:
    """Put what a group without attributes holds into its parent: matplotlib's groups only name things."""
    flat: list[ElementTree.Element] = []
    for child in list(parent):
        _unwrap_groups(child)
        nameless = child.tag == f"{{{_SVG}}}g" and not child.attrib.keys() - {"id"}
        flat.extend(child if nameless else [child])
    parent[:] = flat


def _name_ids_by_content(root: ElementTree.Element) -> None:
    """Keep the ids that something refers to, under names that no different chart on the page can have."""
    used = {
        match[1] for element in root.iter() for value in element.attrib.values() if (match := _REFERENCE.match(value))
    }
    used |= {href[1:] for element in root.iter() if (href := element.get("href", "")).startswith("#")}
    order = [element.get("id", "") for element in root.iter() if element.get("id") in used]
    # Numbers first: matplotlib's own ids may differ from process to process, and the hash must not see them.
    _rename_ids(root, {old: str(number) for number, old in enumerate(order)})
    mark = hashlib.sha256(ElementTree.tostring(root)).hexdigest()[:10]
    _rename_ids(root, {str(number): f"c{mark}-{number}" for number in range(len(order))})


def _rename_ids(root: ElementTree.Element, names: dict[str, str]) -> None:
    for element in root.iter():
        if (name := element.attrib.pop("id", None)) in names:
            element.set("id", names[name])
        if (href := element.get("href", "")).startswith("#"):
            element.set("href", f"#{names[href[1:]]}")
        if match := _REFERENCE.match(element.get("clip-path", "")):
            element.set("clip-path", f"url(#{names[match[1]]})")
