"""Formulas of whole numbers, written as JSON: 3, "stride", or ["+", 3, "stride"].

The page's script works them out by the same rules, so that a reader may type other numbers than those that an exhibit
was made with.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

Formula = int | str | Sequence["Formula"]
"""A whole number, a name, or a list of an operation and what it is done with, from left to right."""

OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "max": max,
}


def evaluate(formula: Formula, known: Mapping[str, int]) -> int:
    """What a formula gives. Raises KeyError for a name that is not known, ZeroDivisionError."""
    if isinstance(formula, str):
        return known[formula]
    if isinstance(formula, int):
        return formula
    operation, *parts = formula
    return reduce(OPERATIONS[str(operation)], (evaluate(part, known) for part in parts))


def results(outputs: Sequence[Mapping[str, Any]], given: Mapping[str, int]) -> list[list[int]]:
    """The numbers of each output of a calculator; one that is a single number has a name for those after it."""
    known, found = dict(given), []
    for output in outputs:
        found.append([evaluate(formula, known) for formula in output["formulas"]])
        if len(found[-1]) == 1:
            known[output["name"]] = found[-1][0]
    return found


def parts(formula: Formula) -> Iterator[Formula]:
    """The formula and every formula in it."""
    yield formula
    if not isinstance(formula, int | str):
        for part in formula[1:]:
            yield from parts(part)
