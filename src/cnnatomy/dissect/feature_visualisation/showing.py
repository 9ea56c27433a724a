"""Made inputs beside real ones as pictures, and how to read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from cnnatomy.data.prepared import Facts
from cnnatomy.dissect.feature_visualisation.maximised import Maximised
from cnnatomy.drawing import curves, saying
from cnnatomy.drawing.pictures import in_own_units
from cnnatomy.drawing.showing import amount, picture, upright
from cnnatomy.exhibit import Item, Say, Unit, say
from cnnatomy.exhibit.blocks import State
from cnnatomy.exhibit.rounding import significant

if TYPE_CHECKING:
    from torch import Tensor

    from cnnatomy.dissect.feature_visualisation.regularisers import Box

NAMES = {"plain": "plain", "l1_tv": "L1 + TV", "fourier": "Fourier"}  # of the variants, beside pictures
SIDE = 64  # pixels of a picture, at most
LEVELS = 24  # of brightness in a picture: enough to see, and half the bytes of 256
SOURCES = ["@erhan2009", "@mahendran2015", "@fel2023"]


def reading(found: Maximised, facts: Facts) -> list[Say]:
    """How to read the strips, of signals their axes, and how many of the best real inputs plain ones beat."""
    said = [say("feature_visualisation.reading")]
    if facts.kind == "signals":
        said += [saying.small_signals(facts), say("feature_visualisation.ink")]
    live, more = int(found.live.sum()), int(found.beats()[found.live].sum())
    same = int(found.reaches[found.live].sum()) - more
    return [*said, say(f"feature_visualisation.beaten.{'ties' if same else 'more'}", more=more, live=live, same=same)]


def item(found: Maximised, row: int, state: State, facts: Facts, box: Box) -> Item:
    """A unit's strip, with the values that its inputs reach."""
    unit = int(found.which[row])
    values = {"best real": found.best[row]} | {NAMES[variant]: of[row] for variant, of in found.values.items()}
    if len(found.rank):
        values["rank"] = found.rank[row]
    values["fires for"] = found.fires[row] / found.compared
    return Item(
        id=f"{found.layer.name}/{unit} {found.objective}",
        pixels=_strip(found, row, facts, box),
        label=str(unit),
        state=state,
        values={key: significant(float(value)) for key, value in values.items()},
        unit=Unit(found.layer.name, unit),
    )


def _strip(found: Maximised, row: int, facts: Facts, box: Box) -> np.ndarray:
    """Pixels: the best real input of a unit, then the plain, L1 + TV and Fourier ones, from left to right."""
    panels = [found.real[row], *(found.images[variant][row] for variant in NAMES)]
    if found.window.step is not None:
        panels = [panel[(slice(None), *found.window.seen)] for panel in panels]
    return _side_by_side([drawn(panel, facts, box, curves.SMALL) for panel in panels])


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


def _side_by_side(panels: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures of one height in a row, with a grey line between."""
    between = np.full((panels[0].shape[0], 1, *panels[0].shape[2:]), 128, np.uint8)
    return np.concatenate([part for panel in panels for part in (between, panel)][1:], axis=1)
