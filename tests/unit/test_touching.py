"""Blocks to touch: what they hold is what the page's rule gives, or they are not written."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from cnnatomy.exhibit import Convolver, Exhibit, InvalidExhibit, Kernel, Table, read
from cnnatomy.exhibit.touching import convolved, descended
from tests import gallery

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


def test_the_rule_of_a_descent_is_torchs_and_another_path_is_refused(tmp_path):
    descent = gallery.descent()
    x, y = torch.tensor(descent.x), torch.tensor(descent.y)
    free = torch.nn.Parameter(torch.tensor(descent.start, dtype=torch.float64))
    walker = torch.optim.SGD([free], lr=0.3, momentum=0.7)
    for _ in range(30):
        walker.zero_grad()
        ((torch.tanh(free[0] * x + free[1]) - torch.tanh(-x - 0.5) - y) ** 2).mean().backward()
        walker.step()
    np.testing.assert_allclose(descended(descent.describe({}), 0.3, 0.7, 30)[-1], free.detach().numpy(), rtol=1e-12)
    assert hung(tmp_path, descent)["path"] == descent.path.tolist()
    descent.path = descent.path + np.array([0, 1e-3])
    with pytest.raises(InvalidExhibit, match=r"path\[0\]: .* but descent comes to"):
        hung(tmp_path, descent)


def test_a_folded_table_has_a_title(tmp_path):
    import pandas as pd

    with pytest.raises(InvalidExhibit, match="title"):
        hung(tmp_path, Table("t", pd.DataFrame({"a": [1]}), folded=True))


def test_what_a_calculator_draws_are_inputs_of_its_own(tmp_path):
    calculator = gallery.padded()
    assert hung(tmp_path, calculator)["drawn"]["stride"] == "s"
    calculator.drawn = {**calculator.drawn, "stride": "step"}
    with pytest.raises(InvalidExhibit, match=r"drawn.stride: 'step' is no input"):
        hung(tmp_path, calculator)
