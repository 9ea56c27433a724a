"""What a reader may touch: what the page's script is given, and what stands there before it runs."""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup

from cnnatomy.report.show import MINUS, packed, plain


def walk(block: dict[str, Any]) -> dict[str, Any]:
    """What the script needs of a descent: the network, where it starts, what may be chosen, where it is drawn."""
    wanted = ("units", "x", "y", "start", "sizes", "size", "there", "frame", "span")
    return {key: block[key] for key in wanted} | {"steps": len(block["path"]) - 1}


def path(block: dict[str, Any], clip: str) -> Markup:
    """The path that was walked, as SVG over the drawing of the surface. clip: an id for the frame that cuts it off."""
    left, top, width, height = block["frame"]
    least, most = block["span"]

    def at(place: list[float]) -> str:
        a, b = ((value - least) / (most - least) for value in place)
        return f"{left + a * width:.1f} {top + (1 - b) * height:.1f}"

    places = [at(place) for place in block["path"]]
    way, dots = "M" + "L".join(places), "".join(f"M{place}h0" for place in places)
    looks = {"halo": way, "way": way, "dots": dots, "now": f"M{places[-1]}h0"}
    drawn = Markup("").join(Markup('<path class="{}" d="{}"/>').format(*one) for one in looks.items())
    frame = Markup('<rect x="{}" y="{}" width="{}" height="{}"/>').format(left, top, width, height)
    return Markup('<clipPath id="{}">{}</clipPath><g clip-path="url(#{})">{}</g>').format(clip, frame, clip, drawn)


def masks(block: dict[str, Any]) -> list[dict[str, Any]]:
    """What the script needs of a filtering: each kernel's name, weights and divisor."""
    return [{key: mask[key] for key in ("label", "weights", "over")} for mask in block["masks"]]


def live(block: dict[str, Any]) -> str:
    """What the script needs of a network that runs in the page, packed."""
    held = {key: value for key, value in block.items() if key not in ("title", "caption")}
    return packed(json.dumps(held, ensure_ascii=False, separators=(",", ":")))


def short(weight: float) -> str:
    """A weight in a small table: a whole number, or two decimals."""
    return plain(weight) if float(weight).is_integer() else f"{weight:.2f}".replace("-", MINUS)
