"""Figures that stand beside each other, and on a phone one below the other."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from cnnatomy.exhibit import Exhibit, Figure
from cnnatomy.report import build
from tests import gallery
from tests.browser.test_page import whole

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "beside"), [(360, False), (1280, True)])
@pytest.mark.parametrize("scripts", [True, False])
def test_figures_stand_beside_each_other_where_there_is_room(visit, tmp_path, width, beside, scripts):
    data = pd.DataFrame({"epoch": [1, 2]})
    figures = [
        Figure(f"f{i}", gallery.curves({"loss": [1.0, 2.0]}, "loss"), "A line.", data, f"Title {i}", beside=i == 1)
        for i in range(3)
    ]
    plain = [replace(figure, beside=False) for figure in figures]
    exhibits = [
        Exhibit("lesson", name, "", 0, "Lesson", "What it says.", [], shown)
        for name, shown in (("l", figures), ("m", plain))
    ]
    build(gallery.write(tmp_path, exhibits), tmp_path / "report", {})
    page = visit(tmp_path / "report" / "index.html", width=width, java_script_enabled=scripts)
    if scripts:
        whole(page)
    boxes = [page.locator(f"#lesson-l-f{i}").bounding_box() for i in range(3)]
    assert (abs(boxes[0]["y"] - boxes[1]["y"]) < 1) is beside
    assert (boxes[1]["x"] > boxes[0]["x"] + boxes[0]["width"]) is beside
    assert 0 < boxes[2]["y"] - boxes[1]["y"] - boxes[1]["height"] < 100
    alone = [page.locator(f"#lesson-m-f{i}").bounding_box() for i in range(2)]
    assert 0 < alone[1]["y"] - alone[0]["y"] - alone[0]["height"] < 100  # as without any beside
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
