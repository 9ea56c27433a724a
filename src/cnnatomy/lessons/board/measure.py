"""A position of Go before and after pooling, two positions that pooling can't tell apart, and AlphaGo's layers.

Silver et al. 2016, Mastering the game of Go with deep neural networks and tree search, Nature 529.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from cnnatomy.lessons.board.settings import Settings
from cnnatomy.models.board import Board
from cnnatomy.statistics.numbers import Numbers

MOVER, OTHER, EMPTY = "X", "O", "."
Place = tuple[int, int]
POOL = 2


@dataclass(frozen=True)
class Position:
    """board: (rows, columns) of X, the mover's stones, O and a dot. captures: how many stones each move takes."""

    board: np.ndarray
    captures: Mapping[Place, int]

    @property
    def answer(self) -> Place | None:
        """The move that captures more than every other."""
        return answer(self.captures)


@dataclass(frozen=True)
class Twin:
    """A position with one stone moved by a point or two, of the same pooled planes. start, end: of that stone."""

    position: Position
    start: Place
    end: Place


@dataclass(frozen=True)
class Boards:
    """pooled: planes (mover, other, empty), bool, for each block. twins: all that look the same when pooled.

    twin: one of them that has another answer, if there is any. chain: AlphaGo's maps, (channels, rows, columns) from
    the board on; parameters of its network. pooling: sides of the maps with pooling after two of its layers.
    """

    position: Position
    pooled: np.ndarray
    twins: Sequence[Twin]
    twin: Twin | None
    chain: Sequence[tuple[int, ...]]
    parameters: int
    pooling: Sequence[int]

    @property
    def misled(self) -> int:
        """Twins whose answer is another one."""
        return sum(one.position.answer != self.position.answer for one in self.twins)


def measure(settings: Settings) -> Boards:
    """settings: `position`, a row a line; AlphaGo's `side`, `planes`, `filters`, `layers`, and where to `pool` it."""
    board = np.array([list(row) for row in settings.position])
    position = Position(board, captures(board))
    alike = list(twins(position))
    others = [one for one in alike if one.position.answer not in (None, position.answer)]
    sizes = (settings.planes, settings.side, settings.side), settings.side**2
    with torch.device("meta"):  # shapes only
        plain = Board(*sizes, settings.filters, settings.layers, [], "point")
        pooling = Board(*sizes, settings.filters, settings.layers, settings.pool, "point")
    return Boards(
        position,
        pooled(board),
        alike,
        others[0] if others else None,
        shapes(plain, sizes[0]),
        sum(one.numel() for one in plain.parameters()),
        [shape[1] for shape in shapes(pooling, sizes[0])],
    )


def captures(board: np.ndarray) -> dict[Place, int]:
    """How many of the other's stones each move of the mover takes, for the moves that take some.

    A group is taken when its last liberty, the empty point beside it, is filled.
    """
    taken: dict[Place, int] = {}
    seen: set[Place] = set()
    for place in np.ndindex(*board.shape):
        if board[place] == OTHER and place not in seen:
            stones, liberties = group(board, (place[0], place[1]))
            seen |= stones
            if len(liberties) == 1:
                (last,) = liberties
                taken[last] = taken.get(last, 0) + len(stones)
    return taken


def group(board: np.ndarray, place: Place) -> tuple[set[Place], set[Place]]:
    """The stones that hang together with the one at a place, and their liberties."""
    stones, liberties, open_ = {place}, set(), [place]
    while open_:
        for near in beside(board, open_.pop()):
            if board[near] == EMPTY:
                liberties.add(near)
            elif board[near] == board[place] and near not in stones:
                stones.add(near)
                open_.append(near)
    return stones, liberties


def beside(board: np.ndarray, place: Place) -> Iterator[Place]:
    """The points next to one, up, down, left and right."""
    for row, column in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        near = place[0] + row, place[1] + column
        if 0 <= near[0] < board.shape[0] and 0 <= near[1] < board.shape[1]:
            yield near


def answer(moves: Mapping[Place, int]) -> Place | None:
    """The move that captures most; None where none does or several do."""
    best = [place for place, many in moves.items() if many == max(moves.values())]
    return best[0] if len(best) == 1 else None


def pooled(board: np.ndarray) -> np.ndarray:
    """The largest of each plane in every block of 2 × 2, what is left of one at the edge: (3, rows, columns)."""
    rows, columns = (-(-n // POOL) for n in board.shape)
    planes = np.zeros((3, rows, columns), dtype=bool)
    for plane, stone in enumerate((MOVER, OTHER, EMPTY)):
        for row, column in np.argwhere(board == stone):
            planes[plane, row // POOL, column // POOL] = True
    return planes


def twins(position: Position) -> Iterator[Twin]:
    """Positions with one stone elsewhere in its block, all groups with a liberty, and the same pooled planes."""
    before = pooled(position.board)
    for row, column in np.argwhere(position.board != EMPTY).tolist():
        for to_row, to_column in np.argwhere(position.board == EMPTY).tolist():
            if (row // POOL, column // POOL) != (to_row // POOL, to_column // POOL):
                continue
            board = position.board.copy()
            board[to_row, to_column], board[row, column] = board[row, column], EMPTY
            if np.array_equal(pooled(board), before) and breathes(board):
                yield Twin(Position(board, captures(board)), (row, column), (to_row, to_column))


def breathes(board: np.ndarray) -> bool:
    """Whether every stone's group has a liberty, as on any board of the game."""
    return all(group(board, (row, column))[1] for row, column in np.argwhere(board != EMPTY).tolist())


def shapes(network: nn.Sequential, size: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Of the input, and of what each convolution gives, or the pool behind it."""
    found, x = [size], torch.empty(1, *size, device="meta")
    for part in network:
        x = part(x)
        if isinstance(part, nn.Conv2d):
            found.append(tuple(x.shape[1:]))
        elif isinstance(part, nn.MaxPool2d):
            found[-1] = tuple(x.shape[1:])
    return found


def numbers(found: Boards) -> Numbers:
    """Of the position, of what pooling can't tell apart, and of AlphaGo's network."""
    rows, position = Numbers(), found.position
    best = position.answer
    rows.add("places_after_pooling", found.pooled[0].size, n=position.board.size)
    rows.add("moves_that_capture", len(position.captures))
    if best is not None:
        rows.add("stones_captured_by_best", position.captures[best])
    rows.add("alike_after_pooling", len(found.twins))
    if found.twins:
        rows.add("of_these_another_answer", found.misled / len(found.twins), unit="fraction", n=len(found.twins))
    rows.add("parameters", found.parameters)
    return rows
