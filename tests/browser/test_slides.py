"""Slides: one exhibit fills the window, moved by keys, at an address of its own."""

from __future__ import annotations

import pytest

from tests.browser.test_page import CONTRAST, axe_finds_nothing, until

pytestmark = pytest.mark.browser

ON = "document.documentElement.classList.contains('slides')"
SHOWN = "[...document.querySelectorAll('.exhibit')].filter((one) => one.getClientRects().length).map((one) => one.id)"


def is_shown(page, anchor: str) -> None:
    until(page, f"{ON} && ({SHOWN}).join() === '{anchor}' && location.hash === '#slides/{anchor}'")


def test_keys_move_and_escape_leaves_where_one_is(visit, report):
    page = visit(report)
    ids = page.evaluate("[...document.querySelectorAll('.exhibit:has(h3 .number-of)')].map((one) => one.id)")
    page.get_by_role("button", name="Show as slides").click()
    is_shown(page, ids[0])
    moves = ["ArrowRight", "PageDown", "ArrowLeft", "PageUp", "ArrowLeft", "End", "ArrowRight", "Home", "ArrowRight"]
    for key, expected in zip(moves, [1, 2, 1, 0, 0, -1, -1, 0, 1], strict=True):
        page.keyboard.press(key)
        is_shown(page, ids[expected])
    page.keyboard.press("Escape")
    until(page, f"!{ON} && location.hash.endsWith('{ids[1].split('-')[-1]}')")
    until(page, f"Math.abs(document.getElementById('{ids[1]}').getBoundingClientRect().top) < 100")
    assert page.evaluate("document.querySelectorAll('.slide, .slide-work').length") == 0


def test_the_address_stays_when_the_page_is_loaded_again_and_back_leaves(visit, report):
    page = visit(report, "slides/mnist-kernels")
    is_shown(page, "mnist-kernels")
    page.reload()
    is_shown(page, "mnist-kernels")
    page.evaluate("location.hash = 'mnist-feature_maps'")
    until(page, f"!{ON}")
    page.go_back()
    is_shown(page, "mnist-kernels")


def test_a_slide_has_a_short_caption_its_numbers_and_one_large_work(visit, report):
    page = visit(report, "slides/mnist-evaluation")
    is_shown(page, "mnist-evaluation")
    slide = page.locator("#mnist-evaluation")
    assert slide.locator(".caption").inner_text().strip().endswith("the images that it misread.")
    assert "99.21" in slide.locator(".numbers").first.inner_text()
    works = "[...document.querySelectorAll('#mnist-evaluation .work')].map((one) => one.getClientRects().length > 0)"
    assert page.evaluate(works) == [True, False, False, False]
    page.keyboard.press("ArrowDown")
    until(page, f"JSON.stringify({works}) === '[false,true,false,false]'")
    assert page.evaluate("document.querySelector('#mnist-evaluation .item img').getBoundingClientRect().width") > 126
    page.get_by_label("Whole caption").click()
    assert slide.locator(".caption").inner_text().strip().endswith("many would puzzle a human, too.")


def test_pictures_are_as_large_as_the_window_lets_them_be(visit, report):
    width = "document.querySelector('#mnist-kernels .item img').getBoundingClientRect().width"
    page = visit(report, "mnist-kernels")
    until(page, f"{width} > 0")
    before = page.evaluate(width)
    slide = visit(report, "slides/mnist-kernels", width=1920)
    slide.set_viewport_size({"width": 1920, "height": 1080})
    is_shown(slide, "mnist-kernels")
    until(slide, f"{width} > {before}")
    stage = "document.querySelector('#mnist-kernels .works')"
    assert slide.evaluate(f"{stage}.scrollHeight <= {stage}.clientHeight + 1")


@pytest.mark.parametrize(
    ("width", "theme", "locale"), [(1280, "light", "en"), (1280, "dark", "zh-CN"), (360, "light", "zh-CN")]
)
def test_a_slide_fits_can_be_read_and_axe_finds_nothing(visit, report, width, theme, locale):
    page = visit(report, "slides/mnist-evaluation", width=width, color_scheme=theme, locale=locale)
    is_shown(page, "mnist-evaluation")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(CONTRAST) == []
    axe_finds_nothing(page)


def test_arrows_in_a_grid_still_move_there(visit, report):
    page = visit(report, "slides/mnist-kernels")
    is_shown(page, "mnist-kernels")
    page.locator("#mnist-kernels .item").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "mnist-kernels:conv1/1"
    is_shown(page, "mnist-kernels")
