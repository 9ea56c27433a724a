"""Charts: they follow the theme, stand beside each other on a page, and come out the same every time."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from xml.etree import ElementTree

import numpy as np

from cnnatomy.drawing.plotting import MUTED, SERIES, draw
from cnnatomy.exhibit.svg import problems


def lines(drawing):
    left, right = drawing.subplots(1, 2)
    left.plot([1, 2, 3], [0.3, 0.2, 0.1], color=SERIES[0], marker="o", label="training")
    left.set(title="Loss & more", xlabel="epoch")
    left.legend()
    right.imshow(np.arange(12, dtype=np.uint8).reshape(3, 4), interpolation="none")
    right.axhline(1, color=MUTED)


def test_the_same_chart_has_the_same_bytes_in_another_process():
    program = "from tests.unit.test_drawing_plotting import *; import sys; sys.stdout.write(draw(lines))"
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert other.stdout.decode() == draw(lines) == draw(lines)
    assert other.stderr == b""


def test_drawing_gives_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw(lines)


def test_colours_are_variables_with_fallbacks_and_text_takes_the_pages_colour():
    chart = draw(lines)
    assert "var(--series-1, #4477aa)" in chart
    assert "var(--chart-muted, #87888a)" in chart
    without = re.sub(r"var\([^)]*\)", "", chart)
    assert not re.findall(r'(?:fill|stroke)="#\w+"', without)
    for text in ElementTree.fromstring(chart).iter("{http://www.w3.org/2000/svg}text"):
        assert text.get("fill") == "currentColor"


def test_a_chart_needs_no_inline_style_and_names_no_date_and_no_program():
    chart = draw(lines)
    assert "style" not in chart
    assert "atplotlib" not in chart
    assert "<metadata" not in chart
    assert not list(problems(chart.encode()))


def test_ids_of_different_charts_never_meet():
    def other(drawing):
        drawing.subplots().plot([3, 1, 2], marker="s")

    def ids(chart):
        return set(re.findall(r' id="([^"]+)"', chart))

    assert ids(draw(lines))
    assert not ids(draw(lines)) & ids(draw(other))


def test_every_reference_has_its_target():
    chart = draw(lines)
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', chart))
    assert used == set(re.findall(r' id="([^"]+)"', chart))


def test_a_users_matplotlibrc_changes_nothing():
    import matplotlib

    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30}):
        assert draw(lines) == draw(lines)
        inside = draw(lines)
    assert inside == draw(lines)


def test_names_of_classes_are_no_formulas_and_powers_of_ten_are(recwarn):
    def paint(drawing):
        axes = drawing.subplots()
        axes.plot([1, 100], [1, 2])
        axes.set_yticks([1, 2], ["$$", "$x_{"])
        axes.set(title=r"cheap $ and $\foo$ 好", xscale="log")

    svg = draw(paint, 300, 200)
    assert ">$$<" in svg and ">$x_{<" in svg and r"cheap $ and $\foo$ 好" in svg
    assert "mathdefault" not in svg
    assert not [warning for warning in recwarn if "missing from font" in str(warning.message)]


def test_a_class_with_a_control_character_or_a_broken_letter_in_its_name_is_drawn():
    odd = ["a\x01b", "\x00", "\x1b[0m", "old\udce9", "\ufffe", "叶"]

    def paint(drawing):
        axes = drawing.subplots()
        axes.bar(odd, range(len(odd)), label=odd[0])
        axes.set(title=odd[3], xlabel=odd[4])
        axes.legend()

    svg = draw(paint, 600, 200)
    assert not list(problems(svg.encode())) and "a\ufffdb" in svg and "叶" in svg
