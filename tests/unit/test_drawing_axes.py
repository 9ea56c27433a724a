"""What stands along a picture's sides is where it is, and what is laid over a picture is where it was measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnnatomy.data.prepared import Axis, Facts
from cnnatomy.drawing import axes, overlays
from cnnatomy.inspection.patches import sheet

BANDS = [100.0 * 1.2**band for band in range(20)]
REST: dict[str, Any] = {"normalise": None, "licence": "", "citation": "", "raw": "", "digest": ""}
TIMES = [0.02 * frame for frame in range(50)]
SOUNDS = Facts("s", "sounds", (1, 20, 50), ["a"], [Axis("frequency", "Hz", BANDS), Axis("time", "s", TIMES)], **REST)
SIDES = [Axis(name, "px", list(range(28))) for name in ("row", "column")]
IMAGES = Facts("i", "images", (1, 28, 28), ["a"], SIDES, **REST)


def test_octaves_stand_where_their_bands_are_and_run_upward():
    across, up = axes.along(SOUNDS, 20, 50)
    assert [text for _, text in across.ticks] == ["0", "200", "400", "600", "800", "1000"]
    assert [at for at, _ in across.ticks] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    for at, text in up.ticks:
        band = (1 - at) * 20 - 0.5
        assert np.interp(band, range(20), BANDS) == pytest.approx(float(text), rel=1e-3)
    assert [text for _, text in up.ticks] == ["125", "250", "500", "1000", "2000"]


def test_a_window_that_may_lie_anywhere_is_counted_in_bands():
    _, up = axes.along(SOUNDS, 4, 50)
    assert up.title.id == "data.axis.band" and up.ticks[0] == (1, "0")


def test_pixels_are_counted_from_the_top_left_to_the_end():
    across, down = axes.along(IMAGES, 28, 28)
    assert across.ticks == down.ticks and down.ticks[0] == (0, "0") and down.ticks[-1] == (1, "28")


def test_of_a_sheet_the_axes_are_those_of_its_first_picture():
    tile = np.zeros((4, 10), np.uint8)
    for pictures, columns in ((9, 3), (4, 4), (1, 1)):
        whole = sheet([tile] * pictures, columns).shape
        across, down = axes.of_first(axes.along(IMAGES, 4, 10), (-(-pictures // columns), columns), whole)
        assert [text for _, text in across.ticks][::5] == ["0", "10"] and down.ticks[-1][1] == "4"
        assert across.ticks[-1][0] * whole[1] == pytest.approx(10) and down.ticks[-1][0] * whole[0] == pytest.approx(4)
    _, up = axes.of_first(axes.along(SOUNDS, 4, 10), (2, 3), sheet([tile] * 6, 3).shape)
    assert up.ticks[0][1] == "0" and up.ticks[0][0] * 9 == pytest.approx(4)  # upward within the first row
    assert axes.of_first(None, (1, 1), (4, 10)) is None


@pytest.mark.parametrize("shape", [(3, 3), (28, 20), (224, 224)])
def test_a_map_colours_the_places_where_it_is_and_no_others(shape):
    amounts = np.zeros(shape)
    amounts[: shape[0] // 2] = 1.0
    laid = overlays.over(np.full(shape, 100, np.uint8), amounts).astype(int)
    assert max(laid.shape[:2]) >= min(84, max(shape))
    reds = laid[..., 0] - laid[..., 2]
    half = laid.shape[0] * (shape[0] // 2) // shape[0]
    assert (reds[: half - 2] > 40).all() and (reds[half + 2 :] == 0).all()
    none = overlays.over(np.full(shape, 100, np.uint8), np.zeros(shape))
    assert np.ptp(none, axis=2).max() == 0


def test_the_frame_stands_around_the_window():
    framed = overlays.framed(IMAGES, np.zeros((28, 28), np.uint8), [(2, 6), (10, 15)])
    rows, columns = np.nonzero((framed == overlays.FRAME).all(axis=2))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 5, 10, 14)
    upward = overlays.framed(SOUNDS, np.zeros((20, 50), np.uint8), [(0, 4), (0, 50)])
    rows, _ = np.nonzero((upward == overlays.FRAME).all(axis=2))
    assert (rows.min(), rows.max()) == (16, 19)
