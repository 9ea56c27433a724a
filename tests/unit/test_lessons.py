"""The lessons' numbers, against scipy, torch and closed forms."""

from __future__ import annotations

import re
from importlib import import_module
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from omegaconf import OmegaConf
from scipy import ndimage, signal

from cnnatomy.config.folders import CONF
from cnnatomy.data import prepared
from cnnatomy.data.prepared import Axis, Facts, Normalise
from cnnatomy.exhibit import Convolver, Exhibit, Filtering, Grid, Steps, formulas
from cnnatomy.lessons.arriving import arrived
from cnnatomy.lessons.classic_filters.measure import SOBEL, filtered, in_grey
from cnnatomy.lessons.convolution.measure import slide
from cnnatomy.lessons.convolution.show import worked
from cnnatomy.lessons.mse_surface.measure import AXIS, Descents, Network, Path
from cnnatomy.lessons.mse_surface.show import show as show_descents
from cnnatomy.lessons.mse_surface.xor import PLANE, Plane, learn
from cnnatomy.lessons.shapes.measure import CHANNELS
from cnnatomy.report.terms import Terms
from tests.unit.dissecting import in_words
from tests.unit.small_data import hang


def shipped(lesson: str) -> dict:
    return OmegaConf.to_container(OmegaConf.load(CONF / "lesson" / f"{lesson}.yaml"))


def taught(lesson: str, samples: prepared.Samples | None = None, **changed) -> Exhibit:
    """A lesson as its step would hang it, its texts in words. samples: where it is about some; changed: settings."""
    package = import_module(f"cnnatomy.lessons.{lesson}")
    given = {} if samples is None else {"samples": samples}
    settings = getattr(package, "Settings", dict)(**shipped(lesson) | changed)
    found = package.measure(settings, **given)
    return in_words(Exhibit.of(package.show(found), "lesson", lesson))


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
    exhibit = taught("convolution")
    hang(exhibit, tmp_path / "convolution")
    assert number(exhibit, "difference_from_torch") == 0
    image = np.array(settings["image"])
    for kernel in map(np.array, settings["filters"]):
        whole = signal.correlate2d(image, kernel, mode="valid")
        np.testing.assert_array_equal(slide(image, kernel, 1), whole)
        np.testing.assert_array_equal(slide(image, kernel, 2), whole[::2, ::2])
    walks = {block.name: len(block.frames) for block in exhibit.blocks if isinstance(block, Steps)}
    assert walks == {"overlap": 17}
    assert number(exhibit, "map_size", "filter=1;stride=1") == 4
    assert number(exhibit, "map_size", "filter=2;stride=2") == 2


def test_every_window_stands_in_a_table_with_its_products_and_torchs_sum():
    settings = shipped("convolution")
    windows = next(b for b in taught("convolution").blocks if getattr(b, "name", "") == "windows").data
    assert len(windows) == 17 + 2 * (16 + 4) and (windows["sum"] == windows["torch"]).all()
    for products, total in zip(windows["products"], windows["sum"], strict=True):
        terms, _, written = products.replace("−", "-").partition(" = ")
        assert eval(terms.replace("·", "*")) == total == float(written)
    ones = [np.array(kernel) for kernel in settings["filters"]]
    for kernel, channel in zip(ones, CHANNELS, strict=True):  # those that the lesson of shapes pools
        np.testing.assert_array_equal(slide(np.array(settings["image"]), kernel, 1), channel)


def test_a_sum_is_written_out_as_it_is_calculated():
    assert worked(np.array([0, 1, 2]), np.array([1, 0, -1])) == "0·1 + 1·0 + 2·(−1) = −2"


def test_two_boxes_overlap_as_much_as_is_left_of_their_shift():
    exhibit = taught("convolution")
    frames = exhibit.blocks[0].frames
    for frame, shift in zip(frames, np.linspace(-1, 1, 17), strict=True):
        both = 1 - abs(shift)  # in closed form
        assert frame.text["en"] == f"At shift {shift:.2f} both cover {both:.2f} of a box.".replace("-", "−")
        drawn = re.search(r'width="([\d.]+)" height="84" fill="var\(--series-2', frame.blocks[0].svg)
        assert (float(drawn[1]) if drawn else 0) == pytest.approx(84 * both, abs=0.1)


def test_it_is_told_where_a_filters_pattern_is():
    caption = next(b for b in taught("convolution").blocks if isinstance(b, Convolver)).caption["en"]
    assert "Filter 1: 3, the most it can give, stands at (1, 1), (4, 1) of the map (row, column)." in caption
    assert "Filter 2: 3, the most it can give, stands at (4, 4)" in caption
    elsewhere = taught("convolution", image=[[1, 0, 0], [0, 0, 0], [0, 0, 1]])
    caption = next(b for b in elsewhere.blocks if isinstance(b, Convolver)).caption["en"]
    assert "Filter 1: the largest, 2, stands at (1, 1)" in caption and "At the pattern itself it would be 3" in caption


def test_a_filter_larger_than_the_image_is_refused():
    with pytest.raises(ValueError, match="larger than what it moves over"):
        taught("convolution", image=[[1, 0], [0, 1]])


def test_the_formula_of_a_maps_size_holds_for_all_cases(tmp_path):
    exhibit = taught("output_size")
    hang(exhibit, tmp_path / "output_size")
    assert number(exhibit, "unlike_torch") == 0 and number(exhibit, "cases") == 7 * 5 * 3 * 4 * 2
    lecture = next(block.data for block in exhibit.blocks if getattr(block, "name", "") == "lecture")
    assert lecture["map"].tolist() == ["1 × 4 × 4", "1 × 2 × 2", "10 × 3 × 3", "10 × 5 × 5"]


def test_the_calculator_counts_what_torchs_convolution_gives():
    calculator = taught("output_size").blocks[0]
    document = calculator.describe({})
    first = {entry.name: entry.value for entry in calculator.inputs}
    assert formulas.results(document["outputs"], first) == [[3], [10, 3, 3], [280]]  # the lecture's
    sizes, kernels, strides, paddings, dilations = (1, 5, 8, 31), (1, 2, 5), (1, 2, 3), (0, 1, 4), (1, 2)
    for n, k, s, p, d, channels, filters in product(sizes, kernels, strides, paddings, dilations, (1, 3), (2,)):
        given = {"n": n, "k": k, "s": s, "p": p, "d": d, "channels": channels, "filters": filters}
        (side,), shape, (parameters,) = formulas.results(document["outputs"], given)
        with torch.device("meta"):
            layer = torch.nn.Conv2d(channels, filters, k, s, p, d)
            assert parameters == sum(parameter.numel() for parameter in layer.parameters())
            try:
                assert [filters, side, side] == shape == list(layer(torch.empty(1, channels, n, n)).shape[1:])
            except RuntimeError:  # the kernel does not fit
                assert side == 0 and n + 2 * p < d * (k - 1) + 1


def test_the_cube_of_colour_adds_up_as_torch_adds(tmp_path):
    exhibit = taught("output_size")
    hang(exhibit, tmp_path / "output_size")
    cube = next(block for block in exhibit.blocks if isinstance(block, Convolver))
    image, kernel = (torch.tensor(part, dtype=torch.float64)[None] for part in (cube.image, cube.kernels[0].weights))
    theirs = torch.nn.functional.conv2d(image, kernel, stride=cube.stride, padding=cube.padding)[0, 0].numpy()
    np.testing.assert_array_equal(cube.kernels[0].map, theirs)
    first = next(block for block in exhibit.blocks if getattr(block, "name", "") == "cube")
    total = re.search(r"In the first window: (.*) = (\S+)\. Red", first.caption["en"].replace("−", "-"))
    assert eval(total[1]) == float(total[2]) == theirs[0, 0]
    texts = [text.replace("−", "-") for text in re.findall(r">([^<>]+)</text>", first.svg)]
    drawn = np.array([int(text) for text in texts if re.fullmatch(r"-?\d+", text)]).reshape(3, 19)
    np.testing.assert_array_equal((drawn[:, :9] * drawn[:, 9:18]).sum(axis=1), drawn[:, 18])
    assert drawn[:, 18].sum() == theirs[0, 0]


def test_filters_by_hand_are_scipys(photographs, tmp_path):
    exhibit = taught("classic_filters", photographs)
    hang(exhibit, tmp_path / "classic_filters")
    picture = np.round(in_grey(photographs.inputs[0]))
    np.testing.assert_allclose(filtered(picture, SOBEL, pad=True), ndimage.correlate(picture, SOBEL, mode="constant"))
    np.testing.assert_allclose(filtered(picture, SOBEL), signal.correlate2d(picture, SOBEL, mode="valid"))
    low, high = (number(exhibit, name, "filter=mean 9x9") for name in ("lowest", "highest"))
    assert 0 <= low <= high <= 255
    assert number(exhibit, "lowest", "filter=Sobel") < 0
    before = exhibit.blocks[-1].data.set_index("filter").loc["before"]
    assert (before["lowest"], before["highest"]) == (picture.min(), picture.max())
    shown = {item.id: item.values for block in exhibit.blocks if isinstance(block, Grid) for item in block.items}
    for name, weights in (("mean 9 × 9", np.ones((9, 9)) / 81), ("Sobel", SOBEL)):
        for border, mode in (("cropped", "valid"), ("padded", "same")):  # each picture's range is its own
            made = signal.correlate2d(picture, weights, mode=mode)
            said = shown[f"{border}/{name}"]
            assert (said["lowest"], said["highest"]) == pytest.approx((made.min(), made.max()), rel=1e-3, abs=0.01)
    assert number(exhibit, "outside_grey_range") == 2  # Sobel, and the random one whose weights add up to forty
    assert number(exhibit, "fine_detail_kept", "filter=mean 9x9") < number(
        exhibit, "fine_detail_kept", "filter=mean 3x3"
    )


def test_each_kernel_stands_with_its_numbers_beside_what_it_makes(photographs):
    typed = next(block for block in taught("classic_filters", photographs).blocks if isinstance(block, Filtering))
    picture = typed.pixels.astype(float)
    np.testing.assert_array_equal(picture, np.round(in_grey(photographs.inputs[0])))
    assert [(mask.weights.round(9).tolist(), mask.over) for mask in typed.masks[:3]] == [
        (np.ones((3, 3)).tolist(), 9),
        (np.ones((9, 9)).tolist(), 81),
        (SOBEL.tolist(), 1),
    ]
    for mask in typed.masks:
        made = signal.correlate2d(picture, mask.weights / mask.over, mode="valid")
        low, high = (made.min(), made.max()) if made.min() < 0 or made.max() > 255.5 else (0, 255)
        np.testing.assert_allclose(mask.pixels, (made - low) / (high - low) * 255, atol=0.5 + 1e-6)
        np.testing.assert_allclose([mask.lowest, mask.highest], [made.min(), made.max()], rtol=1e-3)


def test_nine_weights_find_sobels_filter(photographs, tmp_path):
    exhibit = taught("learn_sobel", photographs)
    hang(exhibit, tmp_path / "learn_sobel")
    assert number(exhibit, "mse_of_start") <= 1e-4
    assert number(exhibit, "middle_to_corners") == pytest.approx(2, rel=0.02)
    assert number(exhibit, "largest_weight_error") < 0.05
    learned, snapshots = exhibit.blocks[:2]
    drawn = [float(text.replace("−", "-")) for text in re.findall(r">([−\d.]+)</text>", learned.svg)]
    for seed in range(3):  # three tables of nine a start: at random, learned, Sobel's
        start, found, sobel = np.array(drawn[27 * seed : 27 * seed + 27]).reshape(3, 3, 3)
        np.testing.assert_array_equal(sobel, SOBEL)
        np.testing.assert_allclose(found, SOBEL, atol=0.055)
        assert np.abs(start - SOBEL).max() > 0.5
    assert [item.id for item in snapshots.items] == [
        *(f"after/{n}" for n in shipped("learn_sobel")["snapshots"]),
        "target",
    ]
    errors = [item.values["mse"] for item in snapshots.items[:-1]]
    assert errors == sorted(errors, reverse=True)
    ratio = number(exhibit, "mse_of_start")
    told = re.search("error is about 10(⁻[⁰¹²³⁴-⁹]+) of that at the start. Only rounding", exhibit.caption["en"])
    if ratio < 1e-10:
        assert int(told[1].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))) == round(np.log10(ratio))
    else:
        assert not told and f"The error at the end is {100 * ratio:.1f} % of that" in exhibit.caption["en"]


def test_the_lectures_chain_counts_as_the_lecture_says(tmp_path):
    exhibit = taught("shapes")
    hang(exhibit, tmp_path / "shapes")
    assert number(exhibit, "flattened") == 1250
    assert number(exhibit, "parameters", "layer=conv1") == 25 * 9 + 25
    assert number(exhibit, "parameters", "layer=conv2") == 50 * 25 * 9 + 50
    assert number(exhibit, "difference_by_hand") == 0
    chain = exhibit.blocks[-1].data
    assert chain.loc[chain["layer"] == "conv2", "shape"].item() == "50 × 11 × 11"


def test_a_thousand_dense_units_on_a_small_photograph_have_thirty_million_weights(tmp_path):
    exhibit = taught("why_convolution")
    hang(exhibit, tmp_path / "why_convolution")
    assert number(exhibit, "dense_weights") == 30_000_000
    counts = next(block.data for block in exhibit.blocks if getattr(block, "name", "") == "counts")
    assert (counts["weights"] == counts["by torch"]).all()
    kinds = [Terms().words(one, counts.columns[0]) for one in counts[counts.columns[0]]]
    assert all(isinstance(words, dict) and words["zh"] for words in kinds)  # no names


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit.script")
def test_paths_end_where_the_error_says(tmp_path):
    settings = shipped("mse_surface")
    exhibit = taught("mse_surface")
    hang(exhibit, tmp_path / "mse_surface")  # and the path that stands on the page is the one that its rule walks
    x, (v, c) = np.linspace(-2, 2, settings["samples"]), settings["other"]

    def made(a, b):
        return np.tanh(a * x + b) - np.tanh(v * x + c)

    start = ((made(*settings["start"]) - made(*settings["truth"])) ** 2).mean()
    assert number(exhibit, "mse_at_start") == pytest.approx(start, rel=1e-3)
    assert number(exhibit, "distance_to_minimum", "path=Newton") < 1e-3
    assert number(exhibit, "distance_to_minimum", "path=conjugate gradients") < 1e-3
    small, right, large = (f"path=step {size:g}" for size in settings["step_sizes"])
    assert number(exhibit, "final_mse", right) < number(exhibit, "final_mse", small)
    assert number(exhibit, "final_mse", right) < number(exhibit, "final_mse", large)
    # Only the middle step arrives, and the smallest with momentum; the largest leaps out of the drawing.
    arrives = {n.subject: n.value for n in exhibit.numbers if n.metric == "steps_to_one_per_cent"}
    assert small not in arrives and large not in arrives
    pushed = arrives[f"{small}, momentum"]
    told = exhibit.caption["en"]
    assert f"With step 1 it takes {arrives[right]:.0f} steps." in told
    assert "With step 0.05 it does not get there in 200 steps." in told
    assert "With step 30 it does not get there in 200 steps and leaps out of the drawing" in told
    assert f"With momentum the smallest steps get there: after {pushed:.0f}." in told
    assert f"bends {number(exhibit, 'curvature_ratio'):.0f} times as much across it as along it" in told
    for block in exhibit.blocks[1:5]:  # the table behind each drawing begins where the paths do
        assert (block.data[block.data["step"] == 0][["a", "b"]].to_numpy() == settings["start"]).all()


def test_the_ravine_is_as_much_steeper_across_as_torch_bends():
    network = Network(x := torch.linspace(-2, 2, 30, dtype=torch.float64), torch.tanh(2 * x + 0.5), torch.zeros(2))
    truth = torch.tensor([2.0, 0.5], dtype=torch.float64)
    least, most = np.linalg.eigvalsh(torch.autograd.functional.hessian(network.error, truth).numpy())
    slopes = np.stack([x.numpy(), np.ones(30)]) / np.cosh(2 * x.numpy() + 0.5) ** 2  # where the error is 0
    np.testing.assert_allclose([least, most], 2 * np.linalg.eigvalsh(slopes @ slopes.T / 30), rtol=1e-9)


@pytest.mark.parametrize("units", [1, 2])
def test_a_plane_says_what_its_lines_part(units):
    plane = learn(units, 20, torch.Generator().manual_seed(0))
    places = np.round(np.array([[x, y] for x in (0, 1) for y in (0, 1)]) / 0.025).astype(int) + 20
    said = [bool(plane.answers[y, x]) for x, y in places]
    assert (
        sum(one == (x != y) for one, (x, y) in zip(said, ((0, 0), (0, 1), (1, 0), (1, 1)), strict=True)) == plane.right
    )
    assert len(plane.lines) == units and (plane.right == 3 if units == 1 else plane.right >= 3)
    if units == 1:  # on one side of the line it says true, on the other false
        w, v, c = plane.lines[0]
        x, y = np.meshgrid(PLANE, PLANE)
        np.testing.assert_array_equal(plane.answers, w * x + v * y + c > 0)


@pytest.mark.parametrize(
    ("errors", "step"),
    [([9, 3, 0.5, 0.2], 2), ([9, 0.5, 3, 0.2], 3), ([9, 0.5, 3, 2], None), ([0.1], 0), ([9, 0.5, np.nan], None)],
)
def test_a_path_has_arrived_where_it_stays(errors, step):
    assert arrived(np.array(errors), 1.0) == step


@pytest.mark.filterwarnings("ignore:.*torch.jit.script")
def test_what_is_told_of_the_paths_follows_from_where_they_go():
    # Too few steps for the smallest, and for any momentum.
    short = taught("mse_surface", steps=20, xor_starts=1)
    assert "With step 0.05 it does not get there in 20 steps." in short.caption["en"]
    assert "With momentum the smallest steps do not get there." in short.caption["en"]
    # A largest step that is no longer too large.
    mild = taught("mse_surface", step_sizes=[0.05, 1.0, 1.5], steps=60, xor_starts=1)
    assert re.search(r"With step 1.5 it takes \d+ steps\.", mild.caption["en"])


@pytest.mark.parametrize(
    ("small", "pushed", "told"),
    [
        ([9, 5, 4], [9, 0.01, 0.01], "With momentum the smallest steps get there: after 1."),
        (
            [9, 5, 0.01],
            [9, 0.01, 0.02],
            "there sooner: after 1 instead of 2. With momentum they end at 2 times the error.",
        ),
        ([9, 0.02, 0.01], [9, 5, 0.01], "there no sooner: after 2 instead of 1. Newton"),
        ([9, 5, 0], [9, 5, 4], "With momentum the smallest steps do not get there. Newton"),
    ],
)
def test_what_is_told_of_momentum_follows_from_both_paths(small, pushed, told):
    errors = {way: [9, 0.01, 0.01] for way in ("right", "large", "adam", "batches", "conjugate", "newton")}
    errors |= {"small": small, "momentum": pushed}
    paths = {way: Path(way, 1.0, np.zeros((3, 2)), np.array(each), 0.0) for way, each in errors.items()}
    network = Network(torch.zeros(3), torch.zeros(3), torch.zeros(2))
    heights, plane = np.hypot(*np.meshgrid(AXIS, AXIS)), Plane(0.0, 2, 3, np.ones((1, 3)), np.ones((81, 81), bool))
    planes = {"one_unit": plane, "two_units": plane}
    found = Descents(paths, network, heights, np.zeros(2), (1.0, 2.0), np.ones(2), steps=2, planes=planes)
    assert told in in_words(Exhibit.of(show_descents(found), "lesson", "mse_surface")).caption["en"]


def test_weights_that_add_up_to_at_most_one_and_none_below_zero_keep_the_range_of_grey(photographs):
    random = np.random.default_rng(0)
    picture = in_grey(photographs.inputs[0])
    for share in (0.2, 0.5, 1.0):
        kernel = random.random((5, 5))
        made = filtered(picture, share * kernel / kernel.sum(), pad=True)
        assert made.min() >= 0 and made.max() <= 255.5
    sharpen = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])  # the sum is 1, and it leaves all the same
    made = filtered(picture, sharpen)
    assert made.min() < 0 or made.max() > 255.5


def test_pooling_saves_what_is_said():
    import torch

    exhibit = taught("why_convolution", shape=[3, 32, 31], units=10)
    with torch.device("meta"):
        maps = torch.nn.Conv2d(3, 64, 3)(torch.empty(1, 3, 32, 31))
        for subject, seen in (("on=maps", maps), ("on=pooled maps", torch.nn.MaxPool2d(2)(maps))):
            assert number(exhibit, "dense_weights", subject) == torch.nn.Linear(seen.numel(), 10).weight.numel()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit.script")
def test_one_unit_never_learns_xor_and_two_can():
    exhibit = taught("mse_surface", steps=2)
    assert number(exhibit, "xor_solved_by_one_unit") == 0  # no line parts the four cases
    assert number(exhibit, "xor_solved_by_two_units") > 0.2


@pytest.mark.parametrize("lesson", ["convolution", "output_size", "shapes", "why_convolution"])
def test_a_lesson_speaks_both_languages(lesson):
    exhibit = taught(lesson)
    assert set(exhibit.title) == set(exhibit.caption) == {"en", "zh"}
