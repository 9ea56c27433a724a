"""Lessons that draw, and code, in a browser: a phone shows drawings whole, code can be read, scrolled and saved."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from cnnatomy.exhibit import Code, Exhibit
from cnnatomy.report import build
from tests.browser.test_page import axe_finds_nothing, until, whole
from tests.unit.test_lessons import shipped

pytestmark = pytest.mark.browser
LONG = "from torch import nn\n" + "".join(f"layer{at} = nn.Linear({at}, 1 < 2)  # {'long ' * 30}\n" for at in range(60))
LESSONS = ("neuron", "connections", "template", "board")


@pytest.fixture(scope="session")
def drawn(tmp_path_factory) -> Path:
    """A page of lessons and a long listing."""
    place = tmp_path_factory.mktemp("drawn")
    folders = []
    for name in LESSONS:
        lesson = import_module(f"cnnatomy.lessons.{name}")
        exhibit = Exhibit.of(lesson.show(lesson.measure(lesson.Settings(**shipped(name)))), "lesson", name)
        exhibit.write(place / name, {}, {})
        folders.append(place / name)
    listing = Exhibit(
        "lesson", "listing", "", 0, "Listing", "c", [], [Code("code", LONG, title={"en": "Code", "zh": "代码"})]
    )
    listing.write(place / "listing", {}, {})
    build([*folders, place / "listing"], place / "report", {"title": "t"})
    return place / "report" / "index.html"


def test_a_phone_shows_the_drawings_whole(visit, drawn):
    page = visit(drawn, width=360)
    whole(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    cut = page.evaluate(
        """() => [...document.querySelectorAll(".drawing")].filter((one) => one.scrollWidth > one.clientWidth)
          .map((one) => one.closest(".work").id)"""
    )
    assert cut == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_lessons_that_draw(visit, drawn, scheme):
    page = visit(drawn, color_scheme=scheme)
    whole(page)
    axe_finds_nothing(page)


def test_code_scrolls_in_its_own_box_and_is_saved_as_it_is(visit, drawn):
    page = visit(drawn, width=360)
    whole(page)
    box = page.locator("#lesson-listing .code")
    assert box.evaluate("(one) => one.scrollHeight > one.clientHeight && one.scrollWidth > one.clientWidth")
    box.focus()
    page.keyboard.press("PageDown")
    until(page, "document.querySelector('#lesson-listing .code').scrollTop > 0")
    with page.expect_download() as saved:
        page.locator("#lesson-listing [data-save=py]").click()
    assert Path(saved.value.path()).read_text(encoding="utf-8") == LONG
    assert saved.value.suggested_filename == "lesson-listing-code.py"
