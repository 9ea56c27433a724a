"""The lessons' numbers, against scipy, torch and closed forms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf
from scipy import ndimage, signal

from cnnatomy.config.folders import CONF
from cnnatomy.data import prepared
from cnnatomy.data.prepared import Axis, Facts, Normalise
from cnnatomy.exhibit import Steps
from cnnatomy.lessons.classic_filters import SOBEL, classic_filters, filtered, in_grey
from cnnatomy.lessons.convolution import convolution, slide
from cnnatomy.lessons.learn_sobel import learn_sobel
from cnnatomy.lessons.mse_surface import mse_surface
from cnnatomy.lessons.output_size import output_size
from cnnatomy.lessons.shapes import shapes
from cnnatomy.lessons.why_convolution import why_convolution
from tests.unit.small_data import hang


def shipped(lesson: str) -> dict:
    return OmegaConf.to_container(OmegaConf.load(CONF / "lesson" / f"{lesson}.yaml"))


def number(exhibit, metric: str, subject: str = "") -> float:
    return next(n.value for n in exhibit.numbers if (n.metric, n.subject) == (metric, subject))


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """One photograph of 48 × 48 pixels: a smooth hill with sharp squares on it."""
    folder = tmp_path_factory.mktemp("photographs") / "photographs"
    rows, columns = np.mgrid[:48, :48]
    hill = 80 + 60 * np.sin(rows / 9) * np.cos(columns / 7) + 40 * ((rows // 8 + columns // 8) % 2)
    pixels = np.stack([hill, hill * 0.8, hill * 1.1]).clip(0, 255).astype(np.uint8)[None]
    axes = [Axis(name, "px", list(range(48))) for name in ("row", "column")]
    facts = Facts(
        "photographs", "images", ["a", "b"], (3, 48, 48), axes, Normalise([0.5] * 3, [0.5] * 3), "", "", "", ""
    )
    prepared.write(folder, facts, pixels, pd.DataFrame({"split": ["test"], "label": [-1], "id": ["test/hill"]}))
    return prepared.load(folder).split("test")


def test_every_window_of_the_walk_is_scipys_correlation(tmp_path):
    settings = shipped("convolution")
    exhibit = convolution(settings)
    hang(exhibit, tmp_path / "convolution")
    assert number(exhibit, "difference_from_torch") == 0
    image = np.array(settings["image"])
    for kernel in map(np.array, settings["filters"]):
        whole = signal.correlate2d(image, kernel, mode="valid")
        np.testing.assert_array_equal(slide(image, kernel, 1), whole)
        np.testing.assert_array_equal(slide(image, kernel, 2), whole[::2, ::2])
    walks = {block.name: len(block.frames) for block in exhibit.blocks if isinstance(block, Steps)}
    assert walks == {"overlap": 6, "stride-1": 16, "stride-2": 4}
    assert number(exhibit, "map_size", "filter=1;stride=1") == 4
    assert number(exhibit, "map_size", "filter=2;stride=2") == 2


def test_a_sum_is_written_out_as_it_is_calculated():
    frame = next(b for b in convolution(shipped("convolution")).blocks if isinstance(b, Steps)).frames[0]
    assert frame.text == "0·1 + 1·0 + 2·(−1) = −2"


def test_a_filter_larger_than_the_image_is_refused():
    with pytest.raises(ValueError, match="larger than what it moves over"):
        convolution(shipped("convolution") | {"image": [[1, 0], [0, 1]]})


def test_the_formula_of_a_maps_size_holds_for_all_cases(tmp_path):
    exhibit = output_size(shipped("output_size"))
    hang(exhibit, tmp_path / "output_size")
    assert number(exhibit, "wrong") == 0 and number(exhibit, "cases") == 7 * 5 * 3 * 4 * 2
    lecture = next(block.data for block in exhibit.blocks if getattr(block, "name", "") == "lecture")
    assert lecture["map"].tolist() == ["1 × 4 × 4", "1 × 2 × 2", "10 × 3 × 3", "10 × 5 × 5"]


def test_filters_by_hand_are_scipys(photographs, tmp_path):
    exhibit = classic_filters(shipped("classic_filters"), photographs)
    hang(exhibit, tmp_path / "classic_filters")
    picture = in_grey(photographs.inputs[0])
    np.testing.assert_allclose(filtered(picture, SOBEL, pad=True), ndimage.correlate(picture, SOBEL, mode="constant"))
    np.testing.assert_allclose(filtered(picture, SOBEL), signal.correlate2d(picture, SOBEL, mode="valid"))
    low, high = (number(exhibit, name, "filter=mean 9x9") for name in ("lowest", "highest"))
    assert 0 <= low <= high <= 255
    assert number(exhibit, "lowest", "filter=Sobel") < 0
    assert number(exhibit, "outside_grey_range") == 2  # Sobel, and the random one whose weights add up to forty
    assert number(exhibit, "fine_detail_kept", "filter=mean 9x9") < number(
        exhibit, "fine_detail_kept", "filter=mean 3x3"
    )


def test_nine_weights_find_sobels_filter(photographs, tmp_path):
    exhibit = learn_sobel(shipped("learn_sobel"), photographs)
    hang(exhibit, tmp_path / "learn_sobel")
    assert number(exhibit, "mse_of_start") <= 1e-4
    assert number(exhibit, "middle_to_corners") == pytest.approx(2, rel=0.02)
    assert number(exhibit, "largest_weight_error") < 0.05


def test_the_lectures_chain_counts_as_the_lecture_says(tmp_path):
    exhibit = shapes(shipped("shapes"))
    hang(exhibit, tmp_path / "shapes")
    assert number(exhibit, "flattened") == 1250
    assert number(exhibit, "parameters", "layer=conv1") == 25 * 9 + 25
    assert number(exhibit, "parameters", "layer=conv2") == 50 * 25 * 9 + 50
    assert number(exhibit, "difference_by_hand") == 0
    chain = exhibit.blocks[-1].data
    assert chain.loc[chain["layer"] == "conv2", "shape"].item() == "50 × 11 × 11"


def test_a_thousand_dense_units_on_a_small_photograph_have_thirty_million_weights(tmp_path):
    exhibit = why_convolution(shipped("why_convolution"))
    hang(exhibit, tmp_path / "why_convolution")
    assert number(exhibit, "dense_weights") == 30_000_000
    counts = next(block.data for block in exhibit.blocks if getattr(block, "name", "") == "counts")
    assert (counts["weights"] == counts["by torch"]).all()


@pytest.mark.filterwarnings("ignore:.*torch.jit.script")
def test_paths_end_where_the_error_says(tmp_path):
    settings = shipped("mse_surface")
    exhibit = mse_surface(settings)
    hang(exhibit, tmp_path / "mse_surface")
    x = np.linspace(-2, 2, settings["samples"])

    def made(a, b):
        return np.tanh(a * x + 0.5) - np.tanh(b * x - 0.5)

    start = ((made(*settings["start"]) - made(*settings["truth"])) ** 2).mean()
    assert number(exhibit, "mse_at_start") == pytest.approx(start, rel=1e-3)
    assert number(exhibit, "distance_to_minimum", "path=Newton") < 1e-3
    assert number(exhibit, "distance_to_minimum", "path=conjugate gradients") < 1e-3
    small, right, large = (f"path=step {size:g}" for size in settings["step_sizes"])
    assert number(exhibit, "final_mse", right) < number(exhibit, "final_mse", small)
    assert number(exhibit, "final_mse", right) < number(exhibit, "final_mse", large)
    for block in exhibit.blocks[:3]:  # the table behind each drawing begins where the paths do
        assert (block.data[block.data["step"] == 0][["a", "b"]].to_numpy() == settings["start"]).all()


@pytest.mark.filterwarnings("ignore:.*torch.jit.script")
def test_one_unit_never_learns_xor_and_two_can():
    exhibit = mse_surface(shipped("mse_surface") | {"steps": 2})
    assert number(exhibit, "xor_solved_by_one_unit") == 0  # no line parts the four cases
    assert number(exhibit, "xor_solved_by_two_units") > 0.2


@pytest.mark.parametrize("lesson", [convolution, output_size, shapes, why_convolution])
def test_a_lesson_speaks_both_languages(lesson):
    exhibit = lesson(shipped(lesson.__name__))
    assert set(exhibit.title) == set(exhibit.caption) == {"en", "zh"}
