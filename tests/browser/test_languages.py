"""The page in another language: what its script says changes with it; and captions, folded and unfolded."""

from __future__ import annotations

import numpy as np
import pytest

from cnnatomy.exhibit import Exhibit, Grid, Item
from cnnatomy.report import build
from tests import gallery
from tests.browser.test_page import until, whole

pytestmark = pytest.mark.browser

SENTENCES = {
    "en": "The first is seen. So is the second. The third hides a pangolin.",
    "zh": "第一句看得见。第二句也是。第三句藏着穿山甲。",
}


@pytest.fixture(scope="module")
def page_of_one(tmp_path_factory):
    place = tmp_path_factory.mktemp("languages")
    pixels = np.zeros((4, 4), np.uint8)
    items = [Item(f"conv1/{n}", pixels, str(n), values={"fires for": n / 3}) for n in range(3)]
    shown = Exhibit("run", "mine", "kernels", 0, "Title", SENTENCES, [], [Grid("grid", items, caption=SENTENCES)])
    build(gallery.write(place, [shown]), place / "report", gallery.context(place))
    return place / "report" / "index.html"


def test_the_order_of_a_grid_and_what_is_compared_are_named_in_the_chosen_language(visit, page_of_one):
    page = visit(page_of_one, locale="zh-CN")
    whole(page)
    assert page.locator(".tools option").all_inner_texts() == ["原有顺序", "激活于 ↓", "激活于 ↑"]
    page.locator(".item").first.focus()
    page.keyboard.press("c")
    assert page.locator(".tray tbody th").inner_text() == "激活于"
    page.locator(".language").click()
    until(page, "document.querySelectorAll('.tools option')[1].textContent === 'fires for ↓'")
    assert page.locator(".tray tbody th").inner_text() == "fires for"


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_a_caption_shows_two_sentences_and_unfolds_the_rest(visit, page_of_one, locale):
    page = visit(page_of_one, locale=locale)
    whole(page)
    hidden, seen = ("pangolin", "So is the second.") if locale == "en-GB" else ("穿山甲", "第二句也是。")
    captions = page.locator(".placard .caption:visible, .work-caption:visible")
    assert all(seen in text and hidden not in text for text in captions.all_inner_texts()) and captions.count() == 2
    page.locator(".more > summary").first.click()
    assert any(hidden in text for text in captions.all_inner_texts())


def test_search_finds_what_is_folded_away(visit, page_of_one):
    page = visit(page_of_one)
    page.locator("#find").fill("pangolin")
    assert page.locator(".found").inner_text() == "1 found"


def test_paper_has_the_whole_caption(visit, page_of_one):
    page = visit(page_of_one, java_script_enabled=False)
    page.emulate_media(media="print")
    assert page.get_by_text("The third hides a pangolin.").first.is_visible()
    page.emulate_media(media="screen")
    assert not page.get_by_text("The third hides a pangolin.").first.is_visible()


def test_without_scripts_a_reader_chooses_the_language_all_the_same(visit, page_of_one):
    page = visit(page_of_one, java_script_enabled=False)
    said = lambda: page.locator(".placard .caption:visible").first.inner_text()  # noqa: E731
    assert "So is the second." in said() and "第二句也是。" not in said()
    page.get_by_label("中文").check()
    assert "第二句也是。" in said() and "So is the second." not in said()
    assert not page.locator('span[lang="en"]:not(.other):visible').count()
    page.get_by_label("English").check()
    assert "So is the second." in said() and "第二句也是。" not in said()


def test_with_scripts_there_is_one_button_for_the_language(visit, page_of_one):
    page = visit(page_of_one, locale="zh-CN")
    assert not page.locator(".language-radio").count()
    assert "第二句也是。" in page.locator(".placard .caption:visible").first.inner_text()
