"""Tables as people have them: cut at anything, in any encoding, with lines above the head; codes and NA are texts."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest

from cnnatomy.config.compose import compose
from cnnatomy.config.errors import ConfigurationError
from cnnatomy.data import own_texts, prepared
from cnnatomy.data.errors import DataError
from cnnatomy.data.fetching import Into

SETTINGS = {"text": "text", "label": "label", "split": None, "length": 6, "at_least": 1, "tokens": "auto"}
SETTINGS |= {"encoding": None, "validation": 0.1, "test": 0.2}
ROWS = [(f"film {i} was {'good' if i % 2 else 'bad'}", "for" if i % 2 else "against") for i in range(40)]


def table(rows=ROWS, head="text,label", cut=",", end="\n") -> str:
    return end.join([head.replace(",", cut), *(cut.join(row) for row in rows)]) + end


def made(folder, content, name="a.csv", **changes) -> prepared.Dataset:
    folder.mkdir(exist_ok=True)
    if isinstance(content, str):
        content = content.encode()
    (folder / name).write_bytes(content)
    return of_path(folder, folder / name, **changes)


def of_path(folder, path, **changes) -> prepared.Dataset:
    raw = folder / "raw.zip"
    own_texts.fetch(Into(raw, None, "d"), path=str(path), licence="unknown", citation="")
    own_texts.prepare(raw, folder / "data", digest="e", **(SETTINGS | changes))
    return prepared.load(folder / "data")


SAID = {
    "cp1252": ("Le café était très bon et l’été fut agréable", "Das Mädchen hört süße Musik"),
    "gb18030": ("今天的汤很香，我们都喜欢", "昨天的面太咸了"),
    "big5": ("今天的湯很香，我們都喜歡", "昨天的麵太鹹了"),
    "cp932": ("今日のスープはおいしいです", "このスープはまずい"),
    "euc_jp": ("今日のスープはおいしいです", "このスープはまずい"),
    "cp949": ("오늘 수프는 맛있어요", "어제 국수는 너무 짜요"),
    "cp1251": ("сегодня суп был очень вкусный", "вчера суп был плохой и холодный"),
    "koi8_r": ("сегодня суп был очень вкусный", "вчера суп был плохой и холодный"),
}


@pytest.mark.parametrize(
    "content",
    [
        table(end="\r\n"),
        table(end="\r"),
        table(cut="\t"),
        table(cut=";"),
        table(cut="|"),
        "sep=;\n" + table(cut=";"),
        '"sep=;"\r\n' + table(cut=";", end="\r\n"),
        "\ufeff" + table(),
        "All my films\n" + table(),
        "All my films;;\n;;\n" + table(cut=";"),
        table().encode("utf-16"),
        table().encode("utf-16-le"),
        table().encode("utf-16-be"),
        table().encode("utf-32"),
        table(head='"text ", label'),
        table(head="number,text,label", rows=[(str(i), *row) for i, row in enumerate(ROWS)]),
        table(rows=[(text, label, "", "") for text, label in ROWS]),
        table().replace("\n", "\n\n,\n"),
    ],
)
def test_the_same_table_however_it_is_written(tmp_path, content):
    data = made(tmp_path, content)
    assert sorted(data.table["text"]) == sorted(text for text, _ in ROWS)
    for text, label in zip(data.table["text"], data.table["label"], strict=True):
        assert ("good" in text) == (data.facts.classes[label] == "for")


@pytest.mark.parametrize("encoding", SAID)
def test_an_encoding_is_guessed_and_said(tmp_path, caplog, encoding):
    rows = [(f"{SAID[encoding][i % 2]} {i}", "no" if i % 2 else "yes") for i in range(20)]
    with caplog.at_level(logging.WARNING):
        data = made(tmp_path, table(rows).encode(encoding))
    assert sorted(data.table["text"]) == sorted(text for text, _ in rows)
    assert f"a.csv is not in UTF-8 and taken for {encoding}, in which it says “{SAID[encoding][0][:20]}" in caplog.text
    assert "set data.prepare.encoding" in caplog.text


def test_a_given_encoding_holds(tmp_path, caplog):
    rows = [(f"zupa była {'zła' if i % 2 else 'dobra'} {i}", "nie" if i % 2 else "tak") for i in range(20)]
    with caplog.at_level(logging.WARNING):
        data = made(tmp_path, table(rows).encode("cp1250"), encoding="cp1250")
    assert sorted(data.table["text"]) == sorted(text for text, _ in rows) and "taken for" not in caplog.text
    for encoding in ("utf-8", "no-such", "zlib"):
        with pytest.raises(DataError, match=f"in {encoding}, which data.prepare.encoding={encoding} says"):
            made(tmp_path, table(rows).encode("cp1250"), encoding=encoding)


def test_codes_and_words_for_nothing_are_texts(tmp_path):
    names = ["NA", "null", "None", "nan", "", "007", "7", "1e3", "1.0", "True", "-", "2024-01-02"]
    rows = [(f"{name}", "yes" if i % 2 else "no") for i, name in enumerate(names)]
    data = made(tmp_path, table([*rows, *((f"more {i}", "yes" if i % 2 else "no") for i in range(8))]))
    there = set(data.table["text"])
    assert {"NA", "null", "None", "nan", "007", "7", "1e3", "1.0", "True"} <= there
    assert all(type(text) is str for text in data.table["text"])
    assert {one.why: one.n for one in data.facts.left_out} == {"no_words": 2}, "nothing, and a dash"
    codes = made(tmp_path, table([(f"{i:03d}", "yes" if i % 2 else "no") for i in range(20)]))
    assert sorted(codes.table["text"]) == [f"{i:03d}" for i in range(20)]
    assert all(type(name) is str for name in codes.table["id"])


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["1", "1.0", "0", "0.0"], ["0", "1"]),
        (["True", "true", "False", "FALSE"], ["False", "True"]),
        ([" yes", "yes ", "no", "\u3000no\xa0"], ["no", "yes"]),
        (["2", "10", "2", "10"], ["2", "10"]),
        (["2024-01-01", "2023-12-31"] * 2, ["2023-12-31", "2024-01-01"]),
        (["NA", "null"] * 2, ["NA", "null"]),
        (["-1", "1", "-1.0", "1"], ["-1", "1"]),
    ],
)
def test_labels_mean_what_they_say(tmp_path, caplog, labels, classes):
    rows = [(f"text number {i}", labels[i % 4]) for i in range(40)]
    with caplog.at_level(logging.WARNING):
        facts = made(tmp_path, table(rows)).facts
    assert facts.classes == classes
    assert ("written in several ways are one" in caplog.text) == (len({label.strip() for label in labels}) > 2)


def test_of_labels_written_in_several_ways_only_those_are_said(tmp_path, caplog):
    rows = [(f"text number {i}", ["1", "1.0", "2", "2.5"][i % 4]) for i in range(40)]
    with caplog.at_level(logging.WARNING):
        made(tmp_path, table(rows))
    assert "are one: 1, 1.0\n" in caplog.text


def test_texts_that_lose_their_end_are_said_with_a_length_that_fits(tmp_path, caplog):
    rows = [(f"text number {i} {'and more ' * (i % 10)}", "yes" if i % 2 else "no") for i in range(40)]
    with caplog.at_level(logging.WARNING):
        made(tmp_path, table(rows), length=10)
    assert "texts longer than 10, which lose their end: 24 of 40; with data.prepare.length=20 nine of" in caplog.text
    caplog.clear()
    made(tmp_path, table(rows), length=20)
    assert "lose their end" not in caplog.text


def test_a_folder_with_a_table_for_each_split(tmp_path):
    rows = [(f"text number {i}", "yes" if i % 2 else "no") for i in range(60)]
    for split, its in (("Train", rows[:40]), ("val", rows[40:48]), ("test", rows[48:])):
        (tmp_path / "set").mkdir(exist_ok=True)
        (tmp_path / f"set/{split}.csv").write_text(table(its))
    facts = of_path(tmp_path, tmp_path / "set").facts
    assert facts.splits == {"train": 40, "validation": 8, "test": 12}
    (tmp_path / "set/test.csv").write_text("text\n" + "\n".join(text for text, _ in rows[48:]))
    with pytest.raises(DataError, match=r"test.csv has no column 'label'.*data.fetch.path: …/Train.csv"):
        of_path(tmp_path, tmp_path / "set")
    (tmp_path / "set/test.csv").unlink()
    assert set(of_path(tmp_path, tmp_path / "set").facts.splits) == {"train", "validation", "test"}
    (tmp_path / "set/reviews.csv").write_text(table(rows))
    with pytest.raises(DataError, match="holds 3 tables, Train.csv, reviews.csv, val.csv. Name the one"):
        of_path(tmp_path, tmp_path / "set")


def test_labels_that_differ_in_capitals_are_named(tmp_path, caplog):
    rows = [(f"text {i}", ["Yes", "yes", "no"][i % 3]) for i in range(60)]
    with caplog.at_level(logging.WARNING):
        assert made(tmp_path, table(rows)).facts.classes == ["Yes", "no", "yes"]
    assert "labels that differ in capitals only are classes of their own: Yes, yes" in caplog.text


def test_a_long_label_and_a_huge_text_are_kept(tmp_path):
    long = "It is warm and stays so. " * 9
    rows = [(f"item {i} {'x ' * (5_000_000 if i == 3 else 1)}", long if i % 2 else "cold") for i in range(12)]
    data = made(tmp_path, table(rows))
    assert " ".join(long.split()) in data.facts.classes
    again = prepared.load(data.folder)  # as another process does, in which csv has its own limit
    import csv

    before = csv.field_size_limit(131_072)
    try:
        assert len(again._labels) == 12 and again.table["text"].map(len).max() > 9_000_000
    finally:
        csv.field_size_limit(before)


def test_texts_under_two_labels_and_copies_of_given_tests_are_left_out(tmp_path):
    rows = [(text, label, "test" if i < 8 else "train") for i, (text, label) in enumerate(ROWS)]
    rows += [
        (rows[0][0].upper(), rows[0][1], "train"),
        ("it is both", "for", "train"),
        ("It is both", "against", "train"),
    ]
    data = made(tmp_path, table(rows, head="text,label,part"), split="part")
    left = {one.why: one.examples for one in data.facts.left_out}
    assert left == {"copy": ["line 42"], "two_classes": ["line 43", "line 44"]}
    assert data.facts.splits["test"] == 8


@pytest.mark.parametrize("ending", ["a.jsonl", "A.NDJSON"])
def test_an_object_a_line(tmp_path, ending):
    rows = [{"id": i, "text": text, "label": i % 2 == 1} for i, (text, _) in enumerate(ROWS)]
    data = made(tmp_path, "\n".join(json.dumps(row) for row in rows) + "\n\n", ending)
    assert sorted(data.table["text"]) == sorted(text for text, _ in ROWS) and data.facts.classes == ["False", "True"]
    codes = [{"text": i, "label": "yes" if i % 2 else "no"} for i in range(20)]
    assert set(made(tmp_path, "\n".join(map(json.dumps, codes)), ending).table["text"]) == set(map(str, range(20)))


def test_a_folder_of_texts(tmp_path):
    for i, (text, label) in enumerate(ROWS):
        (tmp_path / "films" / label).mkdir(parents=True, exist_ok=True)
        content = f"{text}\nand über all that".encode("cp1252" if i == 7 else "utf-8")
        (tmp_path / "films" / label / f"{i}.txt").write_bytes(content)
    (tmp_path / "films" / "for" / "notes.docx").write_bytes(b"PK")
    data = of_path(tmp_path, tmp_path / "films")
    assert sum(data.facts.splits.values()) == 40 and data.facts.classes == ["against", "for"]
    assert all(text.endswith("and über all that") for text in data.table["text"])
    assert [(one.why, one.n) for one in data.facts.left_out] == [("suffix", 1)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (table([*ROWS[:3], ('"never closed', "for"), *ROWS[4:]]), "line 5: a quotation mark opens a text that never"),
        (table(head="It was fine,for"), "If it has no line of names, write one above it: text,label."),
        ("text,label\n" + '"he said \\"well, yes\\", and so on",for\n' * 9, 'part of a text twice, ""'),
        (table([("x", "for"), ("y", ""), ("z", " ")]), "a.csv, line 3, line 4: there is nothing in the column 'label'"),
        (table(head="text,label,label", rows=[(*row, "x") for row in ROWS]), "has 2 columns 'label'"),
        (table([(f"film {i}", f"{i / 7}") for i in range(30)]), "put numbers into ranges"),
        (b"PK\x03\x04" + bytes(100), "is no text, whatever its name says. Save it as CSV in UTF-8"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Run git lfs pull in its folder"),
        (b"a\0b,c" * 99, "holds bytes of zero here and there"),
        (
            table().replace("film 3 was", "film\0 3 was"),
            "a.csv, line 5: there is a byte of zero, which no text has; 1 in all.",
        ),
        (b"\x1f\x8b\x08" + bytes(range(256)), "a.csv is packed by gzip, whatever its name says. Unpack it"),
        ("<html><table><tr><td>text</td></tr></table>", "a.csv is a web page"),
        (table([(SAID["cp1251"][i % 2], "ab"[i % 2]) for i in range(9)]).encode("cp866"), "can't be told. Name it"),
    ],
)
def test_what_will_not_do_says_where_and_what_to_do(tmp_path, content, says):
    with pytest.raises(DataError) as caught:
        made(tmp_path, content)
    assert says in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"text": "a", "label": "b"}\nno json', "a.jsonl, line 2: this is no JSON"),
        ('{"text": "a", "label": "b"}\n[1]', "a.jsonl, line 2: this is no object"),
        ('{"text": "a", "mark": "b"}', "has no column 'label': its line 1 has 'text', 'mark'"),
        ('{"text": {"en": "a"}, "label": "b"}', "a.jsonl, line 1, 'text': this wants a text or a number"),
        ('{"text": "a", "label": ["b", "c"]}', "a.jsonl, line 1, 'label': there are 2 values (b, c)"),
        ('{"text": "a", "label": []}', "'label': there is an empty list"),
        ('[{"text": "a", "label": "b"}, 3]', "a.jsonl, entry 2: this is no object"),
        ('{"text": {"0": "a"},\n "label": {"0": "b"}}', "wants one for each sample"),
        ("\n\n", "has no row"),
    ],
)
def test_lines_that_are_no_objects_are_named(tmp_path, content, says):
    with pytest.raises(DataError) as caught:
        made(tmp_path, content, "a.jsonl")
    assert says in str(caught.value)


@pytest.mark.parametrize(("name", "says"), [("a.xlsx", "read_excel"), ("a.parquet", "read_parquet")])
def test_other_tables_are_refused_with_what_to_do(tmp_path, name, says):
    with pytest.raises(DataError, match=says):
        made(tmp_path, b"x", name)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("tokens=letters", "data.prepare.tokens is 'letters'; it wants auto, words or characters"),
        ("encoding=gb2321", "data.prepare.encoding is 'gb2321'; it wants one that Python knows"),
        ("encoding=932", "data.prepare.encoding is 932"),
        ("length=0", "data.prepare.length is 0; it wants a whole number of 1 or more"),
        ("at_least=-1", "data.prepare.at_least is -1"),
    ],
)
def test_settings_that_will_not_do_are_refused_before_anything_is_fetched(given, says):
    with pytest.raises(ConfigurationError) as caught:
        compose(["data=own_texts", f"data.prepare.{given}"])
    assert says in str(caught.value)


def test_words_that_never_come_again_are_said(tmp_path, caplog):
    rows = [
        ("".join(chr(0x4E00 + (37 * i * j) % 2000) for j in range(1, 9)), "yes" if i % 2 else "no") for i in range(30)
    ]
    with caplog.at_level(logging.WARNING):
        made(tmp_path, table(rows), tokens="words")
    assert "of 20 words in the training texts 20 occur there fewer than 2 times" in caplog.text
    assert "set data.prepare.tokens=characters" in caplog.text
    caplog.clear()
    repeated = [f"{'good' if i % 2 else 'bad'} soup again and again {i % 5}" for i in range(99)]
    rows = [(text, "yes" if "good" in text else "no") for text in repeated]
    with caplog.at_level(logging.WARNING):
        made(tmp_path, table(rows))
    assert "fewer than" not in caplog.text


def test_a_chinese_set_is_of_characters(tmp_path):
    said = [f"{when}的{what}{how}" for when in ("今天", "昨天") for what in "汤面饭菜" for how in ("很香", "太咸")]
    data = made(tmp_path, table([(text, "好" if "香" in text else "坏") for text in said]))
    assert {"香", "咸", "天"} <= set(data.facts.vocabulary or ()) and data.facts.axes[0].name == "character"
    assert data.facts.tokens == "auto"
    known = np.array(data.facts.vocabulary)
    text, inputs = data.table["text"][0], data.split("train").inputs[0]
    assert "".join(known[inputs]) == text[:6]


def test_between_tabs_quotation_marks_may_be_parts_of_texts(tmp_path):
    """Two that open texts made one row of all that stood between them."""
    said = ['"Hello there', 'a "good" one', '"Bye now', 'it ended"', '"Well," she said', '"All of it"', "it's 5\" long"]
    rows = [(f"{text} {i}" if i != 5 else text, "yes" if i % 2 else "no") for i, text in enumerate(said * 3)]
    data = made(tmp_path, table(rows, cut="\t"), "a.tsv")
    wanted = {text.strip('"') if text == '"All of it"' else text for text, _ in rows}
    assert set(data.table["text"]) == wanted and sum(data.facts.splits.values()) == len(rows)


def test_between_tabs_quotation_marks_may_be_around_texts_of_several_lines(tmp_path):
    rows = [(f'"line {i}\nsaid ""yes""\tand on"', "yes" if i % 2 else "no") for i in range(20)]
    data = made(tmp_path, table(rows, cut="\t"), "a.tsv")
    assert set(data.table["text"]) == {f'line {i} said "yes" and on' for i in range(20)}


@pytest.mark.parametrize("cut", [",", ";", "|"])
def test_rows_that_stray_quotation_marks_make_one_are_refused(tmp_path, cut):
    rows = [(f"film {i}", "yes" if i % 2 else "no") for i in range(20)]
    rows[3], rows[7] = ('"Hello there', "no"), ('"Bye now', "no")
    with pytest.raises(DataError, match=r"a.csv, lines 5 to 9: a quotation mark opens a text.*write the mark twice"):
        made(tmp_path, table(rows, cut=cut))
    rows[3], rows[7] = (f'"Hello{cut}\nthere"  ', "no"), ("Bye now", "no")
    assert sum(made(tmp_path, table(rows, cut=cut)).facts.splits.values()) == 20


@pytest.mark.parametrize("around", ["{}", '{{"version": 1, "data": {}}}'], ids=["a list", "a list in an object"])
def test_a_list_of_objects_and_labels_in_lists_of_one(tmp_path, around):
    rows = [{"id": i, "text": text, "label": [label]} for i, (text, label) in enumerate(ROWS)]
    data = made(tmp_path, around.format(json.dumps(rows, indent=1)), "a.json")
    assert sorted(data.table["text"]) == sorted(text for text, _ in ROWS) and data.facts.classes == ["against", "for"]


def test_a_table_may_be_called_txt(tmp_path):
    assert len(made(tmp_path, table(cut="\t"), "a.txt").table) == len(ROWS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("it was<br /><br />good {}", "<br />"),
        ("Tom &amp; Jerry {}", "&amp;"),
        ("a < b and b > {}", ""),
        ("R&D {};", ""),
    ],
)
def test_signs_of_web_pages_in_texts_are_said(tmp_path, caplog, text, said):
    made(tmp_path, table([(text.format(f"film{i}"), "ab"[i % 2]) for i in range(40)], cut="\t"))
    assert (f"40 texts hold signs of web pages, such as {said}" in caplog.text) == bool(said)
