"""How numbers and pictures are shown."""

from __future__ import annotations

import base64
import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnatomy.report import show
from cnnatomy.report.page import Page


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (7.0, "7"),
        (2013, "2013"),
        (70000, "70,000"),
        (141950.4, "141,950"),
        (0.123456, "0.1235"),
        (-2.5, "\u22122.5"),
        (0.0000123, "1.23e\u221205"),
        (-0.0, "0"),
        (3e20, "3e+20"),
        ("text", "text"),
        (None, ""),
    ],
)
def test_numbers_are_short_and_readable(value, shown):
    assert show.plain(value) == shown


@pytest.mark.parametrize(
    ("number", "value", "interval"),
    [
        ({"value": 0.99214, "ci_low": 0.9902, "ci_high": 0.9937}, "99.21", "99.02–99.37"),
        ({"value": 0.7655, "ci_low": 0.7395, "ci_high": 0.7897}, "76.5", "74.0–79.0"),
        ({"value": 0.5, "ci_low": 0.1, "ci_high": 0.9}, "50.0", "10.0–90.0"),
        ({"value": 1.0}, "100", ""),
        ({"value": 0.00412}, "0.41", ""),
        ({"value": 1.0, "ci_low": 1.0, "ci_high": 1.0}, "100", "100–100"),
    ],
)
def test_a_fraction_has_as_many_decimals_as_its_interval_lets_count(number, value, interval):
    parts = show.measured({"metric": "accuracy", "unit": "fraction"} | number)
    assert parts["value"] == pytest.approx(float(value)) or parts["value"] == value
    assert parts["unit"] == "%"
    assert parts["interval"].replace(show.JOINED, "") == interval


@pytest.mark.parametrize(("value", "says"), [(1, "supported"), (0, "not decided"), (-1, "not supported")])
def test_a_verdict_is_a_word(value, says):
    assert show.measured({"metric": "verdict", "value": value})["value"] == says


@pytest.mark.parametrize(
    "shape", [(3, 3), (28, 28), (40, 60), (33, 1), (1, 33), (128, 5), (224, 224), (1, 1), (600, 400)]
)
@pytest.mark.parametrize("items", [1, 25, 500])
def test_pictures_are_enlarged_by_whole_numbers_to_what_can_be_seen(shape, items):
    height, width = shape
    zoom = show.zoom(width, height, show.picture_size(items))
    assert isinstance(zoom, int) and zoom >= 1
    assert max(shape) * zoom <= max(show.LONG, max(shape))
    if max(shape) < 20 * min(shape):
        assert min(shape) * zoom >= 20
    if items <= 64 and min(shape) > 1:
        assert max(shape) * zoom >= 84  # nothing that stands first is smaller


def test_a_filters_other_pictures_are_as_large_as_its_first():
    def picture(side):
        png = io.BytesIO()
        Image.new("L", (side, side)).save(png, format="PNG")
        return png.getvalue()

    strip = io.BytesIO()
    Image.new("L", (44, 8)).save(strip, format="PNG")
    page, png = Page([]), [picture(28), picture(7), picture(86)]
    exhibit: Any = SimpleNamespace(files={f"{place}.png": one for place, one in enumerate(png)})
    sizes = page.sizes(exhibit, {"file": "0.png", "more": ["1.png", "2.png"]}, 84)
    assert sizes == [(84, 84, 3), (84, 84, 12), (86, 86, 1)]
    flat: Any = SimpleNamespace(files={"0.png": strip.getvalue(), "1.png": strip.getvalue()})
    first, second = page.sizes(flat, {"file": "0.png", "more": ["1.png"]}, 126)
    assert first == second and min(first[:2]) >= 40


def test_heat_tells_errors_from_right_answers():
    matrix = {"rows": ["a", "b"], "columns": ["a", "b"], "values": [[980, 2], [0, 990]]}
    assert show.heat(matrix) == [["d12", "h12"], ["h0", "d12"]]
    signed = {"rows": ["a"], "columns": ["x", "y", "z"], "values": [[-4, 0, 1]]}
    assert show.heat(signed) == [["c12", "h0", "h6"]]
    nothing = {"rows": ["a"], "columns": ["x"], "values": [[0]]}
    assert show.heat(nothing) == [["h0"]]


def test_words_are_marked_by_the_strongest_of_their_sentence():
    sentence = {"tokens": [["good", 0.5], ["so", 0.0], ["bad", -0.25]]}
    assert [level for _, level, _, _ in show.weigh(sentence)] == ["p12", "w0", "n6"]
    assert [level for _, level, _, _ in show.weigh({"tokens": [["all", 0.0], ["zero", 0.0]]})] == ["w0", "w0"]


def test_columns_of_numbers_are_known():
    header, rows, numeric = show.rows_of(b"name,n,mixed\na,1,x\nb,,2\n")
    assert header == ["name", "n", "mixed"] and len(rows) == 2
    assert numeric == [False, True, False]
    assert show.rows_of(b"") == ([], [], [])
    texts = b"a,b,c,d\n1_2,007,12345678901234567890,12345e6\n"  # float() takes them all
    assert show.rows_of(texts)[2] == [False] * 4
    numbers = b"a,b,c,d,e\n-1.5,0,1e-07,nan,inf\n1.5,-0.25,2.5e+20,3,-inf\n"
    assert show.rows_of(numbers)[2] == [True] * 5


def test_the_size_of_a_picture_is_read_from_its_header():
    from cnnatomy.exhibit.describing import png_of

    assert show.size(png_of(np.zeros((5, 9), np.uint8), "")) == (9, 5)


def test_values_that_are_shown_alike_keep_what_tells_them_apart():
    items = [
        {"id": "a", "values": {"norm": 0.123412, "sum": 1.0}},
        {"id": "b", "values": {"norm": 0.123409, "sum": 1.0}},
        {"id": "c", "values": {"norm": 0.5}},
        {"id": "d"},
    ]
    assert show.exact(items) == {"a": {"norm": 0.123412}, "b": {"norm": 0.123409}}


def test_a_long_interval_may_break_after_its_dash():
    wide = show.measured({"metric": "m", "value": 0.0, "ci_low": -0.003688, "ci_high": -0.009309})["interval"]
    short = show.measured({"metric": "m", "value": 0.5, "ci_low": 0.26, "ci_high": 0.74})["interval"]
    assert wide.count(show.JOINED) == 1 and wide.split(show.JOINED)[1].startswith("\u2026")
    assert short == f"0.26{show.JOINED}\u2013{show.JOINED}0.74"


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 3), (300, 300, 3)])
def test_a_picture_in_the_page_has_the_pixels_of_its_file_and_is_no_larger(shape):
    pixels = np.random.default_rng(0).integers(0, 4, shape).astype(np.uint8) * 60
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, format="PNG")
    head, _, content = show.picture_uri(png.getvalue()).partition(",")
    inside = base64.b64decode(content)
    assert len(inside) <= len(png.getvalue())
    assert head == "data:image/webp;base64"
    shown = Image.open(io.BytesIO(inside)).convert("RGB")
    assert np.array_equal(np.asarray(shown), np.asarray(Image.fromarray(pixels).convert("RGB")))
