"""What folders mean: splits however people call them, wrapping, classes; and what is asked where it stays open."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

import pytest

from cnnatomy.data.errors import DataError
from cnnatomy.data.layout import filed, split_of, understood

CLASSES = ("oak", "ash")


def names(*folders: str, classes: tuple[str, ...] = CLASSES, n: int = 3) -> list[str]:
    return [f"{folder}/{name}/{i}.png".lstrip("/") for folder in folders for name in classes for i in range(n)]


def read(files: list[str], given: Mapping[str, str] | bool | None = None) -> dict[str, tuple[str, str]]:
    """Each file's split and class."""
    found, loose = filed(files, understood(files, given))
    return {one.name: (one.split, one.label) for one in found} | dict.fromkeys(loose, ("", ""))


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *((name, "train") for name in ("train", "Training", "seg_train", "trn", "TRAIN", "train2017", "TrainImages")),
        *((name, "train") for name in ("training_set", "train-data", " train ", "01_train", "\uff34rain", "训练集")),
        *((name, "validation") for name in ("validation", "valid", "val", "dev", "eval", "Val_Images", "验证集")),
        *((name, "test") for name in ("test", "Testing", "tst", "test1", "seg_test", "TestSet", "测试")),
        *(
            (name, "")
            for name in ("oak", "train station", "test tube", "contest", "trainer", "1", "images", "", "pred")
        ),
    ],
)
def test_a_name_means_a_split_by_its_words(name, split):
    assert split_of(name) == split


@pytest.mark.parametrize("wrapping", ["", "dataset/", "a/b/c/"])
@pytest.mark.parametrize(
    "folders",
    [
        {"train": "train", "test": "test"},
        {"Training": "train", "Testing": "test"},
        {"trn": "train", "dev": "validation", "tst": "test"},
        {"train": "train", "valid": "validation", "test": "test"},
        {"train": "train", "eval": "validation"},
        {"train": "train", "val": "validation", "eval": "test"},
        {"seg_train/seg_train": "train", "seg_test/seg_test": "test"},
        {"train/images": "train", "test/images": "test"},
        {"asl_alphabet_train": "train", "asl_alphabet_test": "test"},
        {"train/a/b": "train", "test": "test"},
    ],
)
def test_folders_of_splits_are_understood(wrapping, folders):
    files = names(*(wrapping + folder for folder in folders))
    expected = {
        f"{wrapping}{folder}/{name}/{i}.png": (split, name)
        for folder, split in folders.items()
        for name in CLASSES
        for i in range(3)
    }
    assert read(files) == expected


@pytest.mark.parametrize("around", ["", "leaves/", "train/", "leaves/all/train/train/"])
def test_folders_that_wrap_all_classes_are_stepped_through(around):
    assert read(names(around.rstrip("/"))) == {f"{around}{n}/{i}.png": ("", n) for n in CLASSES for i in range(3)}


def test_splits_inside_of_classes_are_understood():
    files = [f"{name}/{split}/{i}.png" for name in CLASSES for split in ("train", "test") for i in range(2)]
    assert read(files) == {file: (file.split("/")[1], file.split("/")[0]) for file in files}


def test_letters_are_told_apart_by_their_case():
    assert {label for _, label in read(names("", classes=("A", "a", "b"))).values()} == {"A", "a", "b"}


def test_folders_inside_of_a_class_belong_to_it():
    files = ["oak/spring/1.png", "oak/autumn/2.png", "ash/3.png", "ash/old/4.png"]
    assert {split + label for split, label in read(files).values()} == set(CLASSES)


def test_a_test_of_one_class_keeps_its_class():
    files = [*names("train"), "test/oak/left/1.png", "test/oak/right/2.png"]
    with pytest.raises(DataError, match="no class left, right"):
        read(files)
    assert read([*names("train"), "test/oak/left/1.png"])["test/oak/left/1.png"] == ("test", "oak")


def test_a_class_may_have_the_name_of_a_split_among_others(caplog):
    files = names("", classes=("bus", "train", "tram"))
    assert {label for _, label in read(files).values()} == {"bus", "train", "tram"}
    assert "the folder train holds no folders: it is taken for a class" in caplog.text


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (["train/cat.1.jpg", "train/dog.2.jpg", "test/1.jpg"], "Where are the classes?"),
        (
            [f"train/{n}.{i}.jpg" for n in ("cat", "dog") for i in "123"] + ["test/1.jpg"],
            "as in train/cat/cat.1.jpg. If",
        ),
        (names("", classes=("train", "val")), "have the names of splits and hold files"),
        (names("", classes=("Testing", "valid", "notes")), "have the names of splits and hold files"),
        ([*names("train"), "test1/1.jpg"], "test1/1.jpg: it lies in no folder of a class"),
        ([*names("train", "test"), "train/view.png"], "train/view.png: it lies in no folder of a class"),
        (names("train", "test", "pred"), "there is pred. data.fetch.splits: {train: train, test: test}"),
        (names("seg_train", "seg_test", "seg_pred"), "there is seg_pred"),
        ([*names("x/train", "x/test", "x/more")], "In x, beside the folders of splits train, test there is more"),
        (names("train", "training", "test"), "train, training all mean train"),
        (names("valid", "test"), "no folder called train"),
        (names("fold1", "fold2", "fold3"), "Which are the classes?"),
        ([*names("train/train"), "test/test/1.jpg"], "leave them out: data.fetch.splits: {train: train}"),
        ([*names("train/train"), "test/test/1.jpg"], "test/test/1.jpg: it lies in no folder of a class"),
        (names("images", "masks", classes=("oak",)) + names("images"), "Which are the classes?"),
        (names("fold1/train", "fold1/test", "fold2/train", "fold2/test"), "Is fold1 a class, or ash? If ash is: name"),
        (names("A", "B"), "data.fetch.splits: {A: train, B: test}"),
        ([*names("", classes=("oak",)), "ash/train/1.png", "ash/test/1.png"], "in oak there is also oak/0.png"),
        (
            [f"{n}/{s}/1.png" for n in CLASSES for s in ("train", "test")] + ["elm/all/1.png"],
            "in elm there is also all",
        ),
        ([*names("train"), "test/elm/1.png"], "no class elm"),
        (names("", classes=("oak",)), "one class only (oak)"),
        (names("", classes=("Cat", "cat")), "'Cat' and 'cat' differ in capitals"),
        (names("", classes=("cat", "cat ")), "'cat' and 'cat ' differ in capitals, spaces"),
        ([*names("train", classes=("Cat", "dog")), "test/cat/1.png"], "'Cat' and 'cat'"),
        (
            [f"{unicodedata.normalize(form, 'café')}/1.png" for form in ("NFC", "NFD")],
            r"'cafe\u0301' and 'caf\xe9' differ",
        ),
    ],
)
def test_what_stays_open_is_asked(files, says):
    with pytest.raises(DataError) as caught:
        read(files)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_the_user_says_which_folders_are_what():
    files = names("seg_train/seg_train", "seg_test/seg_test", "seg_pred")
    found = read(files, {"seg_train": "train", "seg_test/seg_test": "testing"})
    assert [found[name] for name in files] == [("train", n) for n in CLASSES for _ in range(3)] + [
        ("test", n) for n in CLASSES for _ in range(3)
    ] + [("", "")] * 6
    assert {label for _, label in read(names("", classes=("train", "test")), False).values()} == {"train", "test"}
    assert {label for _, label in read(names("A", "B"), False).values()} == {"A", "B"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"learn": "train"}, "names the folder 'learn', which is not there"),
        ({"a": "training"}, "There is one class only"),
        ({"a": "first"}, "data.fetch.splits.a is 'first': say train, validation or test"),
        ({"a": "test"}, "names no folder for train"),
        (True, "data.fetch.splits is True"),
        ("train", "data.fetch.splits is 'train'"),
    ],
)
def test_what_the_user_says_is_checked(given, says):
    with pytest.raises(DataError) as caught:
        read(["a/oak/1.png", "b/oak/1.png", "b/ash/1.png"], given)
    assert says in str(caught.value)


@pytest.mark.parametrize("word", ["fold{}", "Fold {}", "part_{}", "batch-{:02}", "audio/fold{}"])
def test_numbered_parts_of_a_set_are_no_classes_unless_the_user_says_so(word):
    files = [f"{word.format(number)}/{i}.png" for number in (1, 2, 3) for i in range(4)]
    with pytest.raises(DataError, match=r"like parts of one set.*data\.fetch\.splits: false"):
        understood(files)
    assert len({label for _, label in read(files, False).values()}) == 3


@pytest.mark.parametrize(
    "folders", [("stage1", "stage2"), ("fold", "unfold"), ("part of rye", "part of oat"), ("1", "2")]
)
def test_other_numbered_folders_are_classes(folders):
    assert {label for _, label in read(names("", classes=folders)).values()} == set(folders)


def _listed(folder, train: str = "") -> dict[str, str]:
    """Leaves with lists of the splits, as Speech Commands has them; the classes' names come again in each line."""
    from tests.unit.test_data_own import leaves, put

    lists = {"testing_list.txt": "ash/1.png\noak/1\n", "validation_list.txt": "oak/2.png 1\nash/2.png,0\n\n"}
    put(folder, leaves(5) | lists | ({"train.txt": train} if train else {}))
    return {"testing_list.txt": "test", "validation_list.txt": "validation"} | ({"train.txt": "train"} if train else {})


def test_lists_of_files_that_say_the_splits_are_told_and_taken(tmp_path, caplog):
    from cnnatomy.data import own

    given = _listed(tmp_path)
    own.packed(str(tmp_path), [".png"])
    assert "data.fetch.splits: {testing_list.txt: test, validation_list.txt: validation}" in caplog.text
    caplog.clear()
    files = own.packed(str(tmp_path), [".png"], given)
    assert "data.fetch.splits" not in caplog.text
    found = {part["folder"]: (part["split"], part["label"]) for part in files.layout}
    assert found["ash/1.png"] == ("test", "ash") and found["oak/2.png"] == ("validation", "oak")
    assert found["ash/2.png"] == ("validation", "ash") and found["oak/0.png"] == ("train", "oak") and len(found) == 10


def test_what_no_list_names_is_left_out_where_there_is_one_to_train_on(tmp_path):
    from cnnatomy.data import own

    files = own.packed(str(tmp_path), [".png"], _listed(tmp_path, "ash/0.png\noak/0.png\nash/3.png\n"))
    assert len(files) == 7 and [(one.why, one.n) for one in files.left_out if one.why == "unnamed"] == [("unnamed", 3)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("nothing/9.png\n", "0 of its 1 lines do, 'nothing/9.png' not"),
        ("ash/1.png\n", "ash/1.png is listed for train, and for test too"),
    ],
)
def test_lists_that_will_not_do(tmp_path, content, says):
    from cnnatomy.data import own

    given = _listed(tmp_path, content)
    with pytest.raises(DataError) as caught:
        own.packed(str(tmp_path), [".png"], given)
    assert says in str(caught.value)


@pytest.mark.parametrize("name", ["README.txt", "notes on the test.txt", "classes.txt", "train.txt"])
def test_other_texts_beside_the_data_are_no_lists(tmp_path, caplog, name):
    from cnnatomy.data import own
    from tests.unit.test_data_own import leaves, put

    put(tmp_path, leaves(5) | {name: "the test of these\nleaves is hard\n"})
    own.packed(str(tmp_path), [".png"])
    assert "list files" not in caplog.text
