"""The exhibit on disk: what is written can be read, what breaks the contract is refused with a reason."""

from __future__ import annotations

import copy
import hashlib
import io
import itertools
import json
import re
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from cnnatomy import exhibit
from cnnatomy.exhibit import (
    Axis,
    Calculator,
    Code,
    DamagedExhibit,
    Exhibit,
    Figure,
    Frame,
    Grid,
    Input,
    InvalidExhibit,
    Item,
    Matrix,
    Number,
    Output,
    Prose,
    Sentence,
    Steps,
    Table,
    Texts,
    formulas,
)
from tests.gallery import tone

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9pt" height="9pt"><path d="M0 0L9 9"/></svg>'
COLOUR = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)


def one_of_each() -> Exhibit:
    return Exhibit(
        "run",
        "mnist",
        "kernels",
        0,
        {"en": "Kernels", "zh": "卷积核"},
        "A caption.",
        [
            Number("test_accuracy", np.float64(0.99), 0.98, 0.995, "fraction", np.int64(100)),
            Number("live", 3, subject="layer=conv1"),
        ],
        [
            Figure("curve", SVG, "a line", pd.DataFrame({"x": [1, 2], "y": [0.5, 0.25]})),
            Grid(
                "kernels",
                [
                    Item("conv1/0", COLOUR, "0", state="live", values={"norm": np.float32(0.5)}, group="first"),
                    Item("conv1/1", GREY, sound=tone(440)),
                ],
                columns=8,
                title="Kernels",
                caption={"en": "All of them."},
            ),
            Matrix(
                "confusion",
                ["a", "b"],
                ["a", "b"],
                np.array([[1, 2], [3, 4]]),
                {(0, 1): ["conv1/1", "s/1"]},
                "true",
                "read",
            ),
            Texts("words", [Sentence("s/1", [("good", 0.5), ("film", -0.25)], "for", "right", {"confidence": 0.9})]),
            Steps(
                "walk", [Frame("one", "first", [Prose("p"), Table("inner", pd.DataFrame({"z": [1]}))]), Frame("two")]
            ),
            Table("table", pd.DataFrame({"name": ["a", "b, c"], "n": [1, 2]})),
            Calculator(
                "sum",
                [Input("a", {"en": "a", "zh": "甲"}, 2, 0, 9)],
                [Output("b", "b", [("+", "a", 1), "a"], "nothing")],
            ),
            Code("code", "print(1 < 2)\n"),
            Prose("text", title="Title"),
        ],
        ["Someone (2012)."],
    )


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    one_of_each().write(tmp_path / "kernels", {"b": 1, "a": {"d": 2, "c": 3}}, {"train": "ab" * 32})
    return tmp_path / "kernels"


def test_what_is_written_is_read(folder):
    document = exhibit.read(folder)
    assert [block["type"] for block in document["blocks"]] == [
        "figure",
        "grid",
        "matrix",
        "text",
        "steps",
        "table",
        "calculator",
        "code",
        "prose",
    ]
    assert document["blocks"][7]["code"] == "print(1 < 2)\n"
    assert document["blocks"][6]["inputs"] == [
        {"name": "a", "label": {"en": "a", "zh": "甲"}, "value": 2, "least": 0, "most": 9}
    ]
    assert document["blocks"][6]["outputs"] == [
        {"name": "b", "label": "b", "formulas": [["+", "a", 1], "a"], "zero": "nothing"}
    ]
    assert document["numbers"][0] == {
        "metric": "test_accuracy",
        "value": 0.99,
        "ci_low": 0.98,
        "ci_high": 0.995,
        "unit": "fraction",
        "n": 100,
    }
    assert document["blocks"][2]["cells"] == [{"row": 0, "column": 1, "items": ["conv1/1", "s/1"]}]
    assert document["blocks"][3]["sentences"][0]["tokens"] == [["good", 0.5], ["film", -0.25]]
    assert document["title"] == {"en": "Kernels", "zh": "卷积核"}


@pytest.mark.parametrize("colours", [1, 200, 256, 257])
def test_pictures_of_few_colours_are_smaller_and_the_same(tmp_path, colours):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (colours, 3), dtype=np.uint8)[random.integers(0, colours, (90, 120))]
    grid = Grid("grid", [Item("a", pixels)])
    Exhibit("run", "mnist", "kernels", 0, "Title", "Caption", blocks=[grid]).write(tmp_path / "e", {}, {})
    file = tmp_path / "e/grid-0000.png"
    assert np.array_equal(np.asarray(Image.open(file).convert("RGB")), pixels)
    assert file.stat().st_size < 13_000 or colours > 256


def test_pictures_are_stored_pixel_by_pixel(folder):
    assert np.array_equal(np.asarray(Image.open(folder / "kernels-0000.png").convert("RGB")), COLOUR)
    grey = Image.open(folder / "kernels-0001.png")
    assert grey.mode == "L" and not grey.info
    assert np.array_equal(np.asarray(grey), GREY)
    assert (folder / "kernels-0001.wav").read_bytes() == tone(440)


def test_names_longer_than_an_id_are_shortened_told_apart_and_still_found(tmp_path):
    names = ["oak/" + "seen on a walk " * 20 + end for end in ("1.png", "2.png")] + ["x" * 200]
    grid = Grid("g", [Item(name, GREY) for name in names])
    texts = Texts("t", [Sentence("t" + name, [("word", 0.0)]) for name in names[:2]])
    matrix = Matrix("m", ["a"], ["b"], np.ones((1, 1)), {(0, 0): names})
    Exhibit("run", "mnist", "samples", 0, "t", "c", blocks=[grid, texts, matrix]).write(tmp_path / "e", {}, {})
    blocks = exhibit.read(tmp_path / "e")["blocks"]
    ids = [item["id"] for item in blocks[0]["items"]]
    assert ids[2] == names[2] and len({*ids, *(one["id"] for one in blocks[1]["sentences"])}) == 5
    for name, short in zip(names[:2], ids, strict=False):
        assert len(short) <= 200 and short.startswith(name[:100]) and short.endswith(name[-60:])
    assert blocks[2]["cells"][0]["items"] == ids


def test_tables_are_stored_as_csv(folder):
    assert pd.read_csv(folder / "table.csv").to_dict("list") == {"name": ["a", "b, c"], "n": [1, 2]}
    assert pd.read_csv(folder / "confusion.csv", index_col=0).to_numpy().tolist() == [[1, 2], [3, 4]]
    assert pd.read_csv(folder / "curve.csv")["y"].tolist() == [0.5, 0.25]


def test_every_sibling_is_listed_with_its_hash(folder):
    listed = exhibit.read(folder)["files"]
    assert listed == {
        name: hashlib.sha256(content).hexdigest()
        for name, content in bytes_of(folder).items()
        if name != "exhibit.json"
    }


def test_the_same_exhibit_gives_the_same_bytes(folder, tmp_path):
    one_of_each().write(tmp_path / "again", {"a": {"c": 3, "d": 2}, "b": 1}, {"train": "ab" * 32})
    assert bytes_of(tmp_path / "again") == bytes_of(folder)


def test_stale_siblings_go_and_nothing_is_left_beside(folder):
    smaller = one_of_each()
    smaller.blocks = smaller.blocks[-1:]
    smaller.write(folder, {}, {})
    assert set(bytes_of(folder)) == {"exhibit.json"}
    assert [path.name for path in folder.parent.iterdir()] == ["kernels"]


def test_stale_siblings_go_when_snakemake_has_removed_the_old_exhibit(folder):
    (folder / "exhibit.json").unlink()
    smaller = one_of_each()
    smaller.blocks = []
    smaller.write(folder, {}, {})
    assert set(bytes_of(folder)) == {"exhibit.json"}


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    (tmp_path / "photo.png").write_text("a photo")
    with pytest.raises(InvalidExhibit, match="thesis.tex"):
        one_of_each().write(tmp_path, {}, {})
    assert set(bytes_of(tmp_path)) == {"thesis.tex", "photo.png"}


def test_a_write_that_fails_leaves_the_old_exhibit_whole(folder, monkeypatch):
    before = bytes_of(folder)
    written = []

    def full(path: Path, content: bytes) -> int:
        written.append(path)
        if len(written) > 3:
            raise OSError(28, "No space left on device", str(path))
        return len(content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        one_of_each().write(folder, {}, {})
    assert bytes_of(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == ["kernels"]


def test_a_reader_sees_the_old_or_the_new_exhibit(tmp_path):
    folder, done = tmp_path / "one", threading.Event()

    def version(number: int) -> Exhibit:
        grid = Grid("grid", [Item(str(i), np.full((2, 2), number * 9 + i, np.uint8)) for i in range(number + 3)])
        return Exhibit("run", "r", "m", number, str(number), "", [], [grid])

    def write() -> None:
        for number in range(40):
            version(number % 4).write(folder, {}, {})
        done.set()

    version(0).write(folder, {}, {})
    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    while not done.is_set():
        document, files = exhibit.load(folder)
        first = np.asarray(Image.open(io.BytesIO(files["grid-0000.png"])))
        assert first[0, 0] == document["seed"] * 9
        seen.append(document["seed"])
    writer.join()
    assert seen


def test_a_formula_gives_what_python_gives():
    numbers = range(-7, 8)
    for x, y in itertools.product(numbers, numbers):
        formula = ["max", -3, ["+", ["//", ["-", ["*", 2, "x"], "y", 1], 3], 1], ["//", "x", 2, 2]]
        known = {"x": x, "y": y}
        assert formulas.evaluate(formula, known) == max(-3, (2 * x - y - 1) // 3 + 1, x // 2 // 2)


# What must not be written.


def calculator(formula: formulas.Formula, *more: Output) -> Calculator:
    inputs = [Input("x", "x", 1, 1, 9), Input("y", "y", 0, 0, 9)]
    return Calculator("c", inputs, [Output("out", "out", [formula]), *more])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), None, "0.9", True])
def test_a_number_must_be_one(tmp_path, value):
    bad = Exhibit("run", "mnist", "evaluation", 0, "t", "c", [Number("test_accuracy", value)])
    with pytest.raises(InvalidExhibit, match=r"exhibit\.json: the number 'test_accuracy'"):
        bad.write(tmp_path / "bad", {}, {})
    assert not (tmp_path / "bad").exists()


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (Grid("g", [Item("a", np.zeros((2, 2)))]), "item 'a' of grid 'g' are float64"),
        (Grid("g", [Item("a", np.zeros((2, 2, 4), np.uint8))]), r"shape \(2, 2, 4\)"),
        (Grid("g", [Item("a", np.zeros((0, 2), np.uint8))]), r"shape \(0, 2\)"),
        (Grid("g", [Item("a", GREY, sound=b"mp3")]), "no wav file"),
        (Grid("g", [Item("a", GREY, values={"norm": float("nan")})]), "'norm' of item 'a' of grid 'g' is nan"),
        (Grid("g", [Item("a", GREY), Item("a", GREY)]), r"items\[1\].id: 'a' is taken by \$.blocks\[0\].items\[0\].id"),
        (Grid("g", [Item("a", GREY, more=[GREY])]), "it has 2 pictures and the grid names 1"),
        (Grid("g", [Item("a", GREY)], variants=("x", "y")), "it has 1 pictures and the grid names 2"),
        (Grid("g", [Item("a", GREY)], switch=True), r"blocks\[0\].switch: it needs groups"),
        (Grid("g", [Item("a", GREY, ends=(1.0, 0.0))]), r"items\[0\]: the scale ends below its start"),
        (Grid("g", [Item("a", GREY, ends=(0.0, float("nan")))]), "an end of the colours of item 'a'"),
        (Grid("g", [Item("a", GREY)], axes=(Axis("x", [(2, "2")]), Axis("y"))), "greater than the maximum of 1"),
        (Grid("g", [Item("a", GREY, state="asleep")]), "'asleep' is not one of"),  # type: ignore[arg-type]
        (Matrix("m", ["a"], ["b"], np.ones((2, 2))), r"values of shape \(2, 2\), but 1 rows and 1 columns"),
        (Matrix("m", ["a"], ["b"], np.full((1, 1), np.nan)), "not finite at row 'a', column 'b'"),
        (Matrix("m", ["a"], ["b"], np.ones((1, 1)), {(0, 0): ["x"]}), r"cells\[0\]: 'x' is no item of this exhibit"),
        (Matrix("m", ["a"], ["b"], np.ones((1, 1)), {(0, 3): ["x"]}), "points outside of the 1 by 1 matrix"),
        (Texts("t", [Sentence("s", [("w", float("inf"))])]), "the weight of 'w' in sentence 's'"),
        (Steps("s", [Frame("f", "", [Steps("inner", [Frame("f")])])]), "'steps' is not one of"),  # type: ignore[list-item]
        (Steps("s", []), "non-empty"),
        (Figure("f", "not svg", "alt"), "f.svg is no XML"),
        (calculator(["+", "x", "z"]), r"outputs\[0\]\.formulas: 'z' is no input.*there are x, y"),
        (calculator(["+", "x", "out"]), "'out' is no input"),
        (calculator(["^", "x", "y"]), r"'\^' is not one of"),
        (calculator(["-", "x"]), r"\['-', 'x'\] is too short"),
        (calculator(0.5), "0.5 is not of type 'integer', 'string'"),
        (calculator(["//", "x", "y"]), "'y' may be 0"),
        (calculator(["max", 1, ["//", "x", 2, ["-", "x", "y"]]]), r"\['-', 'x', 'y'\] may be 0"),
        (calculator("x", Output("x", "x", [1])), r"outputs\[1\]\.name: 'x' stands above"),
        (calculator("x", Output("two", "", ["x", "y"]), Output("last", "", ["two"])), "nor an output of one number"),
        (Calculator("c", [Input("x", "", 4, 1, 3)], [Output("y", "", ["x"])]), r"inputs\[0\]: 4 is not from 1 to 3"),
    ],
)
def test_a_block_that_breaks_the_contract_is_refused(tmp_path, block, words):
    with pytest.raises(InvalidExhibit, match=words) as caught:
        Exhibit("run", "mnist", "m", 0, "t", "c", [], [block]).write(tmp_path / "bad", {}, {})
    assert "exhibit.json" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


NAMES = ["../g", "3 x 3", "block#2", "卷积$层", "x" * 200, "x" * 201, "a.b", "CON", "", "-", "a b", "a-b", "<b>&'\""]


def test_any_name_becomes_one_of_a_file_and_different_names_stay_different(tmp_path):
    blocks = [Grid(name, [Item(f"{name}/{'y' * 250}", GREY), Item(f"{name}/{'y' * 251}", GREY)]) for name in NAMES]
    tables = [Table(f"table-{name}", pd.DataFrame({"a": [1]})) for name in NAMES]
    cells = {(0, 0): [f"3 x 3/{'y' * 250}"]}
    matrix = Matrix("of 3 x 3", ["a"], ["b"], np.ones((1, 1)), cells)
    Exhibit("run", "mnist", "m", 0, "t", "c", [], [*blocks, *tables, matrix]).write(tmp_path / "named", {}, {})
    written = exhibit.read(tmp_path / "named")
    names = [block["name"] for block in written["blocks"]]
    assert len({name.casefold() for name in names}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name) for name in names)
    assert "a.b" in names and "CON" in names, "what can be a name stays as it is"
    assert written["blocks"][-1]["cells"][0]["items"] == [written["blocks"][1]["items"][0]["id"]]


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([Number("a", 1), Number("a", 2)], "tell them apart by subject"),
        ([Number("a", 1, ci_low=0)], "half an interval"),
        ([Number("a", 1, 2, 0)], "swap"),
        ([Number("Test accuracy", 1)], "does not match"),
    ],
)
def test_numbers_that_break_the_contract_are_refused(tmp_path, numbers, words):
    with pytest.raises(InvalidExhibit, match=words):
        Exhibit("run", "mnist", "m", 0, "t", "c", numbers).write(tmp_path / "bad", {}, {})


def test_blocks_that_would_write_the_same_file_are_refused(tmp_path):
    twice = [Table("t", pd.DataFrame({"a": [1]})), Table("t", pd.DataFrame({"a": [2]}))]
    with pytest.raises(InvalidExhibit, match="own name"):
        Exhibit("run", "mnist", "m", 0, "t", "c", [], twice).write(tmp_path / "bad", {}, {})


@pytest.mark.parametrize("path", ["/home/me/data", "~/data", "C:\\data", "file:///data"])
def test_a_path_of_this_machine_is_refused(tmp_path, path):
    with pytest.raises(InvalidExhibit, match=r"at \$\.config\.data\.mirror: .* path of this machine"):
        one_of_each().write(tmp_path / "bad", {"data": {"mirror": path}}, {})


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        ("<script>alert(1)</script>", "has a <script>"),
        ('<rect onclick="alert(1)"/>', "event handler 'onclick'"),
        ('<image href="https://example.org/x.png"/>', "refers to 'https://example.org/x.png'"),
        ('<image xmlns:x="http://www.w3.org/1999/xlink" x:href="data:text/html,x"/>', "refers to 'data:text/html,x'"),
        ('<use href="other.svg#a"/>', "refers to 'other.svg#a'"),
        ('<a href="#x"><path d=""/></a>', "has a <a>"),
        ("<foreignObject/>", "has a <foreignObject>"),
        ('<set attributeName="href"/>', "has a <set>"),
        ('<rect style="fill: url(https://example.org/x)"/>', "refers outside"),
        ("<rect fill=\"url( '//example.org/x')\"/>", "refers outside"),
        ('<rect style="position: fixed"/>', "sets the style 'position'"),
        ('<rect style="fill: red} body {color: red"/>', "no setting of a drawing"),
        ("<style>path { fill: url(https://example.org) }</style>", "<style> sheet"),
        ('<script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script>', "has a <script>"),
    ],
)
def test_a_drawing_may_only_draw(tmp_path, inside, words):
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{inside}</svg>'
    with pytest.raises(InvalidExhibit, match=words):
        Exhibit("run", "mnist", "m", 0, "t", "c", [], [Figure("f", svg, "alt")]).write(tmp_path / "bad", {}, {})


def test_a_drawing_that_expands_without_end_is_refused(tmp_path):
    bomb = '<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + SVG
    with pytest.raises(InvalidExhibit, match="declares entities"):
        Exhibit("run", "mnist", "m", 0, "t", "c", [], [Figure("f", bomb, "alt")]).write(tmp_path / "bad", {}, {})


# What must not be read.


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "curve.csv").write_text("x,y\n1,9\n"), "curve.csv was changed"),
        (lambda folder: (folder / "kernels-0000.png").unlink(), "kernels-0000.png is missing"),
        (lambda folder: (folder / "exhibit.json").write_text('{"format": 1'), "is no JSON"),
        (lambda folder: (folder / "exhibit.json").write_text("[]"), "not of type 'object'"),
        (lambda folder: (folder / "exhibit.json").unlink(), "is missing"),
    ],
)
def test_a_damaged_exhibit_is_refused(folder, damage, words):
    damage(folder)
    with pytest.raises(DamagedExhibit, match=words) as caught:
        exhibit.read(folder)
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(format=3), r"at \$\.format: 3 is not one of"),
        (lambda d: d.update(titel="x"), "'titel' was unexpected.*mend its spelling"),
        (lambda d: d.pop("caption"), "'caption' is a required property; add it"),
        (lambda d: d["blocks"][1].update(colums=3), r"at \$\.blocks\[1\]: .*'colums' was unexpected"),
        (lambda d: d["blocks"][4]["frames"][0].pop("title"), r"at \$\.blocks\[4\]\.frames\[0\]: 'title'"),
        (lambda d: d["blocks"][0].update(type="film"), r"at \$\.blocks\[0\]\.type: 'film'"),
        (lambda d: d["blocks"][0].update(file="../../etc/passwd.svg"), "does not match"),
        (lambda d: d["files"].pop("table.csv"), r"at \$\.blocks\[5\]\.data: table.csv has no hash"),
        (lambda d: d["files"].update({"other.csv": "0" * 64}), "no block names it"),
        (lambda d: d["numbers"][0].update(value=float("nan")), r"at \$\.numbers\[0\]\.value: nan is no finite number"),
    ],
)
def test_a_document_that_breaks_the_contract_is_told_where(folder, change, words):
    document = copy.deepcopy(exhibit.read(folder))
    change(document)
    with pytest.raises(InvalidExhibit, match=words):
        exhibit.validate(document)


def test_the_schema_is_one():
    schema = json.loads((Path(exhibit.__file__).parents[1] / "exhibit.schema.json").read_text())
    Draft202012Validator.check_schema(schema)


def test_the_examples_of_the_documentation_are_valid(folder):
    """Every JSON example of docs/exhibit.md is a block, a number or a whole exhibit that keeps the contract."""
    text = (Path(__file__).parents[2] / "docs" / "exhibit.md").read_text()
    examples = [json.loads(part.split("```")[0]) for part in text.split("```json\n")[1:]]
    blocks = [example for example in examples if "type" in example]
    assert {block["type"] for block in blocks} == {
        "figure",
        "grid",
        "matrix",
        "text",
        "steps",
        "table",
        "calculator",
        "code",
        "prose",
        "convolver",
        "descent",
        "filtering",
        "live",
    }
    document = exhibit.read(folder) | {"blocks": blocks, "numbers": [e for e in examples if "metric" in e], "files": {}}
    for name in _files(blocks):
        document["files"][name] = "0" * 64
    exhibit.validate(document)


def _files(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {
            entry
            for key, entry in value.items()
            if key in ("file", "data", "sound", "weights", "inputs", "changes") and isinstance(entry, str)
        }
        return own.union(value.get("more", ()), *map(_files, value.values()))
    return set().union(*map(_files, value)) if isinstance(value, list) else set()


LONG = "a name as long as they come " * 9


def test_what_a_user_called_things_is_shortened_and_written_and_never_refused(tmp_path):
    ids = [LONG, f"{LONG}2", "", "old\udce9", "\ud800", "叶" * 300]
    cells = {(0, column): [one] for column, one in enumerate(ids)}
    blocks = [
        Grid("../features.0 卷积", [Item(one, GREY, label=one, group=one) for one in ids]),
        Grid("../features.0_卷积", [Item("a", GREY)]),
        Grid("_hidden" * 40, [Item("b", GREY)]),
        Texts("t", [Sentence(f"s{LONG}", [("old\udce9", 1.0)])]),
        Matrix("m", ["\udce9"], ids, np.ones((1, len(ids))), cells),
        Table("table", pd.DataFrame({"class": ["\udce9"]})),
    ]
    made = Exhibit("run", "树叶-2", "kernels", 0, "t", "c", [Number("x", 1, subject="class=\udce9")], blocks)
    made.write(tmp_path / "e", {}, {})
    document = exhibit.read(tmp_path / "e")
    shown = [item["id"] for item in document["blocks"][0]["items"]]
    assert len(set(shown)) == len(ids) and max(map(len, shown)) <= 200
    assert [cell["items"] for cell in document["blocks"][4]["cells"]] == [[one] for one in shown]
    assert all((tmp_path / "e" / name).is_file() for name in document["files"])
    assert max(len(name) for name in document["files"]) < 200
    assert not list(tmp_path.parent.glob("features*"))
