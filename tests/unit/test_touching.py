"""Blocks to touch: what they hold is what the page's rule gives, or they are not written."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from cnnatomy.exhibit import Convolver, Exhibit, InvalidExhibit, Kernel, Table, read
from cnnatomy.exhibit.touching import convolved

IMAGE, WEIGHTS = np.arange(50).reshape(2, 5, 5) % 4, np.arange(18).reshape(2, 3, 3) % 5 - 2.5


def hung(folder, block):
    Exhibit("lesson", "l", "", 0, "t", "c", [], [block]).write(folder / "e", {}, {})
    return read(folder / "e")["blocks"][0]


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_the_rule_of_a_convolver_is_torchs(stride, padding):
    given = (torch.tensor(part, dtype=torch.float64)[None] for part in (IMAGE, WEIGHTS))
    theirs = functional.conv2d(*given, stride=stride, padding=padding)[0, 0]
    assert convolved(IMAGE.tolist(), WEIGHTS.tolist(), stride, padding) == theirs.tolist()


def test_a_convolver_holds_what_was_measured(tmp_path):
    made = np.array(convolved(IMAGE.tolist(), WEIGHTS.tolist(), 2, 1))
    block = hung(tmp_path, Convolver("c", IMAGE, [Kernel("f", WEIGHTS, made)], ["r", "g"], 2, 1, 3))
    assert block["kernels"][0]["map"] == made.tolist() and block["image"] == IMAGE.tolist()


@pytest.mark.parametrize(
    ("image", "weights", "map_", "told"),
    [
        (IMAGE, WEIGHTS, np.zeros((3, 3)), r"kernels\[0\].map: the filter makes"),
        (IMAGE, WEIGHTS[:1], np.zeros((3, 3)), r"kernels\[0\].weights: not 2 channels of one size"),
        (IMAGE[:, :2, :2], WEIGHTS, np.zeros((1, 1)), r"kernels\[0\].weights: larger than the padded image"),
    ],
)
def test_a_convolver_that_would_show_something_else_is_not_written(tmp_path, image, weights, map_, told):
    with pytest.raises(InvalidExhibit, match=told):
        hung(tmp_path, Convolver("c", image, [Kernel("f", weights, map_)]))


def test_a_folded_table_has_a_title(tmp_path):
    import pandas as pd

    with pytest.raises(InvalidExhibit, match="title"):
        hung(tmp_path, Table("t", pd.DataFrame({"a": [1]}), folded=True))
