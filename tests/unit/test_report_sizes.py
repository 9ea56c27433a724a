"""Pictures of filters and units, as large as the page shows them: what stands first is large, little is too small."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from cnnatomy.exhibit import load
from cnnatomy.exhibit.languages import worded
from cnnatomy.models.frequency import Frequency
from cnnatomy.report import show
from cnnatomy.report.page import Page
from tests.unit.dissecting import dissected
from tests.unit.small_data import small

LARGE, SEEN = 84, 30  # px
OF_UNITS = (
    "filter_maximisation",
    "dense_maximisation",
    "class_maximisation",
    "top_patches",
    "deconvolution",
    "kernels",
)


def network(kind: str) -> nn.Module:
    torch.manual_seed(0)
    if kind == "sounds":
        return Frequency((1, 16, 10), 3, (20, 30), (3, 2), 0.0).eval()
    body = [nn.Conv2d(1, 20, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 30, 3), nn.ReLU(), nn.Flatten()]
    return nn.Sequential(*body, nn.Linear(270, 40), nn.ReLU(), nn.Linear(40, 3)).eval()


def shown_sizes(folder) -> list[list[tuple[int, int]]]:
    """Of each grid of an exhibit the sizes at which its pictures are shown."""
    document, files = load(folder)
    document, page, exhibit = worded(document), Page([]), SimpleNamespace(files=files)
    stored: Any = exhibit
    grids = [block for block in document["blocks"] if block["type"] == "grid"]
    return [
        [size[:2] for item in grid["items"] for size in page.sizes(stored, item, show.picture_size(show.at_once(grid)))]
        for grid in grids
    ]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["images", "sounds"])
def test_filters_and_units_stand_first_and_large(tmp_path, kind):
    data = small(tmp_path, kind)
    for method in OF_UNITS:
        exhibit = dissected(method, [network(kind), network(kind)], data)
        exhibit.write(tmp_path / method, {}, {})
        if not exhibit.blocks:  # it does not apply
            assert (kind, method) == ("sounds", "dense_maximisation")
            continue
        sizes = shown_sizes(tmp_path / method)
        assert min(max(size) for size in sizes[0]) >= LARGE, method
        every = [size for grid in sizes for size in grid]
        assert min(max(size) for size in every) >= LARGE, method
        assert sum(min(size) < SEEN for size in every) <= 0.01 * len(every), method
