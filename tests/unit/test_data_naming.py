"""Classes that stand in the names of files, or in a table beside them; and what is asked where nobody says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnnatomy.config.slices import slice_of
from cnnatomy.data import archive, naming, own, own_signals, own_sounds, prepared
from cnnatomy.data.errors import DataError
from cnnatomy.data.fetching import Into
from tests.unit.test_data_own import leaves, made, png, put, wav

KINDS = (".png", ".jpg", ".wav")


def pets(n: int = 10, folder: str = "") -> dict[str, bytes]:
    """The leaves, all in one folder: ash.0.png, oak.3.png."""
    return {f"{folder}{name.replace('/', '.')}": content for name, content in leaves(n).items()}


def labels_of(path: Path, labels: object, splits: object = None) -> dict[str, tuple[str, str]]:
    """What becomes of each file: its split and its class."""
    files = own.packed(str(path), KINDS, splits, labels)
    return {part["folder"]: (part["split"], part["label"]) for part in files.layout}


@pytest.mark.parametrize(
    ("pattern", "name", "label"),
    [
        ("{class}.*", "cat.1.jpg", "cat"),
        ("{class}_*", "cat_001.wav", "cat"),
        ("{class}_*", "0_jackson_3.wav", "0"),
        ("*_{class}_*", "0_jackson_3.wav", "jackson"),
        ("{class}_*", "american_bulldog_12.jpg", "american"),
        ("{class}_{number}.*", "american_bulldog_12.jpg", "american_bulldog"),
        ("{class}{number}.*", "Pflaume007.png", "Pflaume"),
        ("{class} ({number}).*", "cat (12).JPG", "cat"),
        ("*-*-*-{class}.wav", "1-100032-A-36.WAV", "36"),
        ("?????{class}?.wav", "03a01Fa.wav", "F"),
        ("{class}[1]+.png", "oak[1]+.png", "oak"),
        ("{class}-é.png", "oak-e\u0301.png", "oak"),
        ("{class}_{number}.*", "oak_x.png", None),
        ("{class}.wav", "oak.png", None),
    ],
)
def test_a_pattern_says_which_part_of_a_name_is_the_class(pattern, name, label):
    found = naming.by_names([f"some/folder/{name}"], pattern)
    assert found == ({} if label is None else {f"some/folder/{name}": label})


@pytest.mark.parametrize("kind", ["own_images", "own_sounds", "own_signals", "own_texts"])
def test_flat_files_of_each_kind_get_their_class_from_their_names(tmp_path, kind):
    contents = {
        "own_images": lambda c, i: png(100 * c + i),
        "own_sounds": lambda c, i: wav(400 + 300 * c + i, format="FLAC" if i % 2 else "WAV"),
        "own_signals": lambda c, i: "x,y\n" + "".join(f"{c + t},{i}\n" for t in range(9)),
        "own_texts": lambda c, i: f"{'good' if c else 'bad'} number{i}",
    }[kind]
    suffix = {"own_images": "png", "own_sounds": "flac", "own_signals": "csv", "own_texts": "txt"}[kind]
    place = put(tmp_path / "flat", {f"{n}_{i}.{suffix}": contents(c, i) for c, n in enumerate("ab") for i in range(10)})
    if kind == "own_signals":
        own_signals.fetch(
            Into(tmp_path / "raw.zip", None, "d"), path=str(place), licence="", citation="", labels="{class}_*"
        )
        with archive.Raw(tmp_path / "raw.zip") as raw:
            found = {file.name: file.label for file in own.filed(raw)}
    else:
        table = made(kind, place, tmp_path, fetch={"labels": "{class}_*"}).table
        classes = prepared.load(tmp_path / "data").facts.classes
        found = {name: classes[label] for name, label in zip(table["id"], table["label"], strict=True)}
    assert len(found) == 20 and all(Path(name).name[0] == label for name, label in found.items() if kind != "own_texts")
    assert sorted(found.values()) == ["a"] * 10 + ["b"] * 10


def test_folders_of_splits_hold_where_names_say_the_class(tmp_path, caplog):
    files = pets(10, "train/") | {f"test/{n}": png(200 + i) for i, n in enumerate(("ash.99.png", "oak.99.png"))}
    data = made("own_images", put(tmp_path / "leaves", files), tmp_path, fetch={"labels": "{class}.*"}, validation=0)
    assert data.facts.splits == {"train": 20, "test": 2} and data.facts.classes == ["ash", "oak"]
    more = put(tmp_path / "leaves", {"test1/1.png": png(1), "view.png": png(2)})
    with pytest.raises(DataError, match="test, test1 all mean test"):
        labels_of(more, "{class}.*")
    assert len(labels_of(more, "{class}.*", {"train": "train"})) == 20
    assert set(labels_of(more, "{class}.{number}.*", False).values()) == {("", "ash"), ("", "oak")}
    files = own.packed(
        str(put(tmp_path / "flat", pets(10, "train/") | {"test1/1-2.png": b"x"})), KINDS, None, "{class}.{number}.*"
    )
    with pytest.raises(DataError) as caught:
        labels_of(tmp_path / "flat", "{class}.*")
    assert "no class 1-2, which other folders have" in str(caught.value)
    assert "data.fetch.splits: {train: train}" in str(caught.value)
    assert "data.fetch.labels: '{class}.{number}.*' gives 2 classes (ash 10, oak 10)" in str(caught.value)
    assert {one.why: one.n for one in files.left_out} == {"unfitting": 1}
    assert "left out files whose name does not fit data.fetch.labels: 1 (test1/1-2.png)" in caplog.text


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ("{klass}.*", "data.fetch.labels is '{klass}.*': "),
        ("{class}.{class}", "is '{class}.{class}'"),
        ("{class}{number", "is '{class}{number'"),
        ({"class": None}, "Put quotes around it"),
        (3, "data.fetch.labels is 3"),
        ("{class}/*", "holds a /"),
        ("{class}_*", "'{class}_*', fits none of 20 files, such as ash.0.png"),
        ("{class}.1.*", "fits 2 of the 20 files and not 18, such as ash.0.png"),
        ("{class}_*", "data.fetch.labels: '{class}.*' gives 2 classes (ash 10, oak 10)"),
        ("*.*.{class}", "There is one class only (png)"),
        ("labels.csv", "names the table"),
    ],
)
def test_labels_that_will_not_do(tmp_path, labels, says):
    with pytest.raises(DataError) as caught:
        labels_of(put(tmp_path / "leaves", pets()), labels)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_classes_by_name_that_look_alike_are_refused(tmp_path):
    with pytest.raises(DataError, match="'Oak' and 'oak' differ in capitals"):
        labels_of(put(tmp_path / "leaves", pets() | {"Oak.99.png": b"x"}), "{class}.*")


@pytest.mark.parametrize(
    ("files", "offers"),
    [
        ([f"{n}.{i}.png" for n in ("cat", "dog") for i in range(12)], "'{class}.*' gives 2 classes (cat 12, dog 12)"),
        (
            [f"train/{n}.{i}.png" for n in ("cat", "dog") for i in range(6)] + ["test/1.png", "test/2.png"],
            "'{class}.{number}.*' gives 2 classes (cat 6, dog 6)",
        ),
        ([f"x/{n}_{i:03}.wav" for n in ("cat", "dog") for i in range(6)], "'{class}_*' gives 2 classes (cat 6, dog 6)"),
        (
            [f"{d}_{who}_{i}.wav" for d in range(10) for who in ("jackson", "theo") for i in range(9)],
            "'*_{class}_*' gives 2 classes (jackson 90, theo 90); '{class}_*' gives 10 (0 18, 1 18, 2 18",
        ),
        (
            [f"{n}{i}.png" for n in ("oak", "ash") for i in range(5)],
            "'{class}{number}.*' gives 2 classes (ash 5, oak 5)",
        ),
        ([f"{n} ({i}).png" for n in ("oak", "ash") for i in range(5)], "'{class} *' gives 2 classes (ash 5, oak 5)"),
        (
            [f"{n}_{i}.jpg" for n in ("american_bulldog", "american_pit", "Bengal") for i in range(5)],
            "'{class}_{number}.*' gives 3 classes (american_bulldog 5, american_pit 5, Bengal 5)",
        ),
        ([f"IMG_{i:04}.png" for i in range(40)], None),
        ([f"{i}.png" for i in range(40)], None),
    ],
)
def test_what_names_would_settle_it_is_offered_and_does(tmp_path, files, offers):
    place = put(tmp_path / "leaves", dict.fromkeys(files, b"x"))
    with pytest.raises(DataError) as caught:
        own.packed(str(place), KINDS)
    said = str(caught.value)
    if offers is None:
        assert "{class}" not in said
        return
    assert f"data.fetch.labels: {offers}" in said and "\n" not in said
    pattern = said.split("data.fetch.labels: '")[1].split("'")[0]
    n = int(said.split("gives ")[1].split()[0])
    assert len({label for _, label in labels_of(place, pattern).values()}) == n


TABLE = "id,breed\n" + "".join(f"{n}{i},{n}\n" for n in ("ash", "oak") for i in range(10))


def coded(n: int = 10, folder: str = "") -> dict[str, bytes]:
    return {f"{folder}{name.replace('/', '')}": content for name, content in leaves(n).items()}


@pytest.mark.parametrize("folder", ["", "images/"])
@pytest.mark.parametrize(
    "table",
    [
        TABLE,
        TABLE.replace("id,breed\n", "id;breed\n").replace(",", ";"),
        TABLE.replace(",ash", ".png,ash").replace(",oak", ".png,oak"),
        "breed\tid\n" + "".join(f"{n}\t{n}{i}.png\n" for n in ("ash", "oak") for i in range(10)),
        "\ufeffid,breed\r\n"
        + "".join(f'"leaves\\FOLDER{n}{i}.png", {n} \r\n' for n in ("ash", "oak") for i in range(10)),
    ],
)
def test_a_table_of_labels_says_the_classes(tmp_path, table, folder):
    table = table.replace("FOLDER", folder.replace("/", "\\"))
    place = put(tmp_path / "leaves", coded(folder=folder) | {"labels.csv": table})
    data = made("own_images", place, tmp_path, fetch={"labels": "labels.csv"})
    assert data.facts.classes == ["ash", "oak"] and len(data.table) == 20 and not data.facts.left_out
    assert all(data.facts.classes[its.label] in its.id for its in data.table.itertuples())


def test_a_table_without_a_line_of_names_loses_no_file(tmp_path):
    place = put(tmp_path / "leaves", coded() | {"labels.csv": TABLE.partition("\n")[2]})
    assert len(labels_of(place, "labels.csv")) == 20
    assert labels_of(place, {"table": "labels.csv", "label": "column 2"}) == labels_of(place, "labels.csv")


def test_a_table_with_a_column_of_ones_for_each_class_is_understood(tmp_path, caplog):
    rows = "".join(f"{n}{i}.png,{int(n == 'ash')}.0,{int(n == 'oak')}.0\n" for n in ("ash", "oak") for i in range(10))
    place = put(tmp_path / "leaves", coded() | {"labels.csv": f"image,Ash tree,Oak\n{rows}"})
    found = labels_of(place, "labels.csv")
    assert {name[:3]: label for name, (_, label) in found.items()} == {"ash": "Ash tree", "oak": "Oak"}
    assert "columns Ash tree, Oak that says 1" in caplog.text
    both = put(tmp_path / "both", coded() | {"labels.csv": f"image,Ash tree,Oak\n{rows.replace('0.0,1.0', '1.0,1.0')}"})
    with pytest.raises(DataError, match="Say which one is the class"):
        labels_of(both, "labels.csv")


def test_a_table_of_more_columns_wants_the_one_of_the_class(tmp_path):
    wide = TABLE.replace("\n", ",left\n").replace("breed,left", "breed,side")
    place = put(tmp_path / "leaves", coded() | {"labels.csv": wide})
    with pytest.raises(DataError) as caught:
        labels_of(place, "labels.csv")
    assert "breed (2 different values)" in str(caught.value)
    assert "data.fetch.labels: {table: labels.csv, label: breed}" in str(caught.value)
    found = labels_of(place, {"table": "labels.csv", "label": "breed"})
    assert set(found.values()) == {("", "ash"), ("", "oak")}
    assert labels_of(place, {"table": "labels.csv", "file": "id", "label": "breed"}) == found


def test_files_and_rows_without_the_other_are_left_out_and_counted(tmp_path):
    place = put(tmp_path / "leaves", coded() | {"x.png": b"x", "labels.csv": TABLE + "gone,oak\ngone2,oak\nash0,ash\n"})
    files = own.packed(str(place), KINDS, None, "labels.csv")
    assert {one.why: one.n for one in files.left_out} == {"unlabelled": 1, "not_there": 2} and len(files) == 20


def test_a_table_of_signals_is_not_taken_for_a_recording(tmp_path):
    place = put(tmp_path / "moves", {f"m{i}.csv": "x\n1\n2\n3\n" for i in range(4)})
    put(place, {"labels.csv": "file,move\nm0,up\nm1,up\nm2,down\nm3,down\n"})
    raw = tmp_path / "raw.zip"
    own_signals.fetch(Into(raw, None, "d"), path=str(place), licence="", citation="", labels="labels.csv")
    with archive.Raw(raw) as source:
        assert {file.name: file.label for file in own.filed(source)} == dict(
            zip((f"m{i}.csv" for i in range(4)), ("up", "up", "down", "down"), strict=True)
        )


def test_sounds_that_become_wav_files_keep_their_labels(tmp_path):
    place = put(tmp_path / "birds", {f"{i}.flac": wav(400 + 9 * i, format="FLAC") for i in range(6)})
    put(place, {"labels.csv": "file,bird\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(6))})
    raw = tmp_path / "raw.zip"
    own_sounds.fetch(Into(raw, None, "d"), path=str(place), licence="", citation="", labels="labels.csv")
    with archive.Raw(raw) as source:
        assert {file.name: file.label for file in own.filed(source)} == {f"{i}.flac.wav": "ab"[i % 2] for i in range(6)}


@pytest.mark.parametrize(
    ("table", "labels", "says"),
    [
        ("id,breed\nash0,\n", "labels.csv", "labels.csv, line 2: there is no label"),
        (TABLE + "ash0,oak\n", "labels.csv", "labels.csv, line 22: ash0.png is 'oak', and 'ash' above"),
        ("id,breed\nno,a\n", "labels.csv", "none of its columns names the files"),
        ("id\nash0\n", "labels.csv", "none of its columns is left for the class"),
        ("", "labels.csv", "labels.csv is empty"),
        (TABLE, {"table": "labels.csv", "label": "kind"}, "labels.csv has no column 'kind'"),
        (TABLE, {"table": "labels.csv", "labels": "breed"}, "data.fetch.labels has a key 'labels'"),
        (TABLE, {"label": "breed"}, "data.fetch.labels names no table"),
        (TABLE + "".join(f"x{i},ash\n" for i in range(30)), "labels.csv", "30 of the 50 rows name a file that is not"),
        ("\n".join(TABLE.split("\n")[:6]), "labels.csv", "'labels.csv', fits 5 of the 20 files and not 15"),
        ("id,breed,again\nash0,ash,ash1\n", "labels.csv", "the columns 'id', 'again' name files"),
    ],
)
def test_tables_of_labels_that_will_not_do(tmp_path, table, labels, says):
    place = put(tmp_path / "leaves", coded() | {"labels.csv": table})
    with pytest.raises(DataError) as caught:
        labels_of(place, labels)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_a_name_that_two_files_have_is_refused_until_the_row_says_its_folder(tmp_path):
    place = put(tmp_path / "leaves", coded(folder="a/") | {"b/ash0.png": b"x", "labels.csv": TABLE})
    with pytest.raises(DataError, match=r"labels.csv, line 2: 'ash0' may be a/ash0.png or b/ash0.png"):
        labels_of(place, "labels.csv")
    put(place, {"labels.csv": TABLE.replace("\nash", "\na/ash")})
    assert len(labels_of(place, "labels.csv")) == 20
    put(place, {"labels.csv": TABLE})
    assert len(labels_of(place, "labels.csv", {"a": "train"})) == 20


def test_a_table_beside_the_files_is_offered(tmp_path):
    with pytest.raises(DataError) as caught:
        own.packed(str(put(tmp_path / "leaves", {f"{i}.png": b"x" for i in range(9)} | {"train.csv": "x"})), KINDS)
    assert "data.fetch.labels: train.csv" in str(caught.value)


def test_a_table_in_a_folder_beside_that_of_the_files_is_offered(tmp_path):
    rows = "".join(f"{n}{i}.png,{i % 5},{n}\n" for n in ("ash", "oak") for i in range(10))
    place = put(tmp_path / "leaves", coded(folder="images/") | {"meta/leaves.csv": f"filename,fold,tree\n{rows}"})
    with pytest.raises(DataError, match="data.fetch.labels: meta/leaves.csv"):
        own.packed(str(place), KINDS)
    assert len(labels_of(place, {"table": "meta/leaves.csv", "label": "tree"})) == 20


def test_a_changed_table_of_labels_makes_the_data_anew(tmp_path):
    place = put(tmp_path / "leaves", coded())
    (tmp_path / "train.csv").write_text(TABLE)
    config = {
        "data": {"raw": "x", "fetch": {"path": str(place), "labels": "../train.csv"}},
        "threads": {"fetch": 1},
    }
    before = slice_of("fetch", config)
    assert before == slice_of("fetch", config)
    (tmp_path / "train.csv").write_text(TABLE + "x,oak\n")
    assert slice_of("fetch", config) != before
    assert len(labels_of(place, "../train.csv")) == 20


@pytest.mark.parametrize("kind", ["own_signals", "own_texts"])
def test_a_table_of_samples_has_its_labels_in_a_column(tmp_path, kind):
    module = {"own_signals": own_signals}.get(kind) or __import__("cnnatomy.data.own_texts", fromlist=["fetch"])
    place = put(tmp_path, {"all.csv": "text,label\na,b\n"}) / "all.csv"
    with pytest.raises(DataError, match="data.prepare.label"):
        module.fetch(
            Into(tmp_path / "raw.zip", None, "d"), path=str(place), licence="", citation="", labels="{class}.*"
        )


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("/content/drive/leaves/train/{}.png", "without 'content/drive/leaves/train'"),
        ("C:\\Users\\ada\\leaves\\{}.png", "without 'C:/Users/ada/leaves'"),
        ("../input/leaves/{}", "without '../input/leaves'"),
        ("https://example.org/a/{}.png", "without 'https:/example.org/a'"),
        ("{}.PNG", "in other capitals"),
        ("%20{}.png", "as addresses are written"),
        ("{}.tif", "by another suffix"),
    ],
)
def test_a_table_may_have_been_written_elsewhere(tmp_path, caplog, written, said):
    blank = " " * written.startswith("%20")
    files = {f"{blank}{n}{i}.png": b"x" for n in ("ash", "oak") for i in range(10)}
    rows = [f"{written.format(f'{n}{i}')},{n}" for n in ("ash", "oak") for i in range(10)]
    place = put(tmp_path / "pictures", files | {"labels.csv": "\n".join(["file,class", *rows])})
    found = labels_of(place, "labels.csv")
    assert len(found) == 20 and all(label == name.strip()[:3] for name, (_, label) in found.items())
    assert said in caplog.text


def test_folders_that_tell_files_apart_are_never_cut_off(tmp_path):
    """The same names in folders of which some are not here: what they say of one is not said of another."""
    rows = "".join(f"/data/{part}/{i}.png,{part}\n" for part in ("a", "b", "c") for i in range(9))
    place = put(tmp_path / "in", {f"a/{i}.png": b"x" for i in range(9)} | {"labels.csv": f"file,class\n{rows}"})
    with pytest.raises(DataError, match="none of its columns names the files"):
        labels_of(place, "labels.csv")


def _rows_of(files: dict[str, bytes], cut: str = ",") -> list[str]:
    return [f"{name}{cut}{'oak' if 'oak' in name else 'ash'}" for name in files]


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("a.csv", lambda files: ["name,index", *(f"{name},{n % 2}" for n, name in enumerate(files))]),
        ("a.csv", lambda files: ["name,path,breed", *(f"{row.split(',')[0]},./{row}" for row in _rows_of(files))]),
        ("a.txt", lambda files: _rows_of(files, " ")),
        ("a.txt", lambda files: ["# image class", *(f"{name} {n % 2 + 1} 1" for n, name in enumerate(files))]),
        ("a.jsonl", lambda files: [json.dumps({"file": name, "breed": "ab"["oak" in name]}) for name in files]),
        (
            "a.jsonl",
            lambda files: [json.dumps({"file": name, "breed": ["ab"["oak" in name]], "box": [1, 2]}) for name in files],
        ),
    ],
    ids=["numbers that are names", "two columns of names", "blanks", "comment", "JSON", "JSON with lists"],
)
def test_tables_of_labels_in_other_forms(tmp_path, name, table):
    files = {f"{n}.png": content for n, content in enumerate(leaves().values())}
    files |= {f"oak{n}.png": content for n, content in enumerate(leaves().values())}
    place = put(tmp_path / "leaves", files | {name: "\n".join(table(files))})
    say = {"table": name, "label": "column 2"} if "# image" in "".join(table(files)) else name
    found = labels_of(place, say)
    assert len(found) == len(files) and len({label for _, label in found.values()}) == 2


def test_a_table_beside_its_files_means_those_and_each_split_may_have_its_own(tmp_path):
    images = list(leaves().values())
    files = {
        f"{split}/{i}.png": images[i + (10 if split == "test" else 0)] for split in ("train", "test") for i in range(10)
    }
    rows = "\n".join(["file_name,label", *(f"{i}.png,{'ab'[i % 2]}" for i in range(10))])
    place = put(tmp_path / "hub", files | {f"{split}/metadata.csv": rows for split in ("train", "test")})
    with pytest.raises(DataError, match=r"data\.fetch\.labels: '\*/metadata\.csv'"):
        own.packed(str(place), KINDS)
    found = labels_of(place, "*/metadata.csv")
    assert found["train/3.png"] == ("train", "b") and found["test/4.png"] == ("test", "a") and len(found) == 20
    assert labels_of(place, "train/metadata.csv", {"train": "train"})["train/3.png"] == ("train", "b")
    with pytest.raises(DataError, match="no file is called so"):
        own.packed(str(place), KINDS, None, "*/nothing.csv")
    (place / "test/metadata.csv").write_text("file_name,label\n../train/3.png,a\n")


def test_a_column_of_splits_is_asked_about_and_taken(tmp_path):
    rows = [f"{name},{name[:3]},{('train', 'valid', 'test')[i % 10 // 4]}" for i, name in enumerate(pets())]
    place = put(tmp_path / "leaves", pets() | {"a.csv": "\n".join(["file,breed,data set", *rows])})
    with pytest.raises(DataError, match=r"label: breed, split: data set\}.*split: false"):
        labels_of(place, "a.csv")
    found = labels_of(place, {"table": "a.csv", "label": "breed", "split": "data set"})
    assert found["ash.0.png"] == ("train", "ash") and found["oak.9.png"] == ("test", "oak")
    assert {split for split, _ in found.values()} == {"train", "validation", "test"}
    assert {split for split, _ in labels_of(place, {"table": "a.csv", "split": False}).values()} == {""}
    (place / "a.csv").write_text("\n".join(["file,breed,set", *rows[:-1], "oak.9.png,oak,later"]))
    with pytest.raises(DataError, match="a.csv, line 21: the split is 'later'"):
        labels_of(place, {"table": "a.csv", "label": "breed", "split": "set"})


def test_numbers_that_lost_their_zeros_find_their_files(tmp_path, caplog):
    files = {f"{i:04}.png": content for i, content in enumerate(leaves().values())}
    place = put(tmp_path / "x", files | {"a.csv": "id,breed\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(20))})
    found = labels_of(place, "a.csv")
    assert len(found) == 20 and found["0007.png"] == ("", "b") and "with zeros in front" in caplog.text


def test_labels_that_hardly_come_again_are_no_classes(tmp_path):
    place = put(
        tmp_path / "x", pets() | {"a.csv": "file,age\n" + "".join(f"{n},{i / 7}\n" for i, n in enumerate(pets()))}
    )
    with pytest.raises(DataError, match="20 files have 20 labels.*put numbers into ranges"):
        labels_of(place, "a.csv")


def test_tables_that_may_say_the_classes_are_named_the_likeliest_first(tmp_path):
    for others, says in (
        ({"sample_submission.csv": "id\n1", "train.csv": "id\n1"}, "data.fetch.labels: train.csv"),
        ({"labels.xlsx": "PK"}, "If labels.xlsx says the class of each file: save it as CSV"),
    ):
        place = put(tmp_path / says[:4], {f"x{i}.png": content for i, content in enumerate(leaves().values())} | others)
        with pytest.raises(DataError, match=says):
            own.packed(str(place), KINDS)


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        (("cat", "dog", "cat|dog"), "'cat|dog'"), (("scab", "rust", "scab rust"), "'scab rust'"),
        (("cat", "cat dog"), ""), (("New York", "York"), ""), (("a/b", "a", "b", "b, a"), "'a/b', 'b, a'"),
    ],
)  # fmt: skip
def test_classes_that_are_several_at_once_are_said(classes, said):
    assert own.several_at_once(classes).partition(":")[0] == said


@pytest.mark.parametrize("kind", ["own_images", "own_sounds"])
def test_files_of_one_group_are_never_on_both_sides(tmp_path, caplog, kind):
    end = "png" if kind == "own_images" else "wav"
    files = {f"{i}.{end}": png(5 * i) if end == "png" else wav(300 + 20 * i) for i in range(40)}
    rows = "".join(f"{i}.{end},{'ab'[i % 2]},p{i // 4}\n" for i in range(40))
    place = put(tmp_path / "x", files | {"a.csv": f"file,kind,Patient ID\n{rows}"})
    said = "group: Patient ID"
    made(kind, place, tmp_path, {"labels": {"table": "a.csv", "label": "kind"}})
    assert f"data.fetch.labels: {{table: a.csv, file: file, label: kind, {said}}}" in caplog.text
    caplog.clear()
    labels = {"table": "a.csv", "label": "kind", "group": "Patient ID"}
    data = made(kind, place, tmp_path, {"labels": labels})
    assert said not in caplog.text and sum(data.facts.splits.values()) == 40
    whose: dict[int, set[str]] = {}
    for name, split in zip(data.table["id"], data.table["split"], strict=True):
        whose.setdefault(int(name.split(".")[0]) // 4, set()).add(split)
    assert len(whose) == 10 and all(len(its) == 1 for its in whose.values())
    assert data.facts.splits["test"] == 8 and data.facts.splits["validation"] == 4
    (place / "a.csv").write_text(f"file,kind,Patient ID\n{rows}".replace(",p3", ","))
    with pytest.raises(DataError, match="a.csv, line 14: there is no group"):
        made(kind, place, tmp_path, {"labels": labels})


def test_a_group_in_two_given_splits_is_refused(tmp_path):
    files = pets(4)
    rows = "".join(f"{name},{name[:3]},p{i},{('train', 'test')[i % 2]}\n" for i, name in enumerate(files))
    rows += "".join(f"x{i}.png,{('ash', 'oak')[i % 2]},p0,test\n" for i in range(2))
    place = put(tmp_path / "x", files | {"x0.png": png(1), "x1.png": png(2), "a.csv": f"file,kind,who,set\n{rows}"})
    labels = {"table": "a.csv", "label": "kind", "group": "who", "split": "set"}
    with pytest.raises(DataError, match="The group 'p0' is in (test and in train|train and in test) too"):
        made("own_images", place, tmp_path, {"labels": labels})
