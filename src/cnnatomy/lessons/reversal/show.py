"""Training and its reversal, three formulas, and a map of methods. What is said: `locale/<language>/reversal.yaml`."""

from __future__ import annotations

import numpy as np

from cnnatomy.drawing.sketch import GREY, INK, PHONE, Sketch
from cnnatomy.exhibit import Say, Showing, say
from cnnatomy.exhibit.worded import figure
from cnnatomy.lessons.reversal.measure import Climbed, Reversal, numbers

SOURCES = ["@erhan2009", "@simonyan2014"]
FORMULAS = {"filter": "aᵏ = ΣΣ aᵢⱼ", "unit": "aⱼ", "class": "yᵢ − λ Σ|xᵢⱼ|"}
#: Every method, by what it looks at: real samples, the network's own weights and slopes, or both.
FAMILIES = {
    "by samples": {
        "samples": "the data",
        "spectrogram": "spectrogram",
        "evaluation": "right and wrong",
        "feature_maps": "feature maps",
        "top_patches": "best patches",
        "ngrams": "n-grams",
        "learning": "how it learned",
        "live": "your own sample",
    },
    "by parameters": {
        "structure": "structure",
        "kernels": "kernels",
        "filter_maximisation": "filter maximised",
        "dense_maximisation": "dense unit maximised",
        "class_maximisation": "class maximised",
        "deconvolution": "deconvolution",
        "dream": "Deep Dream",
        "style": "Deep Style",
    },
    "by both: what an answer depends on": {
        "class_activation": "class activation",
        "attribution": "attribution",
        "faithfulness": "is it faithful?",
        "filter_ablation": "filters removed",
    },
}


def show(found: Reversal) -> Showing:
    """What moves and what stands still, three ascents, and the methods by family."""
    trained, climbs = found.trained, found.climbs
    told = {"before": trained.losses[0], "after": trained.losses[1]}
    told |= {"weights": trained.moved[0], "inputs": trained.moved[1]}
    still = {"input": climbs[-1].moved[0], "weights": max(one.moved[1] for one in climbs)}
    kept = trained.moved[1] == 0 and still["weights"] == 0
    both = [
        say(f"reversal.two.{'falls' if told['after'] < told['before'] else 'rises'}", **told),
        say("reversal.two.here", **still),
        say("reversal.two.kept" if kept else "reversal.two.leaked"),
        say("reversal.two.network", right=trained.right),
    ]
    reversal = figure("reversal", "reversal.two", _reversal(found), None, both)
    reached = [say("reversal.formulas.caption"), *(_climbed(one) for one in climbs)]
    formulas = figure("formulas", "reversal.formulas", _formulas(found), None, reached)
    counts = {
        name: len(family) for name, family in zip(("samples", "parameters", "both"), FAMILIES.values(), strict=True)
    }
    families = figure("families", "reversal.families", _families(), **counts)
    return Showing(numbers(found), [reversal, formulas, families], say("reversal.caption"), SOURCES)


def _climbed(one: Climbed) -> Say:
    beats = "beats" if one.values[1] > one.real else "below"
    return say(f"reversal.{one.formula}.{beats}", before=one.values[0], after=one.values[1], real=one.real)


def _reversal(found: Reversal) -> str:
    """Two rows alike: input, weights, number; red is what changes, grey what stands still."""
    trained, climb = found.trained, found.climbs[-1]
    sketch, tall = Sketch(PHONE, 352), 180
    rows = [
        ("training", [trained.picture], list(trained.kernels), trained.losses, "loss"),
        ("here", list(climb.pictures), [trained.kernels[1]], climb.values, "value"),
    ]
    for row, (title, pictures, kernels, values, what) in enumerate(rows):
        top = row * tall
        sketch.text(0, top + 16, title, bold=True)
        for at, picture in enumerate(pictures):
            _held(sketch, (1, top + 26 + at * 66), (62, 58), len(pictures) > 1)
            sketch.picture(2, top + 27 + at * 66, picture, 2)
        sketch.text(1, top + 167, "input changes" if len(pictures) > 1 else "input stands", size=12)
        for at, four in enumerate(kernels):
            _held(sketch, (108, top + 26 + at * 66), (112, 30), len(kernels) > 1)
            for place, kernel in enumerate(four):
                scaled = kernel / np.abs(four).max()
                for colour, sign in ((0, 1), (1, -1)):
                    sketch.picture(111 + 28 * place, top + 29 + at * 66, sign * scaled, 4.8, colour)
        sketch.text(108, top + 167, "weights change" if len(kernels) > 1 else "weights stand", size=12)
        for at, value in enumerate(values):
            sketch.text(PHONE - 1, top + 46 + at * 66, f"{value:.2f}".replace("-", "−"), "end", bold=True)
        sketch.text(PHONE - 1, top + 167, what, "end", 12)
        sketch.arrow((68, top + 41), (103, top + 41), INK).arrow((226, top + 41), (252, top + 41), INK)
        ends = ((252, top + 107), (226, top + 107)), ((103, top + 107), (68, top + 107))
        sketch.arrow(*ends[0], 1)
        if len(pictures) > 1:
            sketch.line([(226, top + 107), (103, top + 107)], 1).arrow(*ends[1], 1)
        for x, many in ((32, len(pictures)), (164, len(kernels))):
            if many > 1:
                sketch.arrow((x + 24, top + 64 if x > 99 else top + 85), (x + 24, top + 91), 1)
    return sketch.svg()


def _held(sketch: Sketch, corner: tuple[float, float], size: tuple[float, float], changes: bool) -> None:
    sketch.box(corner, size, 1 if changes else GREY, 0, 3 if changes else 1)


def _formulas(found: Reversal) -> str:
    side, tall = 3, 136
    sketch = Sketch(PHONE, tall * len(found.climbs))
    for row, one in enumerate(found.climbs):
        top = row * tall
        sketch.text(1, top + 16, FORMULAS[one.formula], size=15, bold=True)
        wide = one.pictures[0].shape[1] * side
        for left, picture, value in zip((1, 1 + wide + 50), one.pictures, one.values, strict=True):
            sketch.picture(left, top + 24, picture, side)
            sketch.text(left + wide / 2, top + 124, f"{value:.1f}".replace("-", "−"), "middle", bold=True)
        sketch.arrow((wide + 8, top + 66), (wide + 44, top + 66), 1)
        sketch.text(2 * wide + 60, top + 56, "best real", size=12)
        sketch.text(2 * wide + 60, top + 74, f"{one.real:.1f}".replace("-", "−"))
    return sketch.svg()


def _families() -> str:
    """Two families side by side, and below what takes from both."""
    sketch, wide, tall = Sketch(PHONE, 0), 150, 24
    (first, left), (second, right), (third, both) = FAMILIES.items()
    sketch.box((76, 1), (160, 26), INK).text(PHONE / 2, 19, "a trained network", "middle")
    sketch.arrow((116, 28), (76, 50), INK).arrow((196, 28), (236, 50), INK)
    deep = 84 + tall * max(len(left), len(right))
    for x, title, family, colour in ((1, first, left, 0), (PHONE - wide - 1, second, right, 2)):
        sketch.box((x, 52), (wide, deep - 52), colour, 0.08, 1.5).text(x + 10, 72, title, bold=True)
        for at, name in enumerate(family.values()):
            sketch.text(x + 10, 98 + tall * at, name, size=12)
    sketch.arrow((76, deep + 1), (116, deep + 22), 0).arrow((236, deep + 1), (196, deep + 22), 2)
    sketch.box((1, deep + 24), (PHONE - 2, 34 + tall * 2), 5, 0.08, 1.5).text(11, deep + 44, third, bold=True)
    for at, name in enumerate(both.values()):
        sketch.text(11 + 150 * (at % 2), deep + 70 + tall * (at // 2), name, size=12)
    sketch.height = deep + 64 + tall * 2
    return sketch.svg()
