"""Paper: one exhibit alone, and no title without what it is of."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cnnatomy.exhibit import Exhibit, Figure, Grid, Item
from cnnatomy.report import build
from tests import gallery
from tests.browser.test_page import until, whole

pytestmark = pytest.mark.browser


def test_an_exhibit_is_printed_alone_with_its_sources_and_where_it_is_from(visit, report):
    page = visit(report, "mnist-kernels")
    whole(page)
    title = page.title()
    page.evaluate("window.print = () => { document.documentElement.dataset.asked = document.title; }")
    page.locator("#mnist-kernels").get_by_role("button", name="Print this alone").click()
    assert page.evaluate("document.documentElement.dataset.asked") == "First-layer kernels · Handwritten digits"
    page.emulate_media(media="print")
    text = page.locator("body").inner_text()
    for there in ("The weights of the first convolution", "25", "Krizhevsky", "Handwritten digits", "#mnist-kernels"):
        assert there in text
    assert re.search(r"made on 20\d\d-\d\d-\d\d", text) and "commit 0123abc" in text
    for other in ("Feature maps", "How it was made", "Print this alone", "misread"):
        assert other not in text
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert page.title() == title
    until(page, "document.querySelector('#mnist-evaluation').getClientRects().length")
    assert page.locator(".print-foot").count() == 0


def test_no_title_stands_at_the_foot_of_a_page_without_what_it_is_of(visit, tmp_path):
    exhibits = []
    for i in range(30):  # so many of different heights that some title would fall on a foot
        caption = "A sentence that is said again and again. " * (1 + 7 * i % 10)
        items = [Item(f"{j}", np.full((28, 28), 9, np.uint8), str(j)) for j in range(1 + 5 * i % 17)]
        exhibits.append(Exhibit("lesson", f"l{i}", "", 0, f"Lesson {i}", caption, [], [Grid("g", items, title="Grid")]))
    build(gallery.write(tmp_path, exhibits), tmp_path / "report", {})
    page = visit(tmp_path / "report" / "index.html")
    whole(page)
    pdf = page.pdf(format="A4", outline=True, tagged=True)  # its outline says where each title stands, from below
    heights = [float(y) for y in re.findall(rb"/Dest \[\d+ 0 R /XYZ [\d.-]+ ([\d.-]+) 0\]", pdf)]
    assert len(heights) > 60
    assert min(heights) > 60  # pt: the title and three lines


def test_a_drawing_higher_than_a_page_is_made_smaller(visit, tmp_path):
    size = 'width="400" height="1600" viewBox="0 0 400 1600"'
    drawn = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><path d="M0 0h9"/></svg>'
    exhibit = Exhibit("lesson", "l", "", 0, "Tall", "Caption.", [], [Figure("f", drawn, "a", title="Network")])
    build(gallery.write(tmp_path, [exhibit]), tmp_path / "report", {})
    page = visit(tmp_path / "report" / "index.html", width=718)  # A4 without its margins
    page.emulate_media(media="print")
    assert page.locator(".drawing svg").bounding_box()["height"] < 23.1 * 96 / 2.54
