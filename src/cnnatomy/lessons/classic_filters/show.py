"""A photograph before and after each filter. What is said of it: `locale/<language>/classic_filters.yaml`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cnnatomy.drawing.plotting import Drawing, draw
from cnnatomy.drawing.showing import amount, grey
from cnnatomy.exhibit import Figure, Filtering, Grid, Item, Mask, Say, Showing, Table, say
from cnnatomy.exhibit.rounding import significant
from cnnatomy.exhibit.worded import figure, headed
from cnnatomy.lessons.classic_filters.measure import WAVES, Filtered, Filters, numbers, spectrum

DECADES = 4  # powers of ten that a drawn spectrum spans; its caption says so
SHADES = 64  # of what nothing is worked out from: of 256 it takes half as much again, and looks the same
SOURCES = ["@sobel1968"]


def show(found: Filters) -> Showing:
    """The picture, its spectrum and its range of grey, before and after; what the filters make of waves across it.

    The border is cropped in one row of pictures and padded with zeros in the other.
    """
    before = Item("before", grey(found.picture, 255), say("classic_filters.before"), group=_border("cropped"))
    cropped = [_item(one, one.cropped, "cropped") for one in found.filters]
    padded = [_item(one, one.padded, "padded") for one in found.filters]
    spectra = [Item("spectrum/before", _spectrum(found.picture), say("classic_filters.before"))]
    spectra += [Item(f"spectrum/{one.name}", _spectrum(one.cropped), _name(one)) for one in found.filters]
    return Showing(
        numbers(found),
        [
            Filtering(
                "typed",
                grey(found.picture, 255),
                [_mask(one) for one in found.filters],
                *headed("classic_filters.typed"),
            ),
            Grid("cropped", [before, *cropped, *padded], title=say("classic_filters.pictures")),
            Grid("spectra", spectra, None, *headed("classic_filters.spectra")),
            _fall(found),
            Table("ranges", _ranges(found), say("classic_filters.ranges")),
        ],
        say("classic_filters.caption", leaving=found.leaving, n=len(found.filters)),
        SOURCES,
    )


def _name(one: Filtered) -> Say:
    return say(f"classic_filters.name.{one.kind}", size=" × ".join(map(str, one.kernel.shape)))


def _mask(one: Filtered) -> Mask:
    low, high = float(one.cropped.min()), float(one.cropped.max())
    return Mask(_name(one), one.kernel * one.over, one.over, _drawn(one.cropped), significant(low), significant(high))


def _leaves(made: np.ndarray) -> bool:
    return bool(made.min() < 0 or made.max() > 255.5)


def _drawn(made: np.ndarray, shades: int = 256) -> np.ndarray:
    """What leaves the range of grey is drawn from its lowest to its highest value."""
    low, high = (made.min(), made.max()) if _leaves(made) else (0, 255)
    return grey(made, high, low, shades)


def _border(border: str) -> Say:
    return say(f"classic_filters.border.{border}")


def _item(one: Filtered, made: np.ndarray, border: str) -> Item:
    return Item(
        f"{border}/{one.name}",
        _drawn(made) if border == "cropped" else _drawn(made, SHADES),
        say("classic_filters.rescaled", name=_name(one)) if _leaves(made) else _name(one),
        values={"lowest": significant(made.min()), "highest": significant(made.max())},
        group=_border(border),
    )


def _spectrum(picture: np.ndarray) -> np.ndarray:
    """Amplitudes as pixels."""
    return amount(np.log10(np.maximum(spectrum(picture), 10.0**-DECADES)) + DECADES)


def _fall(found: Filters) -> Figure:
    """What each filter does to waves across the picture, by their fineness; random weights have no rule to see."""
    gains = {one.name: one.gains for one in found.filters if not one.kind.startswith("random")}

    def paint(drawing: Drawing) -> None:
        axes = drawing.subplots()
        for name, gain in gains.items():
            axes.plot(WAVES, gain / max(gain.max(), 1), label=name)
        axes.set(xlabel="cycles a pixel", ylabel="kept, of the most", xlim=(0, 0.5), ylim=(0, None))
        axes.legend()

    table = pd.DataFrame({"cycles a pixel": WAVES, **gains})
    return figure("gains", "classic_filters.gains", draw(paint, height=260), table, "")


def _ranges(found: Filters) -> pd.DataFrame:
    picture = found.picture
    rows = [("before", None, picture.min(), picture.max(), len(picture), len(picture))]
    for one in found.filters:
        low, high = significant(one.cropped.min()), significant(one.cropped.max())
        rows.append((one.name, one.kernel.sum(), low, high, len(one.padded), len(one.cropped)))
    return pd.DataFrame(
        rows, columns=["filter", "sum of weights", "lowest", "highest", "rows, padded", "rows, cropped"]
    )
