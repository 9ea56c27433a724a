"""The page in a browser: it opens, moves, sounds and can be read, by mouse, by keyboard, and without scripts."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cnnatomy import compare
from cnnatomy.exhibit import Exhibit, Grid, Item, Table, formulas
from cnnatomy.report import build, show
from tests import gallery

pytestmark = pytest.mark.browser

# For every element with text of its own: the contrast of its colour with what lies behind it (WCAG 2), if below 4.5.
CONTRAST = r"""() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const linear = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = (element) => {
    const layers = [];
    for (; element; element = element.parentElement) {
      const colour = rgba(getComputedStyle(element).backgroundColor);
      if (colour[3]) layers.unshift(colour);
      if (colour[3] === 255) break;
    }
    const cover = (below, [r, g, b, a]) => [r, g, b].map((v, i) => below[i] * (1 - a / 255) + v * a / 255);
    return layers.reduce(cover, [255, 255, 255]);
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    if (element.closest("svg, .picture, [hidden], .facts, :disabled") || !element.getClientRects().length) continue;
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
    const [a, b] = [rgba(getComputedStyle(element).color), behind(element)].map(luminance).sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) faint.push([element.className, element.textContent.slice(0, 20), contrast.toFixed(2)]);
  }
  return faint;
}"""


def until(page, condition: str) -> None:
    """Wait until the condition holds. Playwright's own way needs `eval`, which the page's policy forbids."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never became true: {condition}")


def whole(page) -> None:
    """Wait until every exhibit hangs. Those far off the screen are hung when there is time."""
    until(page, "!document.querySelector('.works > noscript')")


def says(page, selector: str) -> str:
    """The text of an element as a reader sees it. What is far off the screen has none until it is scrolled to."""
    element = page.locator(selector).first
    for _ in range(50):  # what is hung above may push it away again
        element.scroll_into_view_if_needed()
        if text := element.inner_text():
            return text
        page.wait_for_timeout(50)
    return ""


def top_of(page, selector: str) -> float:
    return page.evaluate("(selector) => document.querySelector(selector).getBoundingClientRect().top", selector)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280, 2560])
def test_the_page_fits_and_can_be_read(visit, report, width, theme):
    page = visit(report, width=width, color_scheme=theme)
    whole(page)
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("width", [360, 1280])
def test_words_in_drawings_can_be_read(visit, report, width):
    page = visit(report, width=width)
    whole(page)
    smallest = page.evaluate(
        """() => Math.min(...[...document.querySelectorAll(".drawing svg")].flatMap((svg) => {
          const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
          return [...svg.querySelectorAll("text")].map((text) => parseFloat(getComputedStyle(text).fontSize) * scale);
        }).filter((size) => size > 0))"""
    )
    assert smallest >= 8.5


def test_a_label_taller_than_the_window_can_be_read_to_its_foot(visit, report):
    page = visit(report)
    whole(page)
    exhibit = "document.querySelector('#mnist-evaluation')"
    label = f"{exhibit}.querySelector('.placard-inner')"
    page.evaluate(f"{exhibit}.scrollIntoView()")
    page.evaluate(f"{exhibit}.querySelector('.caption').append(' word'.repeat(400))")
    until(page, f"{label}.getBoundingClientRect().height > 1000")
    assert page.evaluate(f"{label}.scrollHeight <= {label}.clientHeight")  # nothing is cut off
    assert page.evaluate(f"{label}.getBoundingClientRect().top") >= 0
    page.evaluate(f"{exhibit}.scrollIntoView({{ block: 'end' }})")
    until(page, f"{label}.getBoundingClientRect().bottom <= innerHeight")
    assert page.evaluate(f"{label}.getBoundingClientRect().bottom") > 700  # it stays in sight


def test_what_goes_on_to_the_right_fades_there(visit, report):
    page = visit(report, "mnist-evaluation-confusion", width=360)
    mask = "getComputedStyle(document.querySelector('#mnist-evaluation-confusion .wide')).maskImage"
    until(page, f"{mask}.startsWith('linear-gradient')")
    page.evaluate("document.querySelector('#mnist-evaluation-confusion .wide').scrollLeft = 9999")
    until(page, f"{mask} === 'none'")
    wide = visit(report, "mnist-evaluation-confusion")
    assert wide.evaluate(mask) == "none"  # all of it is there


def test_words_are_red_for_and_blue_against_as_captions_say(visit, report):
    page = visit(report, "text-evaluation")
    whole(page)
    for kind, strongest in (("p", 0), ("n", 2)):
        colour = page.evaluate(
            "(kind) => getComputedStyle(document.querySelector(`.tokens mark[class^=${kind}]`)).borderBottomColor", kind
        )
        channels = [float(part) for part in re.findall(r"[\d.]+", colour)]
        assert channels.index(max(channels)) == strongest, colour


def test_a_deep_link_lands(visit, report):
    for anchor in ("mnist-kernels", "speech-samples", "lesson-convolution"):
        page = visit(report, anchor)
        until(page, f"Math.abs(document.querySelector('#{anchor}').getBoundingClientRect().top) < 100")


def test_a_deep_link_to_a_frame_or_an_item_opens_it(visit, report):
    page = visit(report, "lesson-convolution-window-9")
    page.wait_for_selector("#lesson-convolution-window-9", state="visible")
    page = visit(report, "mnist-kernels:conv1/19")
    until(page, "document.getElementById('mnist-kernels:conv1/19').getBoundingClientRect().top < innerHeight")


def test_search_finds_titles_and_captions(visit, report):
    page = visit(report)
    shown = ".plan-chapters ol li:not([hidden]) a"
    page.keyboard.press("/")
    page.keyboard.type("kernel")
    assert {"mnist-kernels", "speech-kernels"} <= {
        a.get_attribute("href")[1:] for a in page.locator(shown).all() if a.is_visible()
    }
    page.fill("#find", "cross entropy")  # stands only in the caption of one figure
    assert [a.get_attribute("href") for a in page.locator(shown).all() if a.is_visible()] == ["#mnist-evaluation"]
    assert page.inner_text(".found") == "1 found"
    page.press("#find", "Enter")
    until(page, "location.hash === '#mnist-evaluation'")
    page.fill("#find", "no such pangolin")
    assert page.inner_text(".found") == "Nothing found"
    page.press("#find", "Escape")
    assert page.locator(shown).count() == len(gallery.exhibits()) + 1  # and where all filters are named


def reloaded(page, remembers):
    """Reload a page until it remembers what was chosen: Chromium hands on what was stored in its own time."""
    until = time.monotonic() + 10
    page.reload()
    while not remembers():
        assert time.monotonic() < until, "what was chosen is forgotten"
        page.reload()


def test_the_theme_can_be_chosen_and_is_kept(visit, report):
    page = visit(report, color_scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.click(".theme")
    assert page.inner_text(".theme-name") == "Light" and page.evaluate(paper) == light
    page.click(".theme")
    dark = page.evaluate(paper)
    assert page.inner_text(".theme-name") == "Dark" and dark != light
    reloaded(page, lambda: page.evaluate(paper) == dark)
    page.click(".theme")
    assert page.inner_text(".theme-name") == "Auto" and page.evaluate(paper) == light


def test_the_keyboard_reaches_every_item_and_shows_what_it_is(visit, report):
    page = visit(report, "mnist-kernels")
    page.focus("#mnist-kernels .here")
    for _ in range(9):
        page.keyboard.press("Tab")
        if "item" in (page.evaluate("document.activeElement.className") or ""):
            break
    focused = "document.activeElement.id"
    assert page.evaluate(focused) == "mnist-kernels:conv1/0"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "mnist-kernels:conv1/1"
    hover = page.inner_text(".hover")
    assert "conv1/1" in hover and "live" in hover and "norm" in hover
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.offsetTop") > page.evaluate(
        "document.querySelector('.item').offsetTop"
    )
    page.keyboard.press("End")
    assert page.evaluate(focused) == "mnist-kernels:conv1/24"
    page.keyboard.press("Escape")
    assert page.is_hidden(".hover")
    page.keyboard.press("Tab")  # out of the grid in one step
    assert page.evaluate("document.activeElement.closest('.items')") is None


def test_hovering_shows_an_item_within_the_window(visit, report):
    page = visit(report, "mnist-kernels")
    for item in ("conv1/7", "conv1/4"):
        page.hover(f"[id='mnist-kernels:{item}']")
        assert item in page.inner_text(".hover")
        box = page.locator(".hover").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 1280 and box["y"] >= 0 and box["y"] + box["height"] <= 800
    assert "† dead" in page.inner_text(".states") or "dead" in page.inner_text("#mnist-kernels .states")


def test_pictures_stay_sharp_squares(visit, report):
    page = visit(report)
    whole(page)
    wrong = page.evaluate(
        """() => [...document.querySelectorAll(".item img")].filter((image) => {
          const { width, height } = image.getBoundingClientRect();
          if (image.classList.contains("repeated")) return false; // of one pixel, with the picture behind it
          const zoom = width / image.naturalWidth;
          return getComputedStyle(image).imageRendering !== "pixelated" || zoom !== height / image.naturalHeight
            || !Number.isInteger(zoom);
        }).length"""
    )
    assert wrong == 0


def test_a_picture_that_hangs_twice_keeps_its_shape(visit, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (20, 60), np.uint8)
    twice = [Exhibit("run", "r", name, 0, "t", "c", [], [Grid("g", [Item("i", pixels)])]) for name in ("a", "b")]
    build(gallery.write(tmp_path, twice), tmp_path / "report", {})
    for width in (1280, 360):
        page = visit(tmp_path / "report" / "index.html", width=width)
        whole(page)
        shapes = page.evaluate(
            """() => [...document.querySelectorAll("img.repeated")].map((image) => {
              const { width, height } = image.getBoundingClientRect();
              return width / height;
            }).filter(Number.isFinite)"""
        )
        assert len(shapes) >= 2 and shapes == pytest.approx([3.0] * len(shapes), rel=0.02)


def test_sound_plays_by_click_and_by_key_and_stops(visit, report):
    page = visit(report, "speech-samples")
    item = "[id='speech-samples:en-us+f2/2/0']"
    for start in (lambda: page.click(item), lambda: page.press(item, " ")):
        start()
        until(page, f"document.querySelector(\"{item}\").parentElement.querySelector('audio').currentTime > 0")
        page.wait_for_selector(f"{item}[aria-pressed=false]")  # it ends by itself


def test_a_matrix_cell_leads_to_its_items(visit, report):
    page = visit(report, "mnist-evaluation")
    page.click("#mnist-evaluation-confusion tbody tr:nth-child(5) td:nth-of-type(10) a")
    until(page, "document.activeElement.id === 'mnist-evaluation:test/500'")
    marked = page.evaluate("[...document.querySelectorAll('.marked')].map((item) => item.id)")
    assert marked == ["mnist-evaluation:test/500", "mnist-evaluation:test/501"]
    assert 0 < top_of(page, ".marked") < 800


def test_steps_are_walked_through(visit, report):
    page = visit(report, "lesson-convolution")
    frames = page.locator("#lesson-convolution .step")
    assert [frames.nth(i).is_visible() for i in range(3)] == [True, False, False]
    page.click("#lesson-convolution .walk button:has-text('Next')")
    assert [frames.nth(i).is_visible() for i in range(3)] == [False, True, False]
    assert page.inner_text(".walk output") == "2 of 16"
    page.focus(".walk input")
    page.keyboard.press("End")
    assert frames.nth(15).is_visible() and page.is_disabled(".walk button:has-text('Next')")


def test_tables_sort_by_number_and_by_name(visit, report):
    page = visit(report, "mnist-evaluation-classes")
    rows = "[...document.querySelectorAll('#mnist-evaluation-classes tbody tr')]"
    column = f"{rows}.map((row) => Number(row.cells[3].textContent))"
    before = page.evaluate(column)
    page.click("#mnist-evaluation-classes th:nth-child(4) button")
    assert page.evaluate(column) == sorted(before)
    page.press("#mnist-evaluation-classes th:nth-child(4) button", "Enter")
    assert page.evaluate(column) == sorted(before, reverse=True)
    assert page.get_attribute("#mnist-evaluation-classes th:nth-child(4)", "aria-sort") == "descending"


def results(page) -> list[str]:
    assert says(page, ".calculator .value:not([hidden])")
    return page.locator(".calculator .value").all_inner_texts()


def test_a_calculator_counts_what_python_counts(visit, report):
    page = visit(report, "lesson-convolution-map")
    outputs = gallery.calculator().describe({})["outputs"]
    for given in (
        {"size": 28, "rim": 0, "kernel": 3, "stride": 1},
        {"size": 9, "rim": 1, "kernel": 4, "stride": 3},
        {"size": 2500, "rim": 0, "kernel": 1, "stride": 1},
        {"size": 2, "rim": 3, "kernel": 9, "stride": 2},  # does not fit
    ):
        for name, value in given.items():
            page.fill(f".calculator input[name={name}]", str(value))
        expected = [" × ".join(map(show.plain, values)) for values in formulas.results(outputs, given)]
        fits = expected[0] != "0"
        assert results(page) == expected and page.locator(".calculator .value").first.is_visible() == fits
        assert page.is_visible("text=the kernel does not fit") != fits


def test_a_calculator_says_what_it_can_not_count(visit, report):
    page = visit(report, "lesson-convolution-map")
    stride = page.get_by_label("Stride")
    for wrong in ("0", "101", "2.5", ""):
        stride.fill(wrong)
        assert results(page) == ["–"] * 3
        assert page.inner_text(".complaint") == "Stride: give a whole number from 1 to 100."
        assert stride.get_attribute("aria-invalid") == "true"
    page.get_by_label("Size of the image").fill("10001")
    assert "Size of the image: give a whole number from 1 to 10,000." in page.inner_text(".complaint")
    page.get_by_label("Size of the image").fill("28")
    stride.fill("2")
    assert page.inner_text(".complaint") == "" and results(page)[0] == "13"
    assert stride.get_attribute("aria-invalid") == "false"


def test_a_calculator_works_by_keyboard_alone(visit, report):
    page = visit(report, "lesson-convolution-map")
    page.locator("#lesson-convolution .walk input").focus()
    while not page.evaluate("document.activeElement.closest('.calculator')"):
        page.keyboard.press("Tab")
    page.keyboard.type("9")  # what is there is selected
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")
    assert [entry.input_value() for entry in page.locator(".calculator input").all()] == ["9", "0", "3", "2"]
    assert results(page) == ["4", "25 × 4 × 4", "400"]
    assert page.locator(".calculator [role=status]").count() == 1  # what changes is read out


def saved(page, name: str) -> bytes:
    """What a click on the button that saves `name` gives."""
    with page.expect_download() as download:
        page.click(f"[data-name='{name}']")
    assert download.value.suggested_filename == name
    return download.value.path().read_bytes()


def test_tables_are_saved_as_they_were_written(visit, report):
    page = visit(report, "mnist-evaluation-history", accept_downloads=True)
    (evaluation,) = [one for one in gallery.mnist() if one.method == "evaluation"]
    _, files = evaluation.describe({}, {})
    for block in ("history", "classes", "confusion"):
        assert saved(page, f"mnist-evaluation-{block}.csv") == files[f"{block}.csv"]
    assert saved(page, "results.csv") == (report.parent / "results.csv").read_bytes()
    sentences = saved(page, "text-evaluation-misread.csv").decode()
    assert 'test/2,"for, predicted as against",wrong,,not a bad journey at all,0.87' in sentences


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_drawing_is_saved_alone_and_in_the_light_theme(visit, report, theme):
    page = visit(report, "mnist-evaluation-history", accept_downloads=True, color_scheme=theme)
    svg = saved(page, "mnist-evaluation-history.svg").decode()
    root = ElementTree.fromstring(svg)
    assert "class" not in {name for element in root.iter() for name in element.attrib} and "var(" not in svg
    strokes = {element.get("stroke") for element in root.iter()}
    assert "rgb(51, 104, 159)" in strokes and "rgb(216, 74, 94)" in strokes  # the light theme's first two colours
    words = [element for element in root.iter() if element.tag.endswith("text")]
    assert {element.text for element in words} >= {"training", "epoch"}
    ink = {value for element in root.iter() for value in (element.get("fill"), element.get("stroke"))}
    assert "rgb(30, 27, 24)" in ink and "rgb(235, 230, 222)" not in ink  # in dark, too
    picture = np.asarray(Image.open(io.BytesIO(saved(page, "mnist-evaluation-history.png"))).convert("RGB")).astype(int)
    assert picture.shape[1] == 2 * round(float(root.get("viewBox").split()[2]))
    assert (picture.reshape(-1, 3) == 255).all(axis=1).mean() > 0.5
    assert (np.abs(picture - [51, 104, 159]).sum(axis=2) < 30).sum() > 100  # the line, in its colour


def test_a_grid_is_saved_as_one_sheet_without_what_is_hidden(visit, report):
    page = visit(report, "mnist-kernels", accept_downloads=True)

    def sheet() -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(saved(page, "mnist-kernels-kernels.png"))).convert("RGB")).astype(int)

    whole = sheet()
    reddest = (np.abs(whole - [178, 24, 43]).sum(axis=2) < 6).sum()
    assert reddest > 100  # kernels, drawn pixel by pixel
    page.check("#mnist-kernels .tools input[type=checkbox]")
    assert (np.abs(sheet() - [178, 24, 43]).sum(axis=2) < 6).sum() < reddest


# Grids in another order, and pictures side by side.


def order(page, grid: str = "mnist-kernels-kernels") -> list[str]:
    items = page.locator(f"#{grid} .items > li:visible .item").all()
    return [item.get_attribute("id").rpartition("/")[2] for item in items]


def test_grids_are_put_in_order_of_a_value_or_of_state(visit, report):
    page = visit(report, "mnist-kernels")
    (kernels,) = [one for one in gallery.mnist() if one.method == "kernels"]
    sums = {item.id.rpartition("/")[2]: item.values["sum"] for item in kernels.blocks[0].items}
    given = order(page)
    page.select_option("#mnist-kernels select", "↓sum")
    assert order(page) == sorted(sums, key=lambda key: -sums[key])
    page.select_option("#mnist-kernels select", "↑sum")
    assert order(page) == sorted(sums, key=lambda key: sums[key])
    page.select_option("#mnist-kernels select", "state")
    assert order(page)[-3:] == ["11", "7", "19"]  # rescued, then dead
    page.select_option("#mnist-kernels select", "")
    assert order(page) == given
    page.check("#mnist-kernels .tools input[type=checkbox]")
    assert order(page) == [name for name in given if name not in ("7", "19")]


def test_the_order_is_that_of_full_values_not_of_the_digits_shown(visit, tmp_path):
    values = {"a": 0.123412, "b": 0.123409, "c": 0.123411, "d": 0.5}
    items = [Item(name, np.zeros((4, 4), np.uint8), values={"norm": value}) for name, value in values.items()]
    folders = gallery.write(tmp_path, [Exhibit("run", "r", "m", 0, "t", "c", [], [Grid("g", items)])])
    build(folders, tmp_path / "report", {})
    page = visit(tmp_path / "report" / "index.html", "r-m")
    for choice, expected in (("↑norm", "r-m:b r-m:c r-m:a r-m:d"), ("↓norm", "r-m:d r-m:a r-m:c r-m:b")):
        page.select_option("#r-m select", choice)
        assert order(page, "r-m") == expected.split()


def test_a_grid_can_be_reached_when_what_had_the_focus_is_hidden(visit, report):
    page = visit(report, "mnist-kernels")
    page.focus("[id='mnist-kernels:conv1/7']")  # a dead one
    page.check("#mnist-kernels .tools input[type=checkbox]")
    page.focus("#mnist-kernels .tools input[type=checkbox]")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "mnist-kernels:conv1/0"
    page.evaluate("location.hash = 'mnist-kernels:conv1/19'")  # a link to what is hidden shows it
    page.wait_for_selector("[id='mnist-kernels:conv1/19']", state="visible")
    assert not page.is_checked("#mnist-kernels .tools input[type=checkbox]")


def test_what_has_the_focus_is_not_behind_the_tray(visit, report):
    page = visit(report, "mnist-samples")
    page.focus("[id='mnist-samples:test/0']")
    page.keyboard.press("c")
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    bottom = page.evaluate("document.activeElement.getBoundingClientRect().bottom")
    assert bottom <= page.evaluate("document.querySelector('.tray').getBoundingClientRect().top")


def test_an_odd_address_is_no_error(visit, report):
    page = visit(report, "%")
    assert page.is_visible("h1")


def test_arrows_follow_the_order_that_is_shown(visit, report):
    page = visit(report, "mnist-kernels")
    page.select_option("#mnist-kernels select", "↓norm")
    page.focus("#mnist-kernels .items > li:first-child .item")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == f"mnist-kernels:conv1/{order(page)[1]}"


def test_pictures_are_compared_side_by_side_by_mouse_and_by_keyboard(visit, report):
    page = visit(report, "mnist-kernels")
    assert page.is_hidden(".tray")
    page.focus("[id='mnist-kernels:conv1/3']")
    page.keyboard.press("c")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("c")
    assert page.inner_text(".tray-bar") == "2 to compare"
    assert page.get_attribute("[id='mnist-kernels:conv1/4']", "aria-pressed") == "true"
    tray = page.inner_text(".tray table")
    (kernels,) = [one for one in gallery.mnist() if one.method == "kernels"]
    for item in kernels.blocks[0].items[3:5]:
        assert show.plain(item.values["norm"]) in tray and show.plain(item.values["sum"]) in tray
    assert page.locator(".tray img").count() == 2 and "First-layer kernels" in tray
    page.focus("[id='speech-samples:en-us+f0/0/0']")
    page.keyboard.press("c")  # one of another exhibit; a click would play it
    assert page.inner_text(".tray-bar") == "3 to compare" and "seconds" in page.inner_text(".tray table")
    page.click(".tray .away >> nth=0")
    assert page.inner_text(".tray-bar") == "2 to compare"
    page.focus(".tray .clear")
    page.keyboard.press("Enter")
    assert page.is_hidden(".tray") and page.locator(".picked").count() == 0


def test_under_a_finger_nothing_lies_over_what_is_compared(visit, report):
    page = visit(report, width=360, has_touch=True, is_mobile=True)
    whole(page)
    for item in ("conv1/3", "conv1/4"):
        page.tap(f"[id='mnist-kernels:{item}']")
        page.tap(".zoom [data-act=compare]")
        page.tap(".zoom-close")
    page.hover("[id='mnist-kernels:conv1/5']")  # as browsers tell it when another picture moves to where the finger was
    assert page.inner_text(".tray-bar") == "2 to compare"
    assert page.is_hidden(".hover")


# Two languages.


def test_the_page_speaks_chinese_when_told_to_and_remembers(visit, report):
    page = visit(report)
    assert says(page, "#mnist-kernels h3 .here") == "First-layer kernels"
    page.click(".language")
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    assert says(page, "#mnist-kernels h3 .here") == "第一层卷积核"
    assert page.inner_text(".plan a[href='#made']") == "制作过程" and page.title().startswith("网络学到了什么")
    assert page.inner_text(".theme-name") == "自动"
    assert page.get_attribute("#find", "placeholder") == "搜索  ( / )"
    assert page.get_attribute(".plan", "aria-label") == "目录"
    assert says(page, "#speech-kernels h3 .here") == "First-layer kernels"  # of which there is no Chinese
    page.fill("#find", "卷积核")
    assert re.fullmatch(r"找到 \d+ 项", page.inner_text(".found"))
    reloaded(page, lambda: says(page, "#mnist-kernels h3 .here") == "第一层卷积核")
    page.click(".language")
    assert says(page, "#mnist-kernels h3 .here") == "First-layer kernels"
    assert page.get_attribute("#find", "placeholder") == "Search  ( / )"


def test_drawings_speak_chinese_too_and_are_saved_as_they_are_shown(visit, report):
    page = visit(report, "mnist-evaluation-history", locale="zh-CN", accept_downloads=True)
    whole(page)
    words = page.locator("#mnist-evaluation-history svg tspan[lang]:visible")
    assert {"轮次", "训练"} <= set(words.all_text_contents()) and "epoch" not in words.all_text_contents()
    svg = saved(page, "mnist-evaluation-history.svg").decode()
    assert "轮次" in svg and "epoch" not in svg and "data-zh" not in svg and "data-en" not in svg
    page.click(".language")
    assert "epoch" in words.all_text_contents() and "轮次" not in words.all_text_contents()


def test_drawings_speak_chinese_where_no_script_runs(visit, report):
    page = visit(report, "mnist-evaluation-history", java_script_enabled=False)
    words = page.locator("#mnist-evaluation-history svg tspan[lang]:visible")
    assert "epoch" in words.all_text_contents() and "轮次" not in words.all_text_contents()
    page.get_by_label("中文").check()
    assert "轮次" in words.all_text_contents() and "epoch" not in words.all_text_contents()


def test_a_chinese_browser_gets_chinese_at_once(visit, report):
    page = visit(report, locale="zh-CN")
    assert says(page, "#mnist-kernels h3 .here") == "第一层卷积核"
    assert page.inner_text(".language") == "English"


# What keeps people out.


def axe_finds_nothing(page) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe, of the dev dependencies")
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_that_keeps_people_out(visit, report, theme, width):
    page = visit(report, width=width, color_scheme=theme)
    whole(page)
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    page.evaluate("for (const one of document.querySelectorAll('.exhibit')) one.style.contentVisibility = 'visible'")
    page.focus("[id='mnist-kernels:conv1/3']")
    page.keyboard.press("c")
    axe_finds_nothing(page)


def test_on_a_phone_the_contents_open_and_close(visit, report):
    page = visit(report, width=360)
    assert page.is_hidden(".plan-chapters")
    page.click(".menu")
    assert page.is_visible(".plan-chapters")
    page.click(".plan-chapters a[href='#text-evaluation']")
    assert page.is_hidden(".plan-chapters")
    until(page, "document.querySelector('#text-evaluation').getBoundingClientRect().top < 400")


def test_without_scripts_everything_can_be_read(visit, report):
    page = visit(report, java_script_enabled=False)
    for selector in (
        ".plan-chapters",
        "#mnist-evaluation-history svg",
        "#mnist-evaluation-classes td",
        ".sentence",
        ".prose",
        ".calculator input",
    ):
        assert page.locator(selector).first.is_visible(), selector
    assert page.locator(".calculator .value").all_text_contents() == ["26", "25 × 26 × 26", "16,900"]
    assert page.locator(".calculator input").first.get_attribute("readonly") is not None
    steps = page.locator("#lesson-convolution .step")
    assert all(steps.nth(i).is_visible() for i in range(steps.count()))
    assert page.locator("#speech-samples audio").first.is_visible()
    assert page.is_hidden("#find") and page.is_hidden(".theme") and page.is_hidden(".language")
    title = page.locator("#mnist-kernels h3 .here span")
    assert [title.nth(i).is_visible() for i in range(2)] == [True, False]  # one language
    item = "[id='mnist-kernels:conv1/7']"
    page.hover(item)
    content, label = page.locator(item).evaluate(
        "(item) => [getComputedStyle(item, '::after').content, item.getAttribute('aria-label')]"
    )
    assert content == "attr(aria-label)" or label in content
    assert "dead" in label and "norm" in label
    assert page.locator("[data-save]:visible").count() == 0  # what could not do anything is not there
    page.click("#mnist-kernels .made summary")
    assert page.locator("#mnist-kernels .command").is_visible()


def test_on_paper_no_figure_is_lost(visit, report):
    page = visit(report)
    page.emulate_media(media="print")
    seen = ".gathered:not(.way-1) .picture:not(.way-1, .way-2) img"  # of what is behind a switch, what it shows
    for selector in (".drawing svg", ".step", seen, ".matrix", ".sentence"):
        found = page.locator(selector)
        assert all(found.nth(i).is_visible() for i in range(found.count())), selector
    assert page.is_hidden(".plan")
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_on_paper_a_wide_table_fits(visit, tmp_path):
    table = pd.DataFrame({f"what it is {n}": ["some more words", "or a few"] for n in range(10)})
    folders = gallery.write(tmp_path, [Exhibit("run", "r", "m", 0, "t", "c", [], [Table("wide", table)])])
    build(folders, tmp_path / "report", {})
    page = visit(tmp_path / "report" / "index.html", width=700)
    whole(page)
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") == 700


def test_hostile_content_does_nothing(visit, hostile):
    for width in (360, 1280):
        page = visit(hostile, width=width)
        assert page.title() != "taken" and page.title().startswith("<script>")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.fill("#find", "script") if width > 400 else None
    assert gallery.HOSTILE in page.text_content("h1")
    page.hover(".item >> nth=0")
    assert "<script>" in page.inner_text(".hover")
    page.click(".matrix a >> nth=0")
    assert page.evaluate("document.querySelectorAll('.marked').length") == 2
    page.click(".matrix a >> nth=1")
    until(page, "document.activeElement.classList.contains('item')")


# Reports side by side.


@pytest.fixture(scope="session")
def comparison(tmp_path_factory, report) -> Path:
    """The gallery's results beside the same with three numbers changed."""
    place = tmp_path_factory.mktemp("comparison")
    before = report.parent / "results.csv"
    after = place / "results.csv"
    text = before.read_text(encoding="utf-8")
    for old, new in (("0.7655,0.7395,0.7897", "0.6655,0.6395,0.6897"), ("0.991,0.982,0.9956", "0.992,0.983,0.9966")):
        assert old in text
        text = text.replace(old, new)
    after.write_text(text.replace("live,0.92,", "live,0.88,"), encoding="utf-8")
    assert compare.main([str(before), str(after), "--out", str(place / "comparison.html")]) == 0
    return place / "comparison.html"


def test_rows_of_a_comparison_are_found_and_sorted(visit, comparison):
    page = visit(comparison)
    rows = ".comparing-table tbody tr:visible"
    states = [row.get_attribute("data-state") for row in page.locator(rows).all()]
    assert states == ["moved", "differs", "within_chance"]
    assert "76.5" in page.inner_text(rows + " >> nth=0") and "text" in page.inner_text(rows + " >> nth=0")
    page.select_option(".find-state", "within_chance")
    assert page.locator(rows).count() == 1 and "speech" in page.inner_text(rows)
    page.select_option(".find-state", "")
    page.fill(".find-row", "mnist live")
    assert page.locator(rows).count() == 1
    page.fill(".find-row", "no such number")
    assert page.inner_text(".found") == "Nothing found"
    page.fill(".find-row", "")
    page.click(".comparing-table thead th:nth-child(5) button")
    assert "text" in page.inner_text(rows + " >> nth=0")  # the largest fall first
    page.click(".language")
    assert page.inner_text("h1") == "哪些数字变了" and page.title().startswith("哪些数字变了")
    assert page.locator(".find-state option").all_inner_texts()[0] == "全部"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 2560])
def test_a_comparison_fits_and_keeps_nobody_out(visit, comparison, theme, width):
    page = visit(comparison, width=width, color_scheme=theme)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(CONTRAST) == []
    axe_finds_nothing(page)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_growing_page_loads_itself_again_at_an_anchor_too_and_ends_on_the_report(visit, tmp_path, scripts):
    folders, context = gallery.write(tmp_path, gallery.exhibits()), gallery.context(tmp_path)
    out = tmp_path / "report"
    growth = {"total": 9, "running": [], "failed": [], "left": None, "at": "2026-11-27T14:05:12Z", "stale": 6}
    build(folders[:1], out, context | {"growing": growth | {"done": 3, "reload": 1}})
    page = visit(out / "partial.html", "growing", java_script_enabled=scripts)
    build(folders[:2], out, context | {"growing": growth | {"done": 7, "reload": 1}})
    page.locator('progress[value="7"]').wait_for(timeout=10_000)
    build(folders, out, context)
    page.wait_for_url("**/index.html*", timeout=10_000)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_growing_page_fits_and_keeps_nobody_out(visit, tmp_path, width, theme):
    growth = {"done": 3, "total": 9, "running": [("dissect photograph class_maximisation", 75.0)], "reload": 900}
    growth |= {"failed": [("train", "DataError: " + "endless" * 30)], "left": 99.0, "at": "2026-11-27T14:05:12Z"}
    build([], tmp_path, {"growing": growth | {"stale": 6}})
    page = visit(tmp_path / "partial.html", width=width, color_scheme=theme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    axe_finds_nothing(page)
