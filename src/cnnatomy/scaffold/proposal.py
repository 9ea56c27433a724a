"""What was found in somebody's data, and the configuration that is proposed for them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnnatomy.data.errors import DataError
from cnnatomy.data.layout import Filed, some
from cnnatomy.data.naming import Labels
from cnnatomy.data.own import in_order, several_at_once

LEAST = 3  # samples of a class: one to train on, one for validation, one for the test
FEW = 10  # samples of a class
LOPSIDED = 10  # times as many samples as another class has: worth saying


@dataclass
class Proposal:
    """The configuration for data of one kind, as far as it differs from the template, and why.

    fetch, prepare: settings of `data`. model: a name in conf/model. methods: dissections of the report.
    found: sentences about the data. proposed: a sentence for each setting that was chosen.
    """

    kind: str
    path: Path
    model: str
    methods: list[str]
    fetch: dict[str, Any] = field(default_factory=dict)
    prepare: dict[str, Any] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    proposed: list[str] = field(default_factory=list)

    def set(self, key: str, value: Any, why: str) -> None:
        """Choose a setting of `data.prepare`."""
        self.prepare[key] = value
        self.proposed.append(f"{key}: {json.dumps(value, ensure_ascii=False)}, {why}")


@dataclass(frozen=True)
class Told:
    """What the user says of the data: `data.fetch.splits` and `.labels`, names of columns, the encoding of tables."""

    splits: Mapping[str, str] | bool | None = None
    labels: Labels = None
    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None


class Question(Exception):
    """What only the owner of the data can answer; the message says what to give."""


def said_of_classes(labels: Sequence[str]) -> list[str]:
    """How many samples each class has, and whether they are lopsided."""
    counts = Counter(labels)
    named = [f"{label} ({counts[label]:,})" for label in in_order(list(counts))]
    found = [f"{len(labels):,} samples of {len(counts)} classes: {some(named, 12)}"]
    most, least = counts.most_common()[0], counts.most_common()[-1]
    if both := several_at_once(list(counts)):
        found.append(both)
    if least[1] < FEW:
        found.append(f"{least[0]} has {least[1]}: so few teach little, and the test of them says little")
    if most[1] > LOPSIDED * least[1]:
        found.append(
            f"{most[0]} has {most[1] / least[1]:.0f} times as many samples as {least[0]}: accuracy alone will flatter; "
            "the report gives it by class too"
        )
    return found


def refuse_few(labels: Sequence[str]) -> None:
    """Raise DataError for a class of which no sample would be left to train on, where nothing says the splits."""
    counts = Counter(labels)
    least = min(counts, key=lambda label: (counts[label], label))
    if counts[least] < LEAST:
        raise DataError(
            f"The class {least!r} has {counts[least]} sample{'s' * (counts[least] > 1)}: one is kept for the test and "
            "one for validation, so that none is left to train on. Add some, or take the class away."
        )


def said_of_splits(files: Sequence[Filed]) -> str:
    """What folders say of the splits, or how they will be made where nothing does."""
    counts = Counter(file.split or "shared out by content" for file in files)
    if set(counts) <= {"shared out by content"}:
        return "nothing says the splits: a fifth of each class is kept for the test and a tenth for validation"
    return "splits by folders: " + ", ".join(f"{split} {count:,}" for split, count in counts.items())


def said_of_left_out(left_out: Sequence[Any]) -> list[str]:
    """What will not be used, and why."""
    from cnnatomy.data.left_out import said

    return [f"left out {said(left_out)}"] if left_out else []


def ranged(values: Mapping[Any, int], unit: str = "") -> str:
    """The least and the greatest of some values, or the only one."""
    low, high = min(values), max(values)
    return f"{low:g}{unit}" if low == high else f"{low:g} to {high:g}{unit}"
