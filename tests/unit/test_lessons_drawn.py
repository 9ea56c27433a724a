"""Lessons that draw what the lecture draws, against torch, scipy and counting."""

from __future__ import annotations

import re
from importlib import import_module

import numpy as np
import pytest
import torch
from scipy import signal

from cnnatomy.config import folders
from cnnatomy.lessons.reversal.show import FAMILIES
from tests.unit.small_data import hang
from tests.unit.test_lessons import number, shipped, taught

DRAWN = ["neuron", "connections", "template", "reversal", "board", "shapes"]
# In a package the name `measure` is the function's.
neuron = import_module("cnnatomy.lessons.neuron.measure")
board = import_module("cnnatomy.lessons.board.measure")
reversal = import_module("cnnatomy.lessons.reversal.measure")
template = import_module("cnnatomy.lessons.template.measure")
connections = import_module("cnnatomy.lessons.connections.measure")


@pytest.mark.parametrize("lesson", DRAWN)
def test_a_drawn_lesson_speaks_both_languages_and_a_phone_shows_it_whole(lesson):
    exhibit = taught(lesson)
    assert set(exhibit.title) == set(exhibit.caption) == {"en", "zh"}
    drawings = [block for block in exhibit.blocks if hasattr(block, "svg")]
    drawings += [inner for block in exhibit.blocks for frame in getattr(block, "frames", ()) for inner in frame.blocks]
    widths = {one.name: float(re.search(r'width="([\d.]+)"', one.svg)[1]) for one in drawings if hasattr(one, "svg")}
    assert widths and max(widths.values()) <= 312, widths


def test_a_convolution_is_a_dense_layer_with_shared_weights(tmp_path):
    exhibit = taught("connections")
    hang(exhibit, tmp_path / "connections")
    assert number(exhibit, "difference_from_convolution") == number(exhibit, "difference_of_gradients") == 0
    assert number(exhibit, "weights_that_differ") == 9 and number(exhibit, "weights_not_zero") == 16 * 9
    ways = {way: number(exhibit, "weights", f"connected={way}") for way in ("all", "local", "shared", "pooled")}
    assert ways["all"] == torch.nn.Linear(8, 6).weight.numel() and ways["local"] == 6 * 3
    assert ways["shared"] == ways["pooled"] == torch.nn.Conv1d(1, 1, 3).weight.numel()
    lines = {"all": 48, "local": 18, "shared": 18, "pooled": 18}
    drawn = next(block for block in exhibit.blocks if block.name == "ways").svg
    assert len(re.findall("<path d=", drawn)) == sum(lines.values()) + 6  # and each unit goes into a pool


@pytest.mark.parametrize("shape", [(5, 7), (4, 4)])
def test_the_dense_layers_matrix_is_scipys_correlation(shape):
    draw = np.random.default_rng(3)
    image, kernel = draw.standard_normal(shape), draw.standard_normal((3, 3))
    tied = connections.tied(image, kernel)
    matrix = np.append(0, kernel.ravel())[tied.which]
    np.testing.assert_allclose(matrix @ image.ravel(), signal.correlate2d(image, kernel, mode="valid").ravel())
    np.testing.assert_allclose(tied.slopes[0], tied.slopes[1])


def test_the_beak_is_found_wherever_the_bird_stands():
    found = connections.reasons()
    maps = [
        signal.correlate2d(one, connections.bird()[5:12, :7] - connections.bird()[5:12, :7].mean(), mode="valid")
        for one in (connections.bird(), found.moved)
    ]
    assert [np.unravel_index(one.argmax(), one.shape) for one in maps] == list(found.places) == [(5, 0), (10, 8)]
    assert found.values[0] == found.values[1] == found.values[2] == pytest.approx(maps[0].max())
    assert found.own > 0.9 > 0.5 > found.other


def test_delta_by_hand_is_autograds(tmp_path):
    exhibit = taught("neuron")
    hang(exhibit, tmp_path / "neuron")
    assert number(exhibit, "parameters") == 10 * 12 + 12 + 12 * 12 + 12 + 12 * 6 + 6
    assert number(exhibit, "difference_from_autograd") < 1e-15
    assert "autograd's" in exhibit.caption["en"] and number(exhibit, "error_after_step") < number(
        exhibit, "error_before_step"
    )


def test_slopes_of_the_small_network_are_those_of_finite_differences():
    draw = np.random.default_rng(1)
    weights = [(draw.standard_normal((4, 3)), draw.standard_normal(4)), (draw.standard_normal((2, 4)), np.zeros(2))]
    x, target = draw.random(3), np.array([0.0, 1.0])
    layers = neuron.walk(weights, x, target)
    for at, (place, (matrix, _)) in ((at, pair) for pair in enumerate(weights) for at in np.ndindex(pair[1][0].shape)):
        errors = []
        for step in (1e-5, -1e-5):
            moved = matrix.copy()
            moved[at] += step
            others = [(moved, one[1]) if which == place else one for which, one in enumerate(weights)]
            errors.append(neuron.error(neuron.walk(others, x, target)[-1].activations, target))
        assert layers[place].slopes[at] == pytest.approx((errors[0] - errors[1]) / 2e-5, abs=1e-9)


def test_every_number_of_the_first_neuron_is_written_out():
    figure, *_ = taught("neuron").blocks
    drawn = [float(text.replace("−", "-")) for text in re.findall(r">(−?[\d.]+)</text>", figure.svg)]
    rows, (bias_weight, bias, total, activation) = np.reshape(drawn[:30], (10, 3)), drawn[30:]
    np.testing.assert_allclose(rows[:, 0] * rows[:, 1], rows[:, 2], atol=5e-3)
    assert rows[:, 2].sum() + bias == pytest.approx(total) and bias_weight == bias
    assert activation == pytest.approx(1 / (1 + np.exp(-total)), abs=5e-3)


def test_a_step_that_is_too_large_is_not_said_to_help():
    exhibit = taught("neuron", rate=60.0)
    before, after = (number(exhibit, f"error_{when}_step") for when in ("before", "after"))
    assert (after < before) == ("too large" not in exhibit.caption["en"])


def test_the_lectures_threes_stand_top_left_and_bottom_left(tmp_path):
    exhibit = taught("template")
    hang(exhibit, tmp_path / "template")
    assert number(exhibit, "largest", "picture=strokes") == 3 and number(exhibit, "windows", "picture=strokes") == 16
    assert number(exhibit, "windows_marked", "picture=strokes") == 2
    caption = exhibit.blocks[0].caption["en"]
    assert "(1, 1), (4, 1)" in caption and "Top left and bottom left" in caption and "exactly as the filter" in caption
    turned = taught("template", filter=[[-1, -1, 1], [-1, 1, -1], [1, -1, -1]]).blocks[0].caption["en"]
    assert "Top left" not in turned and "(1, 1)" not in turned


def test_the_map_on_the_digit_is_scipys_and_its_windows_are_the_largest_apart():
    picture, filter_ = template.eight(), template.arc()
    whole = signal.correlate2d(picture, filter_, mode="valid")
    places = template.apart(whole, 3, 7)
    found = template.laid(picture, filter_, places)
    np.testing.assert_allclose(found.map, whole)
    assert abs(filter_.sum()) < 1e-9 and found.map[places[0]] == found.map.max()
    window = picture[places[0][0] : places[0][0] + 7, places[0][1] : places[0][1] + 7]
    cosine = (window * filter_).sum() / np.linalg.norm(window) / np.linalg.norm(filter_)
    assert found.likeness[places[0]] == pytest.approx(cosine)
    other = picture[found.other[0] : found.other[0] + 7, found.other[1] : found.other[1] + 7]
    assert other.sum() >= window.sum() and (other * filter_).sum() < (window * filter_).sum()
    (row, column), *others = places
    assert all(max(abs(row - r), abs(column - c)) > 3 for r, c in others)


def test_in_training_only_weights_move_and_in_the_reversal_only_the_input(tmp_path):
    exhibit = taught("reversal")
    hang(exhibit, tmp_path / "reversal")
    assert number(exhibit, "inputs_moved_in_training") == number(exhibit, "weights_moved_in_ascent") == 0
    assert number(exhibit, "weights_moved_in_training") > 0
    assert number(exhibit, "loss_after") < 0.1 * number(exhibit, "loss_before")
    for formula in ("filter", "unit", "class"):
        before, after, real = (
            number(exhibit, name, f"formula={formula}") for name in ("value_before", "value_after", "best_real_value")
        )
        assert after > before and ("more than for any drawing" in exhibit.blocks[1].caption["en"]) >= (after > real)


def test_the_ascent_of_a_linear_filter_finds_its_exact_best():
    """Of one kernel as large as the picture: ink where a weight is above zero, and nowhere else."""
    network = reversal.build(0, (8, 9))
    weights = torch.randn(1, 1, 8, 9, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    start = torch.full((1, 1, 8, 9), 0.5, dtype=torch.float64)
    found = reversal.climb(network, "filter", lambda x: (weights * x).sum((1, 2, 3)), start, start, 400)
    assert found.values[1] == pytest.approx(float(weights.clamp_min(0).sum()), rel=0.02) and found.moved[1] == 0


def test_every_method_stands_once_on_the_map_of_families():
    placed = [method for family in FAMILIES.values() for method in family]
    assert sorted(placed) == sorted(folders.options("dissect"))


def on_board(stones: np.ndarray):
    """The same stones, X black, on a board of the library that keeps the rules."""
    boards = pytest.importorskip("sgfmill.boards", reason="sgfmill is not installed")
    made = boards.Board(len(stones))
    for (row, column), stone in np.ndenumerate(stones):
        if stone != ".":
            made.board[len(stones) - 1 - row][column] = {"X": "b", "O": "w"}[stone]
    made._is_empty = False
    return made


def test_the_position_is_one_of_the_test_games_and_its_answer_is_the_librarys():
    pytest.importorskip("sgfmill", reason="sgfmill is not installed")
    from cnnatomy.data.go_positions import _positions, captures, most, play, seen

    game = play(120, np.random.default_rng((0, 3910)))
    theirs, colour, ko = next((b, c, k) for ply, b, c, k in _positions(game) if ply == 40)
    planes, stones = seen(theirs, colour), np.array([list(row) for row in shipped("board")["position"]])
    assert ko is None and colour == "b"
    np.testing.assert_array_equal(planes > 0, [stones == "X", stones == "O", stones == "."])
    best = most(captures(theirs, colour))
    assert (8 - best[0], best[1]) == board.answer(board.captures(stones)) == (7, 7)


def test_captures_are_the_librarys_on_random_boards():
    from cnnatomy.data.go_positions import captures

    draw = np.random.default_rng(5)
    for _ in range(15):
        stones = draw.choice(list("XO."), size=(9, 9), p=[0.4, 0.4, 0.2])
        for row, column in np.ndindex(9, 9):  # groups without a liberty stand on no board
            if stones[row, column] != "." and not board.group(stones, (row, column))[1]:
                stones[row, column] = "."
        theirs = {(8 - row, column): many for (row, column), many in captures(on_board(stones), "b").items()}
        assert board.captures(stones) == theirs


def test_twins_look_alike_to_torchs_pooling_and_some_want_another_move(tmp_path):
    exhibit = taught("board")
    hang(exhibit, tmp_path / "board")
    found = board.measure(board.Settings(**shipped("board")))

    def after(stones: np.ndarray) -> torch.Tensor:
        planes = torch.tensor(np.stack([stones == kind for kind in "XO."]).astype(float))
        return torch.nn.MaxPool2d(2, ceil_mode=True)(planes[None])[0]

    before = after(found.position.board)
    assert torch.equal(before, torch.tensor(found.pooled.astype(float)))
    assert all(torch.equal(after(one.position.board), before) for one in found.twins)
    assert found.twin is not None and found.twin.position.answer != found.position.answer
    assert number(exhibit, "of_these_another_answer") == found.misled / len(found.twins) > 0
    assert "h2 (red), which captures 3 stones" in exhibit.blocks[0].caption["en"]


def test_alphagos_maps_are_as_large_as_the_board():
    found = board.measure(board.Settings(**shipped("board")))
    assert found.chain == [(48, 19, 19), *[(192, 19, 19)] * 12, (1, 19, 19)] and found.pooling[-1] == 5
    assert found.parameters == 48 * 192 * 25 + 192 + 11 * (192 * 192 * 9 + 192) + 192 + 361


def test_pooled_numbers_have_the_colour_of_their_block_and_flatten_keeps_their_order():
    pooling, network, _ = taught("shapes").blocks
    cells = re.findall(r'<rect [^>]*fill="var\(--series-(\d)[^>]*/><text [^>]*>(−?[\d.]+)</text>', pooling.svg)
    drawn = [(int(colour), float(text.replace("−", "-"))) for colour, text in cells]
    assert len(drawn) == 2 * (16 + 4 + 4) + 8
    for at in (0, 24):  # two channels: sixteen numbers, four largest, four means
        blocks = {colour: [value for block, value in drawn[at : at + 16] if block == colour] for colour in (1, 2, 3, 4)}
        assert {colour: max(block) for colour, block in blocks.items()} == dict(drawn[at + 16 : at + 20])
        assert {colour: sum(block) / 4 for colour, block in blocks.items()} == dict(drawn[at + 20 : at + 24])
    assert drawn[48:] == drawn[16:20] + drawn[40:44]
    assert ">1250<" in network.svg and ">50 × 5 × 5<" in network.svg
