"""A picture enlarged: by mouse, by keyboard and under a finger; its other pictures, its neighbours, and back."""

from __future__ import annotations

import pytest

from tests.browser.test_page import axe_finds_nothing, until, whole

pytestmark = pytest.mark.browser

FIRST = "[id='mnist-kernels:conv1/3']"
FOCUS = "document.activeElement.id"


def title(page) -> str:
    return page.inner_text("#zoom-title").split("\n")[0]


@pytest.mark.parametrize("width", [1280, 360])
def test_a_click_enlarges_arrows_move_on_and_escape_goes_back_to_what_was_seen(visit, report, width):
    page = visit(report, "mnist-kernels", width=width)
    small = page.locator(f"{FIRST} img").bounding_box()
    page.click(FIRST)
    large = page.locator(".zoom-picture img").bounding_box()
    assert page.is_visible(".zoom") and title(page) == "3"
    assert large["width"] >= 200 > small["width"] and large["width"] % 3 == 0  # 3 px, by a whole number
    box = page.locator(".zoom").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width and page.evaluate("document.body.scrollWidth") <= width
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert title(page) == "5" and "norm" in page.inner_text(".zoom .facts")
    page.keyboard.press("ArrowLeft")
    page.click(".zoom [aria-label='Next picture']")
    assert title(page) == "5"
    page.keyboard.press("Escape")
    until(page, f"{FOCUS} === 'mnist-kernels:conv1/5'")
    assert page.is_hidden(".zoom")


def test_enter_enlarges_and_c_compares(visit, report):
    page = visit(report, "mnist-kernels")
    page.focus(FIRST)
    page.keyboard.press("Enter")
    assert title(page) == "3"
    page.keyboard.press("c")
    assert page.get_attribute(".zoom [data-act=compare]", "aria-pressed") == "true"
    page.keyboard.press("Escape")
    assert page.inner_text(".tray-bar") == "1 to compare" and page.evaluate(FOCUS) == "mnist-kernels:conv1/3"


def test_sides_and_colours_say_what_they_are(visit, report):
    page = visit(report, "mnist-kernels")
    page.click(FIRST)
    picture = page.locator(".zoom-picture img").bounding_box()
    ends = [page.locator(f".ticks-x .tick >> nth={place}").bounding_box() for place in (0, 1)]
    middles = [box["x"] + box["width"] / 2 for box in ends]
    assert middles == pytest.approx([picture["x"], picture["x"] + picture["width"]], abs=2)
    assert page.inner_text(".side-x") == "column, px" and page.inner_text(".side-y") == "row, px"
    low, high = page.locator(".scale .end").all_inner_texts()
    assert low.startswith("−") and high == low[1:] and "weight" in page.inner_text(".scale")
    assert page.locator(".bar-of.signed").bounding_box()["width"] > 80


def test_the_switch_changes_all_pictures_of_the_exhibit_at_once(visit, report):
    page = visit(report, "mnist-kernels")
    shown = """() => [...document.querySelectorAll("[data-ways*='with priors'] .item")].map((item) =>
        [...item.querySelectorAll('.picture')].map((one) => one.getClientRects().length))"""
    assert page.evaluate(shown) == [[1, 0, 0]] * 6
    page.check("#mnist-kernels-map .ways label:has-text('with priors') input")
    assert page.evaluate(shown) == [[0, 1, 0]] * 6
    assert page.is_checked("#mnist-kernels-position .ways label:has-text('with priors') input")
    first = page.get_attribute("[id='mnist-kernels:map/0'] .way-1 img", "src")
    page.click("[id='mnist-kernels:map/0']")
    assert page.get_attribute(".zoom-picture img", "src") == first
    page.keyboard.press("ArrowDown")
    assert page.get_attribute(".zoom-picture img", "src") != first
    assert page.evaluate(shown) == [[0, 0, 1]] * 6
    assert page.inner_text(".zoom-ways [aria-pressed=true]") == "real"


def test_groups_behind_a_switch_are_shown_one_at_a_time_and_an_address_shows_its_own(visit, report):
    page = visit(report, "mnist-kernels:ink/1")
    shown = (
        "[...document.querySelectorAll('#mnist-kernels-classes .gathered')].map((one) => one.getClientRects().length)"
    )
    until(page, f"String({shown}) === '0,1'")
    page.check("#mnist-kernels-classes .ways label:has-text('prior: none') input")
    assert page.evaluate(shown) == [1, 0]
    page.click("[id='mnist-kernels:none/1']")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(shown) == [0, 1] and "ink/1" in page.inner_text(".zoom .facts")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert "ink/2" in page.inner_text(".zoom .facts")  # the last that is shown
    page.keyboard.press("Escape")
    until(page, f"{FOCUS} === 'mnist-kernels:ink/2'")


def test_without_scripts_all_pictures_stand_below_each_other(visit, report):
    page = visit(report, java_script_enabled=False)
    for way in range(3):
        assert page.locator(f"[id='mnist-kernels:map/0'] .way-{way}").is_visible()
    assert "From top to bottom:" in page.text_content("#mnist-kernels-map .ways")


def test_a_sound_is_enlarged_by_enter_and_by_a_button_and_played_from_there(visit, report):
    page = visit(report, "speech-samples", width=360, has_touch=True, is_mobile=True)
    whole(page)
    page.tap("#speech-samples .enlarge")
    assert page.is_visible(".zoom")
    page.tap(".zoom [data-act=hear]")
    until(page, "!!document.querySelector('.sounds.playing')")
    page.tap(".zoom-close")
    item = "[id='speech-samples:en-us+f2/2/0']"
    page.press(item, "Enter")
    assert title(page) == "“2”, voice 2"


def test_what_is_asked_for_elsewhere_closes_it_and_another_script_may_add_to_it(visit, report):
    page = visit(report, "mnist-kernels")
    page.evaluate("document.addEventListener('zoomed', ({ detail }) => detail.more.append(detail.item.id))")
    page.click(FIRST)
    assert "mnist-kernels:conv1/3" in page.inner_text(".zoom .more")
    page.click(".zoom [data-act=link]")
    until(page, "!document.querySelector('.zoom').open")
    assert page.evaluate("location.hash") == "#mnist-kernels:conv1/3"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_in_what_is_enlarged(visit, report, theme, width):
    page = visit(report, "mnist-kernels", width=width, color_scheme=theme)
    page.click("[id='mnist-kernels:map/0']" if width == 360 else FIRST)
    axe_finds_nothing(page)
