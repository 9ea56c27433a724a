"""Positions of Go: rules that hold, labels that another count of captures confirms, the same bytes for a seed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from sgfmill.boards import Board

from cnnatomy.data import archive, go_positions, prepared
from cnnatomy.data.errors import DataError
from cnnatomy.data.fetching import Into
from cnnatomy.data.go_positions import SIDE, captures, most, play, seen

OWN, OPPONENT, EMPTY = range(3)


def fetch(folder: Path, games: int = 24) -> None:
    about = {"licence": "CC0", "citation": "nobody"}
    go_positions.fetch(Into(folder / "go.zip", None, "d"), games=games, plies=120, seed=0, **about)


def prepare(folder: Path, **changes: int) -> None:
    settings = {"every": 4, "validation": 4, "test": 8} | changes
    go_positions.prepare(folder / "go.zip", folder / "go", digest="d", **settings)


def make(folder: Path, games: int = 24, **changes: int) -> prepared.Dataset:
    fetch(folder, games)
    prepare(folder, **changes)
    return prepared.load(folder / "go")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> prepared.Dataset:
    return make(tmp_path_factory.mktemp("go"))


def board(picture: str) -> Board:
    """Rows from above: x black, o white, . empty."""
    rows = picture.split()
    made = Board(SIDE)
    points = {
        sign: [(SIDE - 1 - r, c) for r, row in enumerate(rows) for c, s in enumerate(row) if s == sign] for sign in "xo"
    }
    made.apply_setup(points["x"], points["o"], [])
    return made


def around(row: int, column: int) -> list[tuple[int, int]]:
    near = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
    return [(r, c) for r, c in near if 0 <= r < SIDE and 0 <= c < SIDE]


def captured(planes: np.ndarray, point: tuple[int, int]) -> int:
    """How many of the opponent's stones a move takes: a flood fill that knows neither the library nor our code."""
    own, opponent = planes[OWN] > 0, planes[OPPONENT] > 0
    own[point] = True
    taken: set[tuple[int, int]] = set()
    for start in around(*point):
        if not opponent[start]:
            continue
        group, waiting, breathes = {start}, [start], False
        while waiting:
            for near in around(*waiting.pop()):
                if opponent[near] and near not in group:
                    group.add(near)
                    waiting.append(near)
                breathes |= not own[near] and not opponent[near]
        if not breathes:
            taken |= group
    return len(taken)


def test_every_label_captures_most_and_alone(dataset):
    count = 0
    for split in ("train", "validation", "test"):
        samples = dataset.split(split)
        for planes, label, row in zip(samples.inputs, samples.labels, samples.table.itertuples(), strict=True):
            counts = {tuple(p): captured(planes.copy(), tuple(p)) for p in np.argwhere(planes[EMPTY])}
            best = (label // SIDE, label % SIDE)
            assert counts.pop(best) == row.captured > max(counts.values(), default=0), row.id
            assert row.captures == 1 + sum(n > 0 for n in counts.values())
            count += 1
    assert count > 150 and dataset.table["captured"].max() > 5


def test_planes_say_of_each_point_one_thing(dataset):
    inputs = dataset.split("train").inputs
    assert set(np.unique(inputs)) == {0, 255}
    assert (inputs.astype(int).sum(axis=1) == 255).all()


def test_no_game_is_in_two_splits_and_no_position_twice(dataset):
    games = dataset.table.groupby("game")["split"].nunique()
    assert (games == 1).all() and len(games) == 24
    assert dataset.table.groupby("split")["game"].nunique().to_dict() == {"train": 12, "validation": 4, "test": 8}
    positions = np.concatenate([dataset.split(s).inputs for s in ("train", "validation", "test")])
    assert len(np.unique(positions.reshape(len(positions), -1), axis=0)) == len(positions)


def test_what_is_left_out_is_counted(dataset):
    counts = dataset.facts.counts
    assert set(counts) == {"ko", "no_capture", "tied"} and min(counts.values()) > 0
    with archive.Raw(dataset.folder.parent / "go.zip") as raw:
        moves = [game.count(b";") - 1 for game in raw.read("games.sgf").splitlines()]
    taken = sum(sum(ply % 4 == game % 4 for ply in range(1, n + 1)) for game, n in enumerate(moves))
    assert len(dataset.table) + sum(counts.values()) == taken


def test_classes_are_named_as_players_name_points(dataset):
    names = dataset.facts.classes
    assert (names[0], names[8], names[72], names[80]) == ("a9", "j9", "a1", "j1")
    position = Board(SIDE)
    position.play(3, 3, "b")  # the fourth row from below, the fourth column
    plane = seen(position, "b")[OWN]
    assert names[int(plane.argmax())] == "d4" and plane.sum() == 255


def test_random_games_are_legal():
    for game in range(5):
        position, forbidden = Board(SIDE), None
        for ply, (colour, point) in enumerate(play(120, np.random.default_rng(game))):
            assert colour == "bw"[ply % 2] and point != forbidden
            forbidden = position.play(*point, colour)
            assert position.get(*point) == colour, "a move took itself"


@pytest.mark.parametrize(
    ("picture", "moves"),
    [
        # white's lone stone has one breath left
        ("......... ......... ....x.... ...xo.... ....x.... ......... ......... ......... .........", {(5, 5): 1}),
        # two groups that share their last breath are taken together
        ("......... ...x.x... ..xo.ox.. ...x.x... ......... ......... ......... ......... .........", {(6, 4): 2}),
        ("ox....... ox....... .o....... xx....... ......... ......... ......... ......... .........", {(6, 0): 2}),
        # a move without a breath of its own is legal where it captures
        (".ox...... oox...... xx....... ......... ......... ......... ......... ......... .........", {(8, 0): 3}),
    ],
)
def test_captures(picture: str, moves: dict):
    assert captures(board(picture), "b") == moves


def test_the_best_of_several_captures_must_be_one():
    assert most({(0, 0): 1, (4, 4): 3, (5, 5): 2}) == (4, 4)
    assert most({(0, 0): 2, (4, 4): 2, (5, 5): 1}) is None
    assert most({}) is None


def test_a_position_with_a_point_forbidden_by_ko_is_left_out(tmp_path: Path):
    """Black's last move takes one stone, and white could take back were it not forbidden."""
    first = [(5, 4), (5, 5), (4, 3), (4, 6), (3, 4), (3, 5), (0, 0), (4, 4), (4, 5)]
    games = [first, [(row, 8 - column) for row, column in first]] * 2
    lines = [_sgf(moves) for moves in games]
    raw = tmp_path / "go.zip"
    archive.write(raw, {"games.sgf": b"".join(lines)}, digest="d", licence="CC0", citation="nobody")
    go_positions.prepare(raw, tmp_path / "go", digest="d", every=1, validation=1, test=1)
    dataset = prepared.load(tmp_path / "go")
    assert dataset.table["ply"].tolist() == [8, 8, 8, 8]
    assert [dataset.facts.classes[label] for label in dataset.table["label"]] == ["f5", "d5", "f5", "d5"]
    assert dataset.facts.counts == {"ko": 4, "no_capture": 4 * 7}


def _sgf(moves: list[tuple[int, int]]) -> bytes:
    signs = [
        f";{'BW'[ply % 2]}[{'abcdefghi'[column]}{'abcdefghi'[8 - row]}]" for ply, (row, column) in enumerate(moves)
    ]
    return f"(;FF[4]GM[1]SZ[9]{''.join(signs)})\n".encode()


def test_a_seed_gives_the_same_bytes_and_more_games_begin_alike(tmp_path: Path):
    def raw(name: str, games: int, seed: int) -> bytes:
        target = tmp_path / f"{name}.zip"
        go_positions.fetch(Into(target, None, "d"), games=games, plies=60, seed=seed, licence="CC0", citation="nobody")
        with archive.Raw(target) as source:
            return source.read("games.sgf")

    assert raw("a", 3, 0) == raw("b", 3, 0) != raw("c", 3, 1)
    assert raw("d", 5, 0).startswith(raw("a", 3, 0))


@pytest.mark.parametrize("changes", [{"validation": 20}, {"test": 0}, {"every": 0}])
def test_splits_without_a_game_are_refused(tmp_path: Path, changes: dict):
    with pytest.raises(DataError, match="24 games"):
        make(tmp_path, **changes)


def test_without_sgfmill_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    make(tmp_path, games=13)
    monkeypatch.setitem(sys.modules, "sgfmill", None)  # as if it were not installed
    for step in (fetch, prepare):
        with pytest.raises(DataError, match="needs sgfmill.*-m pip install 'sgfmill<2'"):
            step(tmp_path)
