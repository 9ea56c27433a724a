"""Paper: one exhibit alone, and no title without what it is of."""

from __future__ import annotations

import re

import pytest

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
