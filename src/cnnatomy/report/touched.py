"""What a reader may touch: what the page's script is given, and what stands there before it runs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from markupsafe import Markup

from cnnatomy.exhibit import Words
from cnnatomy.exhibit.describing import png_of
from cnnatomy.report.language import english
from cnnatomy.report.show import MINUS, NARROW, packed, plain
from cnnatomy.report.terms import Terms

DECIBELS = 60  # below its loudest place, of a sound that is drawn
NAMED = 5  # classes that are named where no script shows all


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


def short(weight: float) -> str:
    """A weight in a small table: a whole number, or two decimals."""
    return plain(weight) if float(weight).is_integer() else f"{weight:.2f}".replace("-", MINUS)


def live(block: dict[str, Any], terms: Terms) -> str:
    """What the script needs of a network that runs in the page, packed; its classes in every language."""
    held = {key: value for key, value in block.items() if key not in ("title", "caption")}
    held["classes"] = _classes(block, terms)
    return packed(json.dumps(held, ensure_ascii=False, separators=(",", ":")))


def likely(block: dict[str, Any], terms: Terms) -> list[tuple[Words, str]]:
    """The classes that torch finds most likely for the first sample, and their probabilities."""
    logits = np.array(block["samples"][0]["logits"], dtype=np.float64)
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    names = _classes(block, terms)
    return [(names[k], f"{100 * shares[k]:.1f}{NARROW}%") for k in np.argsort(-shares, kind="stable")[:NAMED]]


def first(block: dict[str, Any], inputs: bytes) -> bytes | None:
    """The first sample as a picture, PNG; None for what is no picture. inputs: as the block's file has them."""
    given, samples = block["input"], len(block["samples"])
    if given["kind"] not in ("picture", "sound"):
        return None
    stored = np.frombuffer(inputs, dtype=np.dtype(block["stored"]).newbyteorder("<"))
    sample = stored.reshape(samples, *given["shape"])[0].astype(np.float64)
    if given["kind"] == "sound":
        loud = np.clip((sample[0] - sample[0].max() + DECIBELS) / DECIBELS, 0, 1)
        return png_of(np.rint(255 * loud[::-1]).astype(np.uint8), "a sound")
    pixels = np.rint(255 * sample / given["over"]).astype(np.uint8)
    return png_of(pixels[:3].transpose(1, 2, 0) if len(pixels) >= 3 else pixels[0], "a picture")


def written(block: dict[str, Any], inputs: bytes) -> str:
    """The first sample as it is read, of words."""
    length = block["input"]["shape"][0]
    tokens = np.frombuffer(inputs, dtype="<i4")[:length]
    return " ".join(block["input"]["vocabulary"][token] for token in tokens if token)


def _classes(block: dict[str, Any], terms: Terms) -> list[Words]:
    return [terms.class_name(english(name)) for name in block["classes"]]
