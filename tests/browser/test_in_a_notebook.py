"""What a notebook shows of an exhibit, in the frame that it comes in: it begins with it and works as in the report."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnatomy import open_up

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_cell_begins_with_the_exhibit_in_both_languages(visit, tmp_path):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(100, 3))
    shown = open_up(network, torch.rand(30, 1, 12, 12), torch.arange(30) % 3, methods=["kernels"])["kernels"]
    cell = tmp_path / "cell.html"
    cell.write_text(f"<!doctype html><meta charset=utf-8><title>cell</title>{shown._repr_html_()}", encoding="utf-8")
    page = visit(cell)
    frame = page.frame_locator("iframe")
    title = frame.locator("#network-kernels--name")
    assert "What the first layer looks for" in title.inner_text()
    assert title.bounding_box()["y"] < page.locator("iframe").bounding_box()["y"] + 250
    frame.get_by_role("button", name="中文").click()
    assert "第一层" in title.inner_text()
    picture = frame.locator("#network-kernels img").first
    picture.scroll_into_view_if_needed()
    assert picture.is_visible()
