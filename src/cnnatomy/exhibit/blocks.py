"""What an exhibit is made of: the exhibit, its numbers, and the typed blocks of its body.

Each block knows how to describe itself: `describe(files)` returns its part of exhibit.json and adds the
bytes of its siblings (pictures, tables, sounds) to `files`, a mapping from file name to content.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cnnatomy.exhibit.axes import Axis, Scale
from cnnatomy.exhibit.describing import Files, InvalidExhibit, add, finite, heading, listed, png_of
from cnnatomy.exhibit.languages import titled
from cnnatomy.exhibit.live import Live
from cnnatomy.exhibit.naming import file_name, in_bytes, short_id, writable
from cnnatomy.exhibit.touch import Convolver, Descent, Filtering
from cnnatomy.exhibit.words import Text
from cnnatomy.exhibit.words import described as _text

if TYPE_CHECKING:
    import pandas as pd

    from cnnatomy.exhibit.formulas import Formula

FORMAT = 2  # of exhibit.json; 1 had no sentences by ids. A reader refuses another

State = Literal["", "live", "dead", "rescued", "right", "wrong"]
Kind = Literal["run", "lesson", "study"]


@dataclass(frozen=True)
class Unit:
    """One of a layer's filters or neurons, counted from 0. The page gathers on one card all that hangs of it."""

    layer: str
    index: int

    def describe(self) -> dict[str, Any]:
        return {"layer": self.layer, "index": int(self.index)}


@dataclass(frozen=True)
class Number:
    """One measured number: one row of the report's results.csv.

    `value` and the 95 % interval `ci_low`..`ci_high` are in `unit`: "fraction" (0 to 1, shown as per
    cent), "s", "Hz", or "" for a bare number. `n` is how many samples or seeds it rests on. `subject`
    says what it was measured on: `layer=conv1;filter=3`, `class=7`, empty for the whole. `of_unit` is the filter
    or neuron on whose card it stands.
    """

    metric: str
    value: float
    ci_low: float | None = None
    ci_high: float | None = None
    unit: str = ""
    n: int | None = None
    subject: str = ""
    of_unit: Unit | None = None

    def describe(self) -> dict[str, Any]:
        name = f"the number {self.metric!r}" + (f" of {self.subject}" if self.subject else "")
        if (self.ci_low is None) != (self.ci_high is None):
            raise InvalidExhibit(f"{name} has half an interval; give both ci_low and ci_high, or neither")
        described: dict[str, Any] = {"metric": self.metric, "value": finite(self.value, name)}
        if self.ci_low is not None and self.ci_high is not None:
            described["ci_low"] = finite(self.ci_low, f"{name}: its ci_low")
            described["ci_high"] = finite(self.ci_high, f"{name}: its ci_high")
        if self.unit:
            described["unit"] = self.unit
        if self.n is not None:
            described["n"] = int(self.n)
        if self.subject:
            described["subject"] = self.subject
        if self.of_unit is not None:
            described["of_unit"] = self.of_unit.describe()
        return described


@dataclass
class Figure:
    """A drawing: `svg` is its text (see `cnnatomy.drawing.plotting`), `data` its numbers, one tidy table.

    beside: it stands beside the figure before it where there is room for both, below it where there is none.
    """

    name: str
    svg: str
    alt: Text
    data: pd.DataFrame | None = None
    title: Text = ""
    caption: Text = ""
    beside: bool = False

    def describe(self, files: Files) -> dict[str, Any]:
        name = file_name(self.name)
        described: dict[str, Any] = {"type": "figure", "name": name, "file": f"{name}.svg", "alt": _text(self.alt)}
        if self.beside:
            described["beside"] = True
        add(files, f"{name}.svg", in_bytes(self.svg))
        if self.data is not None:
            described["data"] = f"{name}.csv"
            add(files, f"{name}.csv", _csv(self.data))
        return described | heading(self.title, self.caption)


@dataclass
class Item:
    """One small picture of a grid, stored pixel by pixel.

    `pixels` is uint8, (height, width) grey or (height, width, 3) colour, row 0 on top, never enlarged:
    the page does that. `sound` holds the bytes of a wav file. `values` are shown on hover and focus;
    `group` gathers items under one heading. The `id` is unique in the exhibit, e.g. `conv1/3` or
    `test/11`. `more` are further pictures of the same, one for each of the grid's `variants` but the first.
    `ends` are the numbers that the ends of its colours stand for, where it has a scale of its own.
    `unit` is the filter or neuron of which it is a picture.
    """

    id: str
    pixels: np.ndarray
    label: Text = ""
    sound: bytes | None = None
    state: State = ""
    values: Mapping[str, float] = field(default_factory=dict)
    group: Text = ""
    more: Sequence[np.ndarray] = ()
    ends: tuple[float, float] | None = None
    unit: Unit | None = None


@dataclass
class Grid:
    """Small pictures side by side: kernels, feature maps, samples. `columns` None lets the page choose.

    variants: what each of an item's pictures is called, where items have several; the page shows one of them, of all
    items at once, the first at first. axes: x and y, where all pictures have the same. scale: what their colours mean.
    switch: groups are shown one at a time, the first at first.
    """

    name: str
    items: Sequence[Item]
    columns: int | None = None
    title: Text = ""
    caption: Text = ""
    variants: tuple[Text, ...] = ()
    axes: tuple[Axis, Axis] | None = None
    scale: Scale | None = None
    switch: bool = False

    def describe(self, files: Files) -> dict[str, Any]:
        described: dict[str, Any] = {"type": "grid", "name": file_name(self.name)}
        if self.columns is not None:
            described["columns"] = int(self.columns)
        if self.variants:
            described["variants"] = [_text(one) for one in self.variants]
        if self.axes is not None:
            described["axes"] = {side: axis.describe() for side, axis in zip("xy", self.axes, strict=True)}
        if self.switch:
            described["switch"] = True
        if self.scale is not None:
            described["scale"] = self.scale.describe()
        described["items"] = [self._item(index, item, files) for index, item in enumerate(self.items)]
        return described | heading(self.title, self.caption)

    def _item(self, index: int, item: Item, files: Files) -> dict[str, Any]:
        where = f"item {item.id!r} of grid {self.name!r}"
        stem = f"{file_name(self.name)}-{index:04d}"
        described: dict[str, Any] = {"id": short_id(item.id), "file": f"{stem}.png"}
        add(files, f"{stem}.png", png_of(item.pixels, where))
        if item.more:
            described["more"] = [f"{stem}-{nth}.png" for nth in range(1, 1 + len(item.more))]
            for name, pixels in zip(described["more"], item.more, strict=True):
                add(files, name, png_of(pixels, where))
        if item.ends is not None:
            described["ends"] = [finite(end, f"an end of the colours of {where}") for end in item.ends]
        if item.sound is not None:
            if item.sound[:4] != b"RIFF" or item.sound[8:12] != b"WAVE":
                raise InvalidExhibit(f"the sound of {where} is no wav file; give the bytes of one")
            described["sound"] = f"{stem}.wav"
            add(files, f"{stem}.wav", item.sound)
        return described | _label(item, where)


@dataclass
class Matrix:
    """A two-dimensional table of numbers drawn as a heat map, e.g. a confusion matrix.

    `values` has shape (len(rows), len(columns)). `items` maps (row index, column index) to the ids of the
    grid items or sentences that the cell stands for; the page jumps to them.
    """

    name: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: np.ndarray
    items: Mapping[tuple[int, int], Sequence[str]] = field(default_factory=dict)
    row_title: Text = ""
    column_title: Text = ""
    title: Text = ""
    caption: Text = ""

    def describe(self, files: Files) -> dict[str, Any]:
        values = np.asarray(self.values)
        where = f"matrix {self.name!r}"
        if values.shape != (len(self.rows), len(self.columns)):
            raise InvalidExhibit(
                f"{where} has values of shape {values.shape}, but {len(self.rows)} rows and {len(self.columns)} columns"
            )
        if not np.isfinite(values).all():
            row, column = np.argwhere(~np.isfinite(values))[0]
            raise InvalidExhibit(
                f"{where} is not finite at row {self.rows[row]!r}, column {self.columns[column]!r}; "
                "mend what computed it, or leave the row or column out"
            )
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(["", *self.columns])
        writer.writerows([label, *row] for label, row in zip(self.rows, values.tolist(), strict=True))
        name = file_name(self.name)
        add(files, f"{name}.csv", in_bytes(table.getvalue()))
        described: dict[str, Any] = {
            "type": "matrix",
            "name": name,
            "data": f"{name}.csv",
            "rows": list(self.rows),
            "columns": list(self.columns),
            "values": values.tolist(),
            "cells": [
                {"row": int(row), "column": int(column), "items": [short_id(one) for one in ids]}
                for (row, column), ids in sorted(self.items.items())
                if ids
            ],
        }
        if self.row_title:
            described["row_title"] = _text(self.row_title)
        if self.column_title:
            described["column_title"] = _text(self.column_title)
        return described | heading(self.title, self.caption)


@dataclass
class Sentence:
    """One sentence as tokens with weights: above 0 for, below 0 against; the page scales by the largest.

    spaces: whether tokens are words, which stand apart. unit: the filter or neuron that it tells of.
    """

    id: str
    tokens: Sequence[tuple[str, float]]
    label: Text = ""
    state: State = ""
    values: Mapping[str, float] = field(default_factory=dict)
    group: Text = ""
    spaces: bool = True
    unit: Unit | None = None


@dataclass
class Texts:
    """Sentences with highlighted words."""

    name: str
    sentences: Sequence[Sentence]
    title: Text = ""
    caption: Text = ""

    def describe(self, files: Files) -> dict[str, Any]:
        sentences = []
        for sentence in self.sentences:
            where = f"sentence {sentence.id!r} of text {self.name!r}"
            described: dict[str, Any] = {
                "id": short_id(sentence.id),
                "tokens": [
                    [token, finite(weight, f"the weight of {token!r} in {where}")] for token, weight in sentence.tokens
                ],
            }
            if not sentence.spaces:
                described["spaces"] = False
            sentences.append(described | _label(sentence, where))
        whole = {"type": "text", "name": file_name(self.name), "sentences": sentences}
        return whole | heading(self.title, self.caption)


@dataclass
class Table:
    """A table to read. Its index is not shown; make it a column if it says something.

    folded: whether it is shown only when its title, which it must have, is pressed: for one to look something up in.
    """

    name: str
    data: pd.DataFrame
    title: Text = ""
    caption: Text = ""
    folded: bool = False

    def describe(self, files: Files) -> dict[str, Any]:
        name = file_name(self.name)
        add(files, f"{name}.csv", _csv(self.data))
        described = {"type": "table", "name": name, "data": f"{name}.csv"} | ({"folded": True} if self.folded else {})
        return described | heading(self.title, self.caption)


@dataclass(frozen=True)
class Input:
    """A whole number that a reader may type into a calculator, from `least` to `most`; `value` is there first."""

    name: str
    label: Text
    value: int
    least: int
    most: int


@dataclass(frozen=True)
class Output:
    """What a calculator gives: a number, or several that belong together and are shown as 3 × 4 × 5.

    Formulas (see `cnnatomy.exhibit.formulas`) may name inputs, and outputs of one number that stand before. `zero` is
    said instead of a result with a 0 in it.
    """

    name: str
    label: Text
    formulas: Sequence[Formula]
    zero: Text = ""


@dataclass
class Calculator:
    """Numbers to type and what formulas make of them. Without scripts the page shows what the first values give.

    drawn: the names of the inputs that are the size of a padded input, its kernel, stride, padding and dilation, where
    the page is to draw it.
    """

    name: str
    inputs: Sequence[Input]
    outputs: Sequence[Output]
    title: Text = ""
    caption: Text = ""
    drawn: Mapping[Literal["input", "kernel", "stride", "padding", "dilation"], str] = field(default_factory=dict)

    def describe(self, files: Files) -> dict[str, Any]:
        inputs = [asdict(one) | {"label": _text(one.label)} for one in self.inputs]
        outputs = []
        for one in self.outputs:
            described = {"name": one.name, "label": _text(one.label), "formulas": listed(one.formulas)}
            outputs.append(described | ({"zero": _text(one.zero)} if one.zero else {}))
        whole = {"type": "calculator", "name": file_name(self.name), "inputs": inputs, "outputs": outputs}
        return whole | ({"drawn": dict(self.drawn)} if self.drawn else {}) | heading(self.title, self.caption)


@dataclass
class Code:
    """Python, as it can be copied and run."""

    name: str
    code: str
    title: Text = ""
    caption: Text = ""

    def describe(self, files: Files) -> dict[str, Any]:
        described = {"type": "code", "name": file_name(self.name), "code": self.code}
        return described | heading(self.title, self.caption)


@dataclass
class Prose:
    """A paragraph; an empty line starts the next one."""

    text: Text
    title: Text = ""
    caption: Text = ""

    def describe(self, files: Files) -> dict[str, Any]:
        return {"type": "prose", "text": _text(self.text)} | heading(self.title, self.caption)


@dataclass
class Frame:
    """One step of a walk-through: a line of text and any blocks but another walk-through."""

    title: Text
    text: Text = ""
    blocks: Sequence[Still] = ()


@dataclass
class Steps:
    """Frames to walk through one after the other."""

    name: str
    frames: Sequence[Frame]
    title: Text = ""
    caption: Text = ""

    def describe(self, files: Files) -> dict[str, Any]:
        frames = []
        for frame in self.frames:
            described: dict[str, Any] = {"title": _text(frame.title)}
            if frame.text:
                described["text"] = _text(frame.text)
            frames.append(described | {"blocks": [block.describe(files) for block in frame.blocks]})
        return {"type": "steps", "name": file_name(self.name), "frames": frames} | heading(self.title, self.caption)


Still = Figure | Grid | Matrix | Texts | Table | Calculator | Code | Prose | Convolver | Descent | Filtering | Live
Block = Steps | Still


@dataclass
class Showing:
    """What a method, a lesson or a study makes: numbers, blocks, and what is said of the whole.

    caption: what to see and what the numbers mean. sources: what to cite. title: left out where the locale has
    `<method>.title`.
    """

    numbers: Sequence[Number]
    blocks: Sequence[Block]
    caption: Text = ""
    sources: Sequence[str] = ()
    title: Text = ""


@dataclass
class Exhibit:
    """One thing to see.

    `kind` and `name` say whose it is (the run `mnist`, the lesson `convolution`), `method` what was done
    (`kernels`; empty for lessons and studies), `caption` what to see and what the numbers mean, `sources`
    what to cite.
    """

    kind: Kind
    name: str
    method: str
    seed: int
    title: Text
    caption: Text
    numbers: Sequence[Number] = ()
    blocks: Sequence[Block] = ()
    sources: Sequence[str] = ()

    @classmethod
    def of(cls, made: Showing | Exhibit, kind: Kind, name: str, method: str = "", seed: int = 0) -> Exhibit:
        """What was made as the exhibit of a run, a lesson or a study."""
        title = made.title or titled(method or name)
        return cls(kind, name, method, seed, title, made.caption, made.numbers, made.blocks, made.sources)

    def describe(self, config: Mapping[str, Any], digests: Mapping[str, str]) -> tuple[dict[str, Any], Files]:
        """The content of exhibit.json but for its `files`, and the siblings' bytes by file name."""
        files: Files = {}
        document = {
            "format": FORMAT,
            "kind": self.kind,
            "name": self.name,
            "method": self.method,
            "seed": int(self.seed),
            "title": _text(self.title),
            "caption": _text(self.caption),
            "numbers": [number.describe() for number in self.numbers],
            "blocks": [block.describe(files) for block in self.blocks],
            "sources": list(self.sources),
            "config": _sorted(config),
            "digests": _sorted(digests),
        }
        return writable(document), files

    def write(self, folder: Path, slice_: Mapping[str, Any], digests: Mapping[str, str]) -> None:
        """Write the exhibit into `folder`, whole or not at all.

        `slice_` is the configuration that made it, `digests` the digests of what it was made of; both are
        shown in the report. Everything is checked first (`InvalidExhibit`), then written beside `folder`
        and moved in, exhibit.json last; files of an older exhibit that are no longer named are removed.
        The same exhibit gives the same bytes.
        """
        from cnnatomy.exhibit.store import store

        try:
            document, files = self.describe(slice_, digests)
        except InvalidExhibit as error:
            raise InvalidExhibit(f"{folder}/exhibit.json: {error}") from error
        store(folder, document, files)


def _label(entry: Item | Sentence, where: str) -> dict[str, Any]:
    described: dict[str, Any] = {}
    if entry.label:
        described["label"] = _text(entry.label)
    if entry.state:
        described["state"] = entry.state
    if entry.values:
        described["values"] = {key: finite(value, f"{key!r} of {where}") for key, value in entry.values.items()}
    if entry.group:
        described["group"] = _text(entry.group)
    if entry.unit is not None:
        described["unit"] = entry.unit.describe()
    return described


def _sorted(value: Any) -> Any:
    """The same value with the keys of every mapping sorted: equal configurations give equal bytes."""
    if isinstance(value, Mapping):
        return {str(key): _sorted(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list | tuple):
        return [_sorted(entry) for entry in value]
    return value


def _csv(data: pd.DataFrame) -> bytes:
    table = data.to_csv(index=False, lineterminator="\n")
    assert isinstance(table, str)
    return in_bytes(table)
