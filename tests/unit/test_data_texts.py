"""Sentences: tokens that can be read back, a vocabulary of the training split only, copies that never part."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from cnnatomy.data import archive, prepared, texts
from cnnatomy.data.errors import DataError
from cnnatomy.data.left_out import LeftOut
from cnnatomy.data.movie_reviews import decoded
from cnnatomy.data.origin import Origin
from cnnatomy.data.tokenising import tokenise


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("It's good .", ["it", "'s", "good", "."]),
        ("I don't, can't and won’t!", ["i", "do", "n't", ",", "ca", "n't", "and", "wo", "n't", "!"]),
        ("too-tepid biopic", ["too", "tepid", "biopic"]),
        ("they've we're you'll he'd i'm", ["they", "'ve", "we", "'re", "you", "'ll", "he", "'d", "i", "'m"]),
        ('the " jirí hubac " film…', ["the", "jirí", "hubac", "film", "…"]),
        (" -- * \t ", []),
    ],
)
def test_words(sentence: str, words: list[str]):
    assert tokenise(sentence) == tokenise(sentence, "auto") == words


def test_control_characters_are_the_marks_they_were():
    assert decoded("heck \x96 few\x85 \x93caf\xe9\x94") == "heck – few… “café”"


def test_tokens_can_be_read_back():
    sentences = [["a", "good", "film"], ["a", "bad", "bad", "film", "a"], ["a"]]
    known = texts.vocabulary(sentences, at_least=2)
    assert known == ["<padding>", "<unknown>", "a", "bad", "film"]
    rows = texts.tokens(sentences, known, 4)
    assert rows.dtype == np.int32
    assert [[known[token] for token in row] for row in rows] == [
        ["a", "<unknown>", "film", "<padding>"],
        ["a", "bad", "bad", "film"],
        ["a", "<padding>", "<padding>", "<padding>"],
    ]


def test_words_that_look_like_the_first_two_stay_words():
    known = texts.vocabulary([["<padding>", "<padding>", "x", "x"]], at_least=2)
    assert texts.tokens([["x"]], known, 1).item() > 1


def test_folds_are_even_fixed_and_blind_to_spaces_and_case():
    folds = [texts.fold(["sentence", "number", str(i)]) for i in range(5000)]
    assert set(folds) == set(range(10)) and min(np.bincount(folds)) > 400
    spellings = ("a good film", "A  good film ", "a good  FILM")
    assert [texts.fold(tokenise(sentence)) for sentence in spellings] == [1] * 3


def write(folder: Path, sentences: list[str], labels: list[int], **keys: int | str) -> prepared.Dataset:
    archive.write(folder / "toy.zip", {"x": b"x"}, digest="dev", licence="CC0", citation="nobody")
    with archive.Raw(folder / "toy.zip") as raw:
        form = texts.Form(**({"length": 8, "at_least": 1} | keys))
        texts.write(folder / "toy", texts.Sentences(sentences, labels), ["no", "yes"], Origin(raw, "x"), form)
    return prepared.load(folder / "toy")


SENTENCES = [f"film {i} is good" if i % 2 else f"film {i} is bad" for i in range(300)]
LABELS = [i % 2 for i in range(300)]


def test_vocabulary_is_of_the_training_split(tmp_path: Path):
    dataset = write(tmp_path, SENTENCES, LABELS)
    train = {word for text in dataset.split("train").table["text"] for word in tokenise(text)}
    elsewhere = {
        word
        for split in ("validation", "test")
        for text in dataset.split(split).table["text"]
        for word in tokenise(text)
    }
    assert dataset.facts.vocabulary is not None
    assert set(dataset.facts.vocabulary[2:]) == train
    assert elsewhere - train, "the numbers of other splits' films are unknown"
    test = dataset.split("test")
    for row, label in zip(test.inputs, test.labels, strict=True):
        assert [dataset.facts.vocabulary[token] for token in row[:4]] == [
            "film",
            "<unknown>",
            "is",
            ["bad", "good"][label],
        ]


def test_vocabulary_may_be_of_all_sentences(tmp_path: Path):
    dataset = write(tmp_path, SENTENCES, LABELS, vocabulary_of="all")
    words = {word for text in dataset.table["text"] for word in tokenise(text)}
    assert dataset.facts.vocabulary is not None and set(dataset.facts.vocabulary[2:]) == words
    assert not (dataset.split("test").inputs == prepared.UNKNOWN).any()
    with pytest.raises(DataError, match="'every'"):
        write(tmp_path / "other", SENTENCES, LABELS, vocabulary_of="every")


def test_copies_of_a_sentence_are_in_one_split(tmp_path: Path):
    dataset = write(tmp_path, SENTENCES + [text.upper() + "  " for text in SENTENCES], LABELS * 2)
    splits = dataset.table.assign(text=dataset.table["text"].str.lower()).groupby("text")["split"]
    assert (splits.nunique() == 1).all() and (splits.size() == 2).all()


def test_splits_don_t_depend_on_the_order(tmp_path: Path):
    one = write(tmp_path / "one", SENTENCES, LABELS).table.set_index("text")["split"]
    other = write(tmp_path / "other", SENTENCES[::-1], LABELS[::-1]).table.set_index("text")["split"]
    assert one.to_dict() == other.to_dict()


def test_sentences_without_a_known_word_stay_and_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    strange = ["xyzzy plugh", "qux quux", "corge grault", "garply"]
    strange = [text for text in strange if texts.fold(tokenise(text)) in (8, 9)]
    strange += [text for i in range(100) if texts.fold([text := f"zz{i}"]) == 9][:2]
    with caplog.at_level(logging.WARNING):
        dataset = write(tmp_path, SENTENCES + strange, LABELS + [0] * len(strange), at_least=2)
    assert dataset.facts.counts["no_known_word"] == len(strange) > 0
    rows = dataset.table[dataset.table["text"].isin(strange)]
    assert len(rows) == len(strange) and rows["id"].iloc[0] in caplog.text
    row = next(
        row
        for row, text in zip(dataset.split("test").inputs, dataset.split("test").table["text"], strict=True)
        if text in strange
    )
    assert set(row.tolist()) == {prepared.UNKNOWN, prepared.PADDING}


def test_sentences_without_any_word_are_left_out_and_counted(tmp_path: Path):
    dataset = write(tmp_path, [*SENTENCES, "", " -- "], [*LABELS, 0, 1])
    assert dataset.facts.left_out == [LeftOut("no_words", 2, ["row 301", "row 302"])]
    assert len(dataset.table) == len(SENTENCES)


def test_long_sentences_are_cut_and_counted(tmp_path: Path):
    dataset = write(tmp_path, SENTENCES, LABELS, length=3)
    assert dataset.facts.counts["cut"] == 300 and dataset.facts.shape == (3,)
    assert set(dataset.table["words"]) == {4}, "the table knows how long a sentence was"


def test_no_sentence_is_an_empty_dataset(tmp_path: Path):
    for sentences in ([], ["", " "]):
        with pytest.raises(DataError, match="'toy'.*empty"):
            write(tmp_path, sentences, [0] * len(sentences))


def test_one_class_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"'toy'.*one class \(yes\)"):
        write(tmp_path, SENTENCES, [1] * 300)
