"""Positions of Go on 9 × 9 points from games played at random, each with the move that captures most.

A library keeps the rules (sgfmill): what a move captures, and which point simple ko forbids. Moves that would take the
mover's own stones are none. Longer cycles are not looked for: a random game that repeats itself goes on.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from cnnatomy.data import archive, prepared
from cnnatomy.data.errors import DataError
from cnnatomy.data.fetching import Into
from cnnatomy.data.origin import Origin
from cnnatomy.data.prepared import SPLITS, Axis, Normalise

SIDE = 9
COLUMNS = "abcdefghj"  # Go players leave out the i
GAMES = "games.sgf"
OPPONENT = {"b": "w", "w": "b"}

Point = tuple[int, int]
"""As sgfmill counts them: the row from below, the column from the left."""


def fetch(into: Into, *, games: int, plies: int, seed: int, licence: str, citation: str) -> None:
    """Write the raw zip with the games, played here: one SGF record a line. The same seed gives the same bytes.

    plies: moves of a game; it ends before where the player to move has no legal one. A longer list of games begins with
    those of a shorter one.

    Raises DataError where sgfmill is not installed.
    """
    _need_sgfmill()
    from sgfmill.sgf import Sgf_game

    lines = []
    for game in range(games):
        record = Sgf_game(SIDE)
        for colour, point in play(plies, np.random.default_rng((seed, game))):
            record.extend_main_sequence().set_move(colour, point)
        lines.append(record.serialise(wrap=None).strip() + b"\n")
    into.write({GAMES: b"".join(lines)}, licence, citation)


def prepare(raw: Path, folder: Path, *, digest: str, every: int, validation: int, test: int) -> None:
    """Positions as planes uint8 (n, 3, 9, 9), 255 for yes: the mover's stones, the opponent's, empty points.

    A position's class is the one move that captures more stones than every other. Taken is one position in `every`
    plies of each game, if it has such a move; left out, and counted in the facts, are those in which nothing can be
    captured, those in which several moves capture most, and those with a point that ko forbids, which the planes don't
    show.
    validation, test: the last games are for the test, those before them for validation; no game is in two splits.

    Raises DataError where these leave no game to train on, and where sgfmill is not installed.
    """
    _need_sgfmill()
    import pandas as pd
    from sgfmill.sgf import Sgf_game
    from sgfmill.sgf_moves import get_setup_and_moves

    rows: list[dict[str, Any]] = []
    planes: list[np.ndarray] = []
    with archive.Raw(raw) as source:
        lines = source.read(GAMES).splitlines()
        train = len(lines) - validation - test
        if min(train, validation, test) < 1 or every < 1:
            raise DataError(
                f"data.prepare: of {len(lines)} games {validation} are for validation and {test} for the test, a "
                f"position is taken every {every} plies. Each split needs a game, and `every` must be at least 1."
            )
        left_out: Counter[str] = Counter()
        for game, line in enumerate(lines):
            split = SPLITS[(game >= train) + (game >= train + validation)]
            for ply, board, colour, ko in _positions(get_setup_and_moves(Sgf_game.from_bytes(line))[1]):
                if ply % every != game % every:  # at other plies in each game, so that all are met
                    continue
                moves = captures(board, colour)
                best = most(moves)
                if ko is not None or best is None:
                    left_out["ko" if ko else "tied" if moves else "no_capture"] += 1
                    continue
                captured = {"game": game, "ply": ply, "captured": moves[best], "captures": len(moves)}
                rows.append({"split": split, "label": _class(best), "id": f"{game}/{ply}", **captured})
                planes.append(seen(board, colour))
        facts = Origin(source, digest, counts=dict(sorted(left_out.items()))).facts(
            folder,
            "images",
            [f"{COLUMNS[column]}{SIDE - row}" for row in range(SIDE) for column in range(SIDE)],
            shape=(3, SIDE, SIDE),
            axes=[Axis("row", "", list(range(SIDE, 0, -1))), Axis("column", "", list(range(1, SIDE + 1)))],
            # As they are: what lies beyond the edge is then neither a stone nor empty, whoever pads with zeros.
            normalise=Normalise(0.0, 1.0),
        )
        inputs = np.stack(planes) if planes else np.zeros((0, *facts.shape), np.uint8)
        prepared.write(folder, facts, inputs, pd.DataFrame(rows, columns=["split", "label", "id", *_ABOUT]))


_ABOUT = ("game", "ply", "captured", "captures")


def play(plies: int, draw: np.random.Generator) -> list[tuple[str, Point]]:
    """A game of so many moves at most, black first; each is drawn from the legal ones, all alike."""
    from sgfmill.boards import Board

    board, colour, forbidden = Board(SIDE), "b", None
    moves: list[tuple[str, Point]] = []
    while len(moves) < plies:
        empty = [point for point in board.board_points if board.get(*point) is None]
        for place in draw.permutation(len(empty)):
            point = empty[place]
            after = board.copy()
            ko = after.play(*point, colour)
            if point != forbidden and after.get(*point) == colour:  # the library lets stones take themselves
                break
        else:
            break
        board, forbidden = after, ko
        moves.append((colour, point))
        colour = OPPONENT[colour]
    return moves


def captures(board: Any, colour: str) -> dict[Point, int]:
    """How many stones each move of `colour` takes from the opponent, for the moves that take some; ko is not asked.

    board: a sgfmill.boards.Board, which plays each move on a copy.
    """
    found = {}
    before = _stones(board, OPPONENT[colour])
    for point in board.board_points:
        if board.get(*point) is None:
            after = board.copy()
            after.play(*point, colour)
            if taken := before - _stones(after, OPPONENT[colour]):
                found[point] = taken
    return found


def most(moves: dict[Point, int]) -> Point | None:
    """The move that captures more than every other; None where there is none or several capture most."""
    best = [point for point, taken in moves.items() if taken == max(moves.values())]
    return best[0] if len(best) == 1 else None


def seen(board: Any, colour: str) -> np.ndarray:
    """The planes of a board for who is to move, uint8 (3, 9, 9), the board's uppermost row first."""
    stones = np.array([[point or "" for point in row] for row in board.board[::-1]])
    return np.stack([stones == colour, stones == OPPONENT[colour], stones == ""]).astype(np.uint8) * 255


def _need_sgfmill() -> None:
    if find_spec("sgfmill") is None:
        raise DataError(
            "go_positions: reading games needs sgfmill, which knows the rules: "
            f"{sys.executable} -m pip install 'sgfmill<2'"
        )


def _positions(moves: list[tuple[str, Point]]) -> Iterator[tuple[int, Any, str, Point | None]]:
    """Each position of a game: plies played, the board, who is to move, the point that ko forbids him."""
    from sgfmill.boards import Board

    board = Board(SIDE)
    for ply, (colour, point) in enumerate(moves, start=1):
        ko = board.play(*point, colour)
        yield ply, board, OPPONENT[colour], ko


def _stones(board: Any, colour: str) -> int:
    return sum(row.count(colour) for row in board.board)


def _class(point: Point) -> int:
    row, column = point
    return (SIDE - 1 - row) * SIDE + column
