"""Made inputs beside real ones as pictures, and how to read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cnnatomy.data.prepared import Facts
from cnnatomy.dissect.feature_visualisation.maximised import Maximised
from cnnatomy.drawing import axes, curves, saying
from cnnatomy.drawing.pictures import in_own_units
from cnnatomy.drawing.showing import amount, picture, upright
from cnnatomy.exhibit import Axis, Grid, Item, Say, Scale, Text, Unit, say
from cnnatomy.exhibit.blocks import State
from cnnatomy.exhibit.rounding import significant

if TYPE_CHECKING:
    from torch import Tensor

    from cnnatomy.dissect.feature_visualisation.regularisers import Box

NAMES = {"plain": "plain", "l1_tv": "L1 + TV", "fourier": "Fourier"}  # of the variants, beside pictures
WAYS = [*NAMES, "real"]  # the order of a unit's pictures: as the lecture makes them first, the best real one last
FEW = 4  # more of them than that, and the others stand behind them
FIRST = 12  # filters or units that stand first and large, as many as the lecture shows
SIDE = 64  # pixels of a picture, at most
LEVELS = 24  # of brightness in a picture: enough to see, and half the bytes of 256
SOURCES = ["@erhan2009", "@mahendran2015", "@fel2023"]


def reading(every: Sequence[Maximised], facts: Facts) -> list[Say]:
    """How to read the pictures, of signals their axes, and how many of the best real inputs plain ones beat."""
    said = [say("feature_visualisation.reading")]
    if facts.kind == "signals":
        said += [saying.small_signals(facts), say("feature_visualisation.ink")]
    live, more = sum(int(one.live.sum()) for one in every), sum(int(one.beats()[one.live].sum()) for one in every)
    same = sum(int(one.reaches[one.live].sum()) for one in every) - more
    outcome = "none" if not live else "ties" if same else "more"
    return [*said, say(f"feature_visualisation.beaten.{outcome}", more=more, live=live, same=same)]


def held(every: Sequence[Maximised]) -> Say | None:
    """How many of the best real inputs those beat that have no more ink and variation; nothing where none is live."""
    if not any(one.live.any() for one in every):
        return None
    return say("filter_maximisation.held", n=sum(int(one.beats("l1_tv")[one.live].sum()) for one in every))


def hung(name: str, found: Maximised, items: Sequence[Item], facts: Facts, said: tuple[Text, Text]) -> list[Grid]:
    """Units as pictures: the first of those that are live large, the others behind them in a grid of their own.

    said: title and caption.
    """
    whole = together(name, [found], items, facts, said)
    live = [one for one in items if one.state == "live"]
    if not live or len(items) <= FIRST + FEW:
        return [whole]
    large = {one.id for one in live[:FIRST]}
    others = [one for one in items if one.id not in large]
    rest = say("feature_visualisation.others", title=said[0], n=len(others))
    return [
        replace(whole, items=live[:FIRST]),
        replace(whole, name=f"{name}-others", items=others, title=rest, caption=""),
    ]


def together(
    name: str, every: Sequence[Maximised], items: Sequence[Item], facts: Facts, said: tuple[Text, Text]
) -> Grid:
    """Units of one layer, or of several, as one grid; axes where all have the same. said: title and caption."""
    ways = tuple(say(f"feature_visualisation.way.{way}") for way in WAYS)
    first, *others = (_axes(one, facts) for one in every)
    axes_ = first if all(one == first for one in others) else None
    return Grid(name, items, None, *said, variants=ways, axes=axes_, scale=_scale(facts))


def _scale(facts: Facts) -> Scale | None:
    """What the colours of an input mean, where they are amounts."""
    if facts.kind == "sounds":
        return Scale("amount", say("data.scale.loudness"))
    return Scale("grey", say("data.scale.range")) if facts.kind == "images" and facts.shape[0] == 1 else None


def _axes(found: Maximised, facts: Facts) -> tuple[Axis, Axis] | None:
    """Of what is drawn of a unit's window."""
    places = list(found.window.shape[1:])
    if found.window.step is not None:
        seen = zip(found.window.seen, places, strict=True)
        places = [len(range(*part.indices(length))) for part, length in seen]
    return axes.along(facts, places[0], places[1]) if len(places) == 2 else None


def item(found: Maximised, row: int, state: State, facts: Facts, box: Box) -> Item:
    """A unit's inputs, with the values that they reach."""
    unit = int(found.which[row])
    values = {NAMES[variant]: of[row] for variant, of in found.values.items()} | {"best real": found.best[row]}
    if len(found.rank):
        values["rank"] = found.rank[row]
    values["fires for"] = found.fires[row] / found.compared
    plain, *more = _pictures(found, row, facts, box)
    return Item(
        id=f"{found.layer.name}/{unit} {found.objective}",
        pixels=plain,
        label=str(unit),
        state=state,
        values={key: significant(float(value)) for key, value in values.items()},
        more=more,
        unit=Unit(found.layer.name, unit),
    )


def _pictures(found: Maximised, row: int, facts: Facts, box: Box) -> list[np.ndarray]:
    """Pixels of a unit's inputs, in the order of `WAYS`."""
    inputs = [*(found.images[variant][row] for variant in NAMES), found.real[row]]
    if found.window.step is not None:
        inputs = [one[(slice(None), *found.window.seen)] for one in inputs]
    return [drawn(one, facts, box, curves.SMALL) for one in inputs]


def drawn(x: Tensor, facts: Facts, box: Box, curve: tuple[int, int] = curves.SIZE) -> np.ndarray:
    """An input as the samples are drawn, its range from end to end; larger ones a whole number smaller.

    curve: the size in pixels of the picture of a signal.
    """
    if facts.kind == "signals":
        return curves.signal(facts, in_own_units(facts, x.cpu().double()).numpy(), size=curve)
    values = box.share(x).clamp(0, 1).double().numpy()
    by = -(-max(values.shape[1:]) // SIDE)
    if by > 1:
        rows, columns = (length // by * by for length in values.shape[1:])
        values = values[:, :rows, :columns].reshape(len(values), rows // by, by, columns // by, by).mean((2, 4))
    values = np.rint(values * LEVELS) / LEVELS
    if facts.kind == "sounds":
        return amount(upright(facts, values[0]), high=1.0)
    return picture(facts, np.rint(255 * values).astype(np.uint8))
