"""The path through the lecture in a browser: walked by keys, by the bar and by plain links, in every language."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnnatomy.report import build
from tests.browser.test_page import CONTRAST, axe_finds_nothing, until, whole
from tests.unit.test_report_path import written

pytestmark = pytest.mark.browser

#: As they hang, and by which stops the path leads through them.
HUNG = [
    "mnist-kernels",
    "mnist-evaluation",
    "mnist-feature_maps",
    "mine-kernels",
    "lesson-convolution",
    "lesson-why_convolution",
    "study-direction",
]
NAMES = ["why", "convolution", "article", "kernels", "feature_maps", "direction"]
LOCALES = {"en": "en-US", "zh-Hans": "zh-CN"}


@pytest.fixture(scope="module")
def lecture(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("lecture")
    build(written(place, HUNG), place / "report", {})
    return place / "report" / "index.html"


def hash_of(page) -> str:
    return page.evaluate("location.hash")


def in_sight(page, name: str) -> bool:
    """Whether the sign of that stop is on the screen."""
    box = "document.getElementById({!r}).getBoundingClientRect()".format(f"path/{name}")
    return page.evaluate(f"{box}.top >= -1 && {box}.bottom <= innerHeight")


def bar_says(page, part: str, text: str) -> None:
    """Wait until the bar says so: it hears of a new address when the browser gets to it."""
    until(page, f"document.querySelector('.path-bar-{part}')?.innerText === {json.dumps(text)}")


@pytest.mark.parametrize("language", LOCALES)
def test_the_path_is_walked_by_keys(visit, lecture, language):
    page = visit(lecture, locale=LOCALES[language])
    page.locator(".path-begin").press("Enter")
    for place, name in enumerate(NAMES, start=1):
        until(page, f"location.hash === '#path/{name}'")
        until(page, f"document.activeElement.id === 'path/{name}'")
        assert in_sight(page, name)
        says = {"en": f"Stop {place} of 6", "zh-Hans": f"第 {place} 站，共 6 站"}[language]
        bar_says(page, "where", says)
        page.keyboard.press("ArrowRight")
    assert hash_of(page) == "#path/direction"  # the last: there is no other
    page.keyboard.press("ArrowLeft")
    until(page, "location.hash === '#path/feature_maps'")
    page.go_back()
    until(page, "location.hash === '#path/direction'")


def test_the_bar_says_where_one_is_and_leads_on(visit, lecture):
    page = visit(lecture, "path/article")
    bar_says(page, "title", "Reading digits")
    page.locator(".path-bar a[aria-label='Next stop']").click()
    until(page, "location.hash === '#path/kernels'")
    bar_says(page, "title", "The first kernels")
    assert page.locator(".path-bar a[aria-label='Previous stop']").get_attribute("href") == "#path/article"
    page.reload()  # the address remembers
    bar_says(page, "where", "Stop 4 of 6")
    page.locator(".path-bar button").click()
    until(page, "document.querySelector('.path-bar').hidden")
    until(page, "location.hash === '#mnist-kernels'")
    page.keyboard.press("ArrowRight")
    assert hash_of(page) == "#mnist-kernels"


def test_who_goes_on_within_the_exhibit_stays_on_the_path_and_who_leaves_it_does_not(visit, lecture):
    page = visit(lecture, "path/article")
    whole(page)
    page.evaluate("location.hash = '#mnist-evaluation'")
    until(page, "location.hash === '#mnist-evaluation'")
    until(page, "!document.querySelector('.path-bar').hidden")
    page.evaluate("location.hash = '#mine-kernels'")
    until(page, "document.querySelector('.path-bar').hidden")


@pytest.mark.parametrize("where", ["#find", "#mnist-evaluation .item"])
def test_keys_that_mean_something_else_do_not_walk(visit, lecture, where):
    page = visit(lecture, "path/article")
    whole(page)
    page.locator(where).first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(100)
    assert hash_of(page) == "#path/article"


def test_who_is_on_no_stop_walks_by_no_key(visit, lecture):
    page = visit(lecture)
    assert not page.locator(".path-bar").is_visible()
    page.keyboard.press("ArrowRight")
    assert hash_of(page) == ""


def test_without_scripts_the_path_is_walked_by_its_links(visit, lecture):
    page = visit(lecture, java_script_enabled=False)
    page.locator(".path-begin").click()
    for place, name in enumerate(NAMES):
        assert page.url.endswith(f"#path/{name}")
        sign = page.locator(f"[id='path/{name}']")
        assert sign.is_visible() and f"Stop {place + 1} of 6" in sign.inner_text()
        if place + 1 < len(NAMES):
            sign.locator("[rel=next]").click()
    page.locator("[id='path/direction'] .path-sign-says a").click()
    assert page.url.endswith("#path/stops")


@pytest.mark.parametrize("scripts", [True, False])
def test_answers_are_folded_until_they_are_asked_for(visit, lecture, scripts):
    page = visit(lecture, java_script_enabled=scripts)
    questions = page.locator("#mnist-kernels .question")
    assert questions.count() == 2  # of three: the third wants a number that was not measured here
    questions.first.scroll_into_view_if_needed()
    answer = questions.first.locator("p")
    assert not answer.is_visible()
    questions.first.locator("summary").click()
    assert answer.is_visible() and answer.inner_text().startswith("50\u202f% of them stand out")


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_path_keeps_nobody_out(visit, lecture, width, theme, language):
    page = visit(lecture, "path/kernels", width=width, color_scheme=theme, locale=LOCALES[language])
    whole(page)
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(CONTRAST) == []
    axe_finds_nothing(page)


def test_on_paper_all_stops_are_seen(visit, lecture):
    page = visit(lecture)
    page.emulate_media(media="print")
    boxes = page.evaluate(
        "[...document.querySelectorAll('.path-stop')].map((stop) => stop.getBoundingClientRect()).map((b) => b.right)"
    )
    assert len(boxes) == len(NAMES) and max(boxes) <= 1280
    assert not page.locator(".path-begin").is_visible()


def test_its_stops_are_shown_as_slides_with_what_the_lecture_says(visit, lecture):
    page = visit(lecture)
    page.get_by_role("button", name="As slides", exact=True).click()
    until(page, "location.hash.startsWith('#slides/path/')")
    first = hash_of(page)
    assert page.locator(".slide .path-sign-says").is_visible() and not page.locator(".slide .questions").is_visible()
    page.keyboard.press("ArrowRight")
    until(page, f"location.hash !== {first!r}")
    second = hash_of(page)
    page.reload()
    until(page, f"location.hash === {second!r} && document.documentElement.classList.contains('slides')")
    name = page.locator(".slide .path-sign").get_attribute("id")
    page.keyboard.press("Escape")  # one is then on the path, where the slide was
    until(page, f"location.hash === '#{name}' && document.documentElement.classList.contains('on-path')")


def test_a_sign_of_the_path_wants_room_for_its_exhibit_on_paper(visit, lecture):
    page = visit(lecture)
    page.emulate_media(media="print")
    kept = page.locator(".path-sign").evaluate_all(
        "(signs) => signs.map((one) => getComputedStyle(one, '::after').height)"
    )
    assert len(kept) == len(NAMES) and set(kept) == {kept[0]} and float(kept[0].removesuffix("px")) > 100
