"""The page in a browser: it opens, moves, sounds and can be read, by mouse, by keyboard, and without scripts."""

from __future__ import annotations

import pytest

from cnnatomy.exhibit import formulas
from cnnatomy.report import show
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


def top_of(page, selector: str) -> float:
    return page.evaluate("(selector) => document.querySelector(selector).getBoundingClientRect().top", selector)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280, 2560])
def test_the_page_fits_and_can_be_read(visit, report, width, theme):
    page = visit(report, width=width, color_scheme=theme)
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(CONTRAST) == []


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
    shown = ".plan-halls ol li:not([hidden]) a"
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
    page.fill("#find", "no such thing")
    assert page.inner_text(".found") == "Nothing found"
    page.press("#find", "Escape")
    assert page.locator(shown).count() == len(gallery.exhibits())


def test_the_theme_can_be_chosen_and_is_kept(visit, report):
    page = visit(report, color_scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.click(".theme")
    assert page.inner_text(".theme-name") == "Light" and page.evaluate(paper) == light
    page.click(".theme")
    dark = page.evaluate(paper)
    assert page.inner_text(".theme-name") == "Dark" and dark != light
    page.reload()
    assert page.evaluate(paper) == dark
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
    wrong = page.evaluate(
        """() => [...document.querySelectorAll(".item img")].filter((image) => {
          const { width, height } = image.getBoundingClientRect();
          const zoom = width / image.naturalWidth;
          return getComputedStyle(image).imageRendering !== "pixelated" || zoom !== height / image.naturalHeight
            || !Number.isInteger(zoom);
        }).length"""
    )
    assert wrong == 0


def test_sound_plays_by_click_and_by_key_and_stops(visit, report):
    page = visit(report, "speech-samples")
    item = "[id='speech-samples:en-us+f2/2/0']"
    for start in (lambda: page.click(item), lambda: page.press(item, "Enter"), lambda: page.press(item, " ")):
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
        assert results(page) == expected
        assert page.is_visible("text=the kernel does not fit") == (expected[0] == "0")


def test_a_calculator_says_what_it_can_not_count(visit, report):
    page = visit(report, "lesson-convolution-map")
    stride = page.get_by_label("Stride")
    for wrong in ("0", "101", "2.5", ""):
        stride.fill(wrong)
        assert results(page) == ["–"] * 3
        assert page.inner_text(".complaint") == "Stride: give a whole number from 1 to 100."
        assert stride.get_attribute("aria-invalid") == "true"
    page.get_by_label("Size of the image").fill("10001")
    assert "Size of the image: give a whole number from 1 to 10\u202f000." in page.inner_text(".complaint")
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


def test_downloads_hold_the_files(visit, report):
    page = visit(report, "mnist-evaluation-history", accept_downloads=True)
    for name, start in (
        ("mnist-evaluation-history.svg", b"<?xml"),
        ("mnist-evaluation-history.csv", b"epoch,training,validation\n"),
    ):
        with page.expect_download() as download:
            page.click(f"a[download='{name}']")
        assert download.value.suggested_filename == name
        assert download.value.path().read_bytes().startswith(start)
    with page.expect_download() as download:
        page.click("a[download='results.csv']")
    assert download.value.path().read_bytes() == (report.parent / "results.csv").read_bytes()


def test_on_a_phone_the_contents_open_and_close(visit, report):
    page = visit(report, width=360)
    assert page.is_hidden(".plan-halls")
    page.click(".menu")
    assert page.is_visible(".plan-halls")
    page.click(".plan-halls a[href='#text-evaluation']")
    assert page.is_hidden(".plan-halls")
    until(page, "document.querySelector('#text-evaluation').getBoundingClientRect().top < 400")


def test_without_scripts_everything_can_be_read(visit, report):
    page = visit(report, java_script_enabled=False)
    for selector in (
        ".plan-halls",
        "#mnist-evaluation-history svg",
        "#mnist-evaluation-classes td",
        ".sentence",
        ".prose",
        ".calculator input",
    ):
        assert page.locator(selector).first.is_visible(), selector
    assert results(page) == ["26", "25 × 26 × 26", "16\u202f900"]
    assert page.locator(".calculator input").first.get_attribute("readonly") is not None
    steps = page.locator("#lesson-convolution .step")
    assert all(steps.nth(i).is_visible() for i in range(steps.count()))
    assert page.locator("#speech-samples audio").first.is_visible()
    assert page.is_hidden("#find") and page.is_hidden(".theme")
    page.hover("[id='mnist-kernels:conv1/7']")
    assert page.locator("[id='mnist-kernels:conv1/7'] .facts").is_visible()
    page.click("#mnist-kernels .made summary")
    assert page.locator("#mnist-kernels .command").is_visible()


def test_on_paper_no_figure_is_lost(visit, report):
    page = visit(report)
    page.emulate_media(media="print")
    for selector in (".drawing svg", ".step", ".item img", ".matrix", ".sentence"):
        found = page.locator(selector)
        assert all(found.nth(i).is_visible() for i in range(found.count())), selector
    assert page.is_hidden(".plan")
    assert page.pdf(format="A4").startswith(b"%PDF")


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
