"""What a reader may touch, in a browser: the page gives what torch gives, by mouse and by keyboard."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from cnnatomy.report import build
from tests import gallery
from tests.browser.test_page import CONTRAST, says, until, whole

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def touched(tmp_path_factory) -> Path:
    """A page of what can be touched."""
    place = tmp_path_factory.mktemp("touched")
    build(gallery.write(place, [gallery.touched()]), place / "report", {"title": "To touch"})
    return place / "report" / "index.html"


def cells(page, table: str) -> np.ndarray:
    """The numbers in a table, whether it shows them, has them on buttons or in entries."""
    rows = page.evaluate(
        """(table) => [...document.querySelector(table).rows].map((row) => [...row.cells].map((cell) =>
          cell.querySelector("input")?.value ?? cell.textContent))""",
        table,
    )
    return np.array([[float(text.replace("−", "-")) for text in row] for row in rows])


def torchs(image: np.ndarray, weights: np.ndarray, stride: int = 1, padding: int = 0) -> np.ndarray:
    given = (torch.tensor(part, dtype=torch.float64)[None] for part in (image, weights))
    return functional.conv2d(*given, stride=stride, padding=padding)[0, 0].numpy()


def convolver(page, name: str) -> str:
    block = f"#lesson-touch-{name}"
    whole(page)
    until(page, f"!!document.querySelector('{block} .hands')")
    page.locator(block).scroll_into_view_if_needed()
    return block


def test_a_changed_image_and_kernel_give_torchs_map_at_once(visit, touched):
    page = visit(touched, "lesson-touch")
    block = convolver(page, "grey")
    image, weights = gallery.IMAGE.copy(), gallery.DIAGONAL[None].astype(float)
    np.testing.assert_array_equal(cells(page, f"{block} .map"), torchs(image, weights))
    page.click(f"{block} table tr:nth-child(2) td:nth-child(5) button")
    image[0, 1, 4] = 1
    page.locator(f"{block} input[type=number]").nth(5).fill("2.5")
    weights[0, 1, 2] = 2.5
    np.testing.assert_array_equal(cells(page, f"{block} .map"), torchs(image, weights))
    for sign, stride, padding in (("More: Stride", 2, 0), ("More: Padding", 2, 1), ("More: Padding", 2, 2)):
        page.click(f"{block} [aria-label='{sign}']")
        np.testing.assert_array_equal(cells(page, f"{block} .map"), torchs(image, weights, stride, padding))
    page.click(f"{block} button:has-text('Filter 2')")
    np.testing.assert_array_equal(cells(page, f"{block} .map"), torchs(image, gallery.UPRIGHT[None], 2, 2))
    page.click(f"{block} button:has-text('Reset')")
    np.testing.assert_array_equal(cells(page, f"{block} .map"), torchs(gallery.IMAGE, gallery.UPRIGHT[None]))


def test_each_window_in_colour_is_worked_out_as_torch_does(visit, touched):
    page = visit(touched, "lesson-touch-colour")
    block = convolver(page, "colour")
    made = torchs(gallery.COLOURS, gallery.CUBE, 2, 1)
    np.testing.assert_array_equal(cells(page, f"{block} .map"), made)
    padded = np.pad(gallery.COLOURS, ((0, 0), (1, 1), (1, 1)))
    np.testing.assert_array_equal(cells(page, f"{block} table"), padded[0])
    for n, (row, column) in enumerate(np.ndindex(3, 3)):
        window = padded[:, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3] * gallery.CUBE
        products = [cells(page, f"{block} .boards:nth-child({c + 1}) table:nth-of-type(3)") for c in range(3)]
        np.testing.assert_array_equal(products, window)
        parts, _, total = says(page, f"{block} .told p").rpartition(": ")[2].replace("−", "-").partition(" = ")
        assert eval(parts) == float(total) == made[row, column] == window.sum()
        if n < 8:
            page.click(f"{block} .walk button:has-text('Next')")
    assert page.is_disabled(f"{block} .walk button:has-text('Next')")


def test_the_pattern_is_lit_where_the_filter_gives_the_most(visit, touched):
    page = visit(touched, "lesson-touch-grey", locale="zh-CN")
    block = convolver(page, "grey")
    lit = page.evaluate(
        f"""[...document.querySelectorAll("{block} table:first-of-type tr")].map((row) =>
          [...row.cells].map((cell) => cell.classList.contains("alike")))"""
    )
    made, expected = torchs(gallery.IMAGE, gallery.DIAGONAL[None]), np.zeros((6, 6), bool)
    for row, column in np.argwhere(made == made.max()):
        expected[row : row + 3, column : column + 3] = True
    np.testing.assert_array_equal(lit, expected)
    assert "最大值" in says(page, f"{block} .alike-said")
    page.locator(f"{block} input[type=number]").first.fill("9")  # no pixel is as dark as that weight would have it
    page.locator(f"{block} input[type=number]").nth(1).fill("9")
    assert "图案完全一致" in says(page, f"{block} .alike-said")


def test_pixels_are_changed_by_keyboard_alone(visit, touched):
    page = visit(touched, "lesson-touch-grey")
    block = convolver(page, "grey")
    page.focus(f"{block} .pixels button")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Pixel in row 2, column 2: 1"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Pixel in row 2, column 2: 0"
    page.keyboard.press("Tab")  # to the first weight, not to the next pixel
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Weight, row 1, column 1"


@pytest.mark.parametrize(("width", "theme"), [(360, "light"), (1280, "dark")])
def test_it_fits_and_can_be_read(visit, touched, width, theme):
    page = visit(touched, width=width, color_scheme=theme)
    whole(page)
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(CONTRAST) == []


def test_on_a_phone_image_map_and_products_stay_on_the_screen_while_one_steps(visit, touched):
    page = visit(touched, "lesson-touch", width=360)
    page.set_viewport_size({"width": 360, "height": 740})
    block = convolver(page, "grey")
    page.evaluate("(block) => document.querySelector(`${block} .walk`).scrollIntoView()", block)
    for _ in range(3):
        page.locator(f"{block} .walk button").nth(1).click()
        edges = page.evaluate(
            """(block) => [...document.querySelectorAll(`${block} :is(.walk, .pixels)`)].map((one) => {
              const { left, top, right, bottom } = one.getBoundingClientRect();
              return [left, top, innerWidth - right, innerHeight - bottom];
            })""",
            block,
        )
        assert len(edges) == 5 and min(min(each) for each in edges) >= 0


@pytest.mark.parametrize("width", [360, 1280])
def test_what_is_touched_is_large_enough_for_a_finger(visit, touched, width):
    page = visit(touched, "lesson-touch", width=width)
    convolver(page, "colour")
    sizes = page.evaluate(
        """[...document.querySelectorAll("#lesson-touch .works :is(button, input)")]
          .filter((one) => one.getClientRects().length && !one.closest(".downloads, th"))
          .map((one) => [one.offsetWidth, one.offsetHeight, one.type])"""
    )
    assert all(wide >= 24 and (high >= 24 or kind == "range") for wide, high, kind in sizes)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_without_scripts_the_result_stands_there(visit, touched):
    page = visit(touched, "lesson-touch", java_script_enabled=False)
    tables = page.locator("#lesson-touch-grey table")
    assert tables.count() == 5  # the image, and each filter with its map
    text = tables.nth(2).inner_text()
    made = torchs(gallery.IMAGE, gallery.DIAGONAL[None])
    assert [float(one) for one in text.replace("−", "-").split()[2:]] == made.ravel().tolist()


def torchs_path(size: float, momentum: float) -> tuple[np.ndarray, np.ndarray]:
    """a and b, and the error, before each of 50 steps of torch's SGD and after the last."""
    block = gallery.descent()
    x, y = (torch.tensor(part) for part in (block.x, block.y))
    free = torch.nn.Parameter(torch.tensor(block.start, dtype=torch.float64))
    walker, path, errors = torch.optim.SGD([free], lr=size, momentum=momentum), [], []
    for _ in range(51):
        error = ((torch.tanh(free[0] * x + free[1]) - torch.tanh(-x - 0.5) - y) ** 2).mean()
        path.append(free.detach().numpy().copy())
        errors.append(error.item())
        walker.zero_grad()
        error.backward()
        walker.step()
    return np.array(path), np.array(errors)


def slide(page, name: str, to: int) -> None:
    page.get_by_label(name, exact=True).fill(str(to))


@pytest.mark.parametrize(("choice", "size", "push"), [(0, 0.05, 0), (0, 0.05, 0.8), (2, 1, 0), (2, 1, 0.5), (3, 30, 0)])
def test_the_page_walks_down_as_torch_does(visit, touched, choice, size, push):
    page = visit(touched, "lesson-touch-descent")
    whole(page)
    until(page, "!!document.querySelector('.descent .told p')")
    slide(page, "Step size", choice)
    slide(page, "Momentum", round(20 * push))
    path, errors = torchs_path(size, push)
    drawn = page.get_attribute(".descent .way", "d").lstrip("M").split("L")
    places = np.array([[float(part) for part in one.split()] for one in drawn])
    np.testing.assert_allclose(
        places, np.c_[50 + 40 * (path[:, 0] + 5), 10 + 30 * (5 - path[:, 1])], atol=0.0501, rtol=1e-6
    )
    told = page.locator(".descent .told").inner_text().replace("−", "-")
    assert float(re.search(r"error ([\d.e-]+)\.\n", told)[1]) == pytest.approx(errors[-1], rel=1e-3)
    above = np.flatnonzero(errors >= 0.01 * errors[0])
    arrives = re.search(r"arrived at step (\d+)", told)
    assert int(arrives[1]) == above[-1] + 1 if above[-1] < 50 else "It does not arrive in 50 steps" in told
    assert ("leaps out" in told) == bool(np.abs(path).max() > 5)
    slide(page, "Steps", 7)
    assert page.get_attribute(".descent .way", "d").count("L") == 7
    assert page.locator(".descent .told").inner_text().startswith("After 7 steps")


def test_the_walk_that_was_measured_stands_there_without_scripts_and_after_reset(visit, touched):
    still = visit(touched, "lesson-touch-descent", java_script_enabled=False).get_attribute(".descent .way", "d")
    page = visit(touched, "lesson-touch-descent")
    until(page, "!!document.querySelector('.descent .told p')")
    assert page.get_attribute(".descent .way", "d") == still
    slide(page, "Step size", 3)
    assert page.get_attribute(".descent .way", "d") != still
    page.click(".descent button:has-text('Reset')")
    assert page.get_attribute(".descent .way", "d") == still


def drawn(page) -> np.ndarray:
    """The grey on the canvas, (rows, columns)."""
    width, data = page.evaluate(
        """() => {
          const sheet = document.querySelector(".filtering canvas");
          const { data, width } = sheet.getContext("2d").getImageData(0, 0, sheet.width, sheet.height);
          return [width, [...data].filter((_, n) => n % 4 === 0)];
        }"""
    )
    return np.array(data).reshape(-1, width)


def test_a_typed_kernel_gives_torchs_picture(visit, touched):
    page = visit(touched, "lesson-touch-filtering")
    whole(page)
    until(page, "document.querySelectorAll('.filtering .told p').length == 2")
    block = gallery.filtering()

    def check(weights: np.ndarray, over: float) -> None:
        made = torchs(block.pixels[None], weights[None] / over)
        low, high = made.min(), made.max()
        leaves = low < 0 or high > 255.5
        expected = (made - low) / (high - low) * 255 if leaves else made
        np.testing.assert_allclose(drawn(page), expected, atol=0.5 + 1e-6)
        told = page.locator(".filtering .told").inner_text().replace("−", "-")
        said = re.search(r"add up to (\S+)\. What comes out goes from (\S+) to (\S+)\.", told)
        np.testing.assert_allclose([float(one) for one in said.groups()], [weights.sum() / over, low, high], rtol=1e-3)
        assert leaves == ("leaves the range of grey" in told) != ("stays in the range" in told)
        if leaves:
            formula = re.search(r"\(value ([+-] \S+)\) / (\S+) × 255", told)
            assert float(formula[1].replace(" ", "")) == pytest.approx(-low, rel=1e-3)
            assert float(formula[2]) == pytest.approx(high - low, rel=1e-3)

    mean, sobel, wide = (mask.weights for mask in block.masks)
    check(mean, 9)
    page.click(".filtering button:has-text('Sobel')")
    check(sobel, 1)
    typed = sobel.astype(float)
    for place, weight in ((4, 2.5), (8, -3)):
        page.locator(".filtering .pixels input").nth(place).fill(str(weight))
        typed.flat[place] = weight
    check(typed, 1)
    page.get_by_label("Divided by").fill("4")
    check(typed, 4)
    page.click(".filtering button:has-text('wide')")
    check(wide, 43)
    assert page.locator(".filtering .pixels input").count() == 0  # too many to type


def test_without_scripts_every_kernel_stands_beside_its_picture(visit, touched):
    page = visit(touched, "lesson-touch-filtering", java_script_enabled=False)
    rows = page.locator(".filtering .mask")
    assert rows.count() == 3 and page.locator(".filtering .mask .after img").count() == 3
    assert rows.first.inner_text().replace("\t", " ").split("\n")[:2] == ["mean", "1/9 × 1 1 1"]
    assert "from −1020 to 1020" in rows.nth(1).inner_text()


def test_what_a_calculator_counts_is_drawn(visit, touched):
    page = visit(touched, "lesson-touch-padded")
    whole(page)
    until(page, "!!document.querySelector('.padded svg')")
    for n, k, s, p, d in ((5, 3, 2, 1, 1), (6, 3, 1, 0, 1), (9, 2, 3, 2, 4)):
        for name, value in zip("nkspd", (n, k, s, p, d), strict=True):
            page.fill(f"#lesson-touch-padded input[name={name}]", str(value))
        line = torch.ones(1, 1, n)
        places = functional.conv1d(line, torch.ones(1, 1, k), stride=s, padding=p, dilation=d).shape[-1]
        assert page.locator(".padded .corner").count() == places**2
        assert page.locator(".padded .pixel").count() == n**2
        assert page.locator(".padded .rim").count() == (n + 2 * p) ** 2 - n**2
        assert page.inner_text("#lesson-touch-padded .value") == str(places)
    page.fill("#lesson-touch-padded input[name=k]", "9")
    assert page.locator(".padded svg").count() == 0
    assert (
        page.inner_text("#lesson-touch-padded .said") == "The kernel reaches over 33 places, the padded input has 13."
    )
    assert page.inner_text("#lesson-touch-padded dd").strip() == "nothing fits"  # and no 0 beside it
    page.fill("#lesson-touch-padded input[name=n]", "90")
    assert "Too large to draw" in page.inner_text("#lesson-touch-padded .said")
