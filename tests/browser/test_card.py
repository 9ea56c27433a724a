"""One card a filter: all that hangs of it, at one address, from every picture of it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cnnatomy.exhibit import Exhibit, Grid, Item, Number, Sentence, Texts, Unit
from cnnatomy.report import build
from tests import gallery
from tests.browser.test_page import CONTRAST, axe_finds_nothing, until, whole

pytestmark = pytest.mark.browser

OPEN = "document.querySelector('.unit-card').open"
TITLE = "document.querySelector('.unit-card h2').textContent"
KERNEL = "mnist-kernels:conv1/3"


def at(page, anchor: str):
    """The element of an id that may hold anything."""
    return page.locator(f'[id="{anchor}"]')


def test_a_card_gathers_what_hangs_of_a_filter_with_its_numbers(visit, report):
    page = visit(report, "mnist/conv1/3")
    until(page, OPEN)
    card = page.locator(".unit-card")
    assert card.locator(".unit-part h3").all_inner_texts() == ["First-layer kernels", "Feature maps"]
    assert card.locator(".unit-picture img").count() == 2
    [hung] = re.findall(r"norm ([\d.]+)", at(page, KERNEL).get_attribute("aria-label"))
    assert hung in card.locator(".unit-part").first.inner_text()
    assert "50.0\u202f% (40.0\u2060–\u206060.0), n\u202f=\u202f80" in card.inner_text()
    targets = page.evaluate(
        "[...document.querySelectorAll('.unit-card a')].map((a) => a.getAttribute('href').slice(1))"
    )
    assert all(at(page, target).count() == 1 for target in targets) and KERNEL in targets


def test_the_key_opens_it_and_escape_and_back_close_it(visit, report):
    page = visit(report, "mnist-kernels")
    whole(page)
    at(page, KERNEL).focus()
    before = page.evaluate("scrollY")
    page.keyboard.press("f")
    until(page, OPEN)
    assert page.evaluate("location.hash") == "#mnist/conv1/3"
    page.keyboard.press("Escape")
    until(page, f"!{OPEN} && location.hash === '#mnist-kernels'")
    assert page.evaluate("document.activeElement.id") == KERNEL
    page.wait_for_timeout(100)
    assert abs(page.evaluate("scrollY") - before) < 2  # the reader is where they were
    page.keyboard.press("f")
    until(page, OPEN)
    page.go_back()
    until(page, f"!{OPEN} && location.hash === '#mnist-kernels'")
    assert abs(page.evaluate("scrollY") - before) < 2


def test_arrows_lead_to_the_next_filter_of_the_layer_and_back_still_leaves(visit, report):
    page = visit(report, "mnist-kernels")
    whole(page)
    at(page, KERNEL).focus()
    page.keyboard.press("f")
    until(page, OPEN)
    for key, expected in (("ArrowRight", "4"), ("ArrowLeft", "3"), ("Home", "0"), ("ArrowLeft", "24"), ("End", "24")):
        page.keyboard.press(key)
        until(page, f"{TITLE} === 'conv1/{expected}' && location.hash === '#mnist/conv1/{expected}'")
    page.get_by_label("The next filter").click()
    until(page, f"{TITLE} === 'conv1/0'")
    page.go_back()
    until(page, f"!{OPEN} && location.hash === '#mnist-kernels'")


def test_a_link_on_it_goes_to_the_exhibit(visit, report):
    page = visit(report, "mnist/conv1/3")
    until(page, OPEN)
    page.locator(".unit-part h3 a").nth(1).click()
    until(page, f"!{OPEN} && Math.abs(document.getElementById('mnist-feature_maps').getBoundingClientRect().top) < 100")
    page.go_back()
    until(page, f"{OPEN} && {TITLE} === 'conv1/3'")


def test_it_is_reached_by_a_finger(visit, report):
    page = visit(report, width=360, has_touch=True, is_mobile=True)
    whole(page)
    at(page, KERNEL).tap()
    page.locator("a.card-link").first.tap()
    until(page, f"{OPEN} && {TITLE} === 'conv1/3'")
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_it_is_reached_from_an_enlarged_picture_and_leads_back_to_it(visit, report):
    page = visit(report, "mnist-kernels")
    whole(page)
    at(page, KERNEL).focus()
    page.keyboard.press("Enter")
    until(page, "document.querySelector('.zoom').open")
    page.keyboard.press("f")
    until(page, f"{OPEN} && {TITLE} === 'conv1/3'")
    page.keyboard.press("Escape")
    until(page, f"!{OPEN} && document.querySelector('.zoom').open && location.hash === '#mnist-kernels'")


def test_it_is_reached_from_the_contents(visit, report):
    page = visit(report)
    page.get_by_role("link", name="Filter by filter").first.click()
    page.locator(".unit-list a", has_text="7").first.click()
    until(page, f"{OPEN} && {TITLE} === 'conv1/7'")


def test_without_scripts_its_address_leads_to_a_link_to_its_first_picture(visit, report):
    page = visit(report, "mnist/conv1/3", java_script_enabled=False)
    entry = at(page, "mnist/conv1/3")
    entry.wait_for(state="visible")
    assert entry.bounding_box()["y"] < 800
    entry.locator("a").click()
    assert page.url.endswith("#mnist-kernels:conv1/3")
    assert at(page, KERNEL).is_visible()


@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1280, "light")])
def test_axe_finds_nothing_while_it_is_open(visit, report, width, theme):
    page = visit(report, "mnist/conv1/3", width=width, color_scheme=theme, locale="zh-CN")
    until(page, OPEN)
    page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(CONTRAST) == []
    axe_finds_nothing(page)


def test_layers_may_have_any_name(visit, tmp_path):
    layers = ["a.b/c", "1×1 <b>", "50%25", "a"]
    grid = Grid("g", [Item(f"{n}", np.full((3, 3), 9, np.uint8), "x", unit=Unit(n, 3)) for n in layers])
    said = Texts("t", [Sentence("s", [("word", 1.0)], "label", unit=Unit(layers[1], 3))])
    numbers = [
        Number("lost", 0.1, 0.05, 0.15, "fraction", 9, f"layer={name};filter=3", Unit(name, 3)) for name in layers
    ]
    one = Exhibit("run", "own", "kernels", 0, "Kernels", "What they are.", numbers, [grid, said])
    build(gallery.write(tmp_path, [one]), tmp_path / "report", {})
    page = visit(tmp_path / "report" / "index.html")
    whole(page)
    for layer in layers:
        page.evaluate("name => document.getElementById(encodeURI(`own-kernels:${name}`)).focus()", layer)
        page.keyboard.press("f")
        until(page, f"{OPEN} && {TITLE} === {f'{layer}/3'!r}")
        assert page.locator(".unit-part").count() == 1 and "10.0\u202f%" in page.locator(".unit-card").inner_text()
        address = page.url
        page.keyboard.press("Escape")
        until(page, f"!{OPEN}")
        again = visit(tmp_path / "report" / "index.html", address.split("#")[1])
        until(again, f"{OPEN} && {TITLE} === {f'{layer}/3'!r}")
    page.locator(".sentence a.card-link").click()  # a sentence can't be focused; it has its link
    until(page, f"{OPEN} && {TITLE} === '1×1 <b>/3'")
    assert page.locator(".unit-spelt .tokens").inner_text() == "word"
