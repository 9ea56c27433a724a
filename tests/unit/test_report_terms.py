"""What data and methods call their things is said in every language; names, and what a user named, stay as they are."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from benchmarks.language import without
from cnnatomy.drawing.plotting import draw
from cnnatomy.exhibit import Exhibit, Figure, Grid, Item, Matrix, Number, Sentence, Table, Texts
from cnnatomy.exhibit.languages import in_words
from cnnatomy.report import build
from cnnatomy.report.language import catalogue, others
from cnnatomy.report.terms import Terms, phrases
from tests import gallery

DIGITS = Terms("spoken_digits", frozenset(("zero", "two")))


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("zero", "零"),
        ("0: two, two, zero", "0：二、二、零"),
        ("50 filters of 3 × 3, ReLU", "50 个卷积核（3 × 3）、ReLU"),
        ("3 convolutions of 1 × 1, 3 × 3, branching", "3 个卷积（1 × 1、3 × 3），有分支"),
        ("rows 1–3, columns 2–4", "第 1–3 行、第 2–4 列"),
        ("✗ guided backpropagation", "✗ 引导反向传播"),
        ("32 × 12 × 1 · sees 17 bands × 44 frames (0.7 s)", "32 × 12 × 1 · 感受野：17 个频带 × 44 帧（0.7 秒）"),
    ],
)
def test_words_and_phrases_are_said_in_chinese(english, chinese):
    assert DIGITS.words(english) == {"en": english, "zh": chinese}


@pytest.mark.parametrize(
    "name", ["conv1", "blocks.4.expand.relu", "test/11", "en-us+Alicia/0/1", "✗ Grad-CAM++", "3 × 3 px"]
)
def test_names_are_marked_and_stay_as_they_are(name):
    assert DIGITS.words(name) == name and DIGITS.is_name(name)
    assert str(DIGITS.marked(name)) == f'<bdi translate="no">{name}</bdi>'


def test_what_a_user_named_stays_as_it_was_given():
    mine = Terms("mine", frozenset(("zero", "filter", "good")))
    assert [mine.words(name) for name in ("zero", "filter", "good", "someone's words")] == [
        "zero",
        "filter",
        "good",
        "someone's words",
    ]
    assert mine.is_name("filter") and not mine.is_name("someone's words")
    assert mine.words("epoch") == {"en": "epoch", "zh": "轮次"}


def test_a_column_of_names_is_not_translated():
    assert Terms().words("mean", "n-gram") == "mean"
    assert Terms().words("mean", "kind") == {"en": "mean", "zh": "均值"}


def test_what_a_number_was_measured_on_is_said():
    assert DIGITS.subject("layer=conv1;class=zero;method=integrated_gradients") == {
        "en": "layer conv1, class zero, method integrated gradients",
        "zh": "层 conv1，类别 零，方法 积分梯度",
    }


def test_a_class_that_fills_a_sentence_is_said_in_the_sentences_language():
    text = {"say": "evaluation.misread.label", "with": {"truth": "zero", "read": "two"}}
    told = in_words({"title": text, "caption": "c", "blocks": []}, DIGITS.class_name)["title"]
    assert told == {"en": "zero predicted as two", "zh": "零判为二"}


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("test accuracy", "测试准确率"),
        ("looked − lecture", "看后缩小 − 讲义网络"),
        ("Test accuracy, % against parameters", "测试准确率（%）与参数"),
        ("Test accuracy, % along shift", "测试准确率（%）随移动量的变化"),
        ("−0.22", None),
    ],
)
def test_what_fills_a_studys_sentences_is_said_in_their_language(english, chinese):
    told = Terms("looked").filler(english)
    assert told == (english if chinese is None else {"en": english, "zh": chinese})


def test_what_screen_readers_are_told_of_a_studys_figure_is_said_in_their_language():
    told = Terms("direction").words("frequency, male_female, at −6, mean 61.48")
    assert told["zh"] == "沿频率、男声训练 → 女声测试、在 −6 处、均值 61.48"


@pytest.mark.parametrize("tag", others())
def test_phrases_name_the_same_places_as_their_english(tag):
    for english, sentence in catalogue(tag)["phrases"].items():
        assert set(re.findall(r"{\w+}", english)) == set(re.findall(r"{\w+}", sentence)), english
    assert len(phrases(tag)) > 20


def _of_every_kind() -> Exhibit:
    """An exhibit with words of ours, names and classes wherever a block may have them."""
    pixels = np.zeros((4, 4), np.uint8)
    items = [
        Item(f"conv1/{n}", pixels, label, state=state, values={"fires for": 0.1 * n}, group="female")
        for n, (label, state) in enumerate((("zero", "live"), ("0: two, two, zero", "dead"), ("test/11", "live")))
    ]
    table = pd.DataFrame({"layer": ["conv1"], "what it does": ["25 filters of 3 × 3, ReLU"], "voice": ["en-us+f1"]})

    def paint(figure):
        figure.subplots().set(xlabel="epoch", ylabel="accuracy, %", title="✗ guided backpropagation")

    return Exhibit(
        "run",
        "speech",
        "m",
        0,
        {"en": "T", "zh": "题"},
        {"en": "C", "zh": "文"},
        [
            Number("test_accuracy", 0.5, unit="fraction", subject="class=zero"),
            Number("moves", 1.5, unit="bands", subject="layer=conv1;filter=3"),
        ],
        [
            Grid("grid", items),
            Matrix("matrix", ["zero", "two"], ["zero", "two"], np.eye(2)),
            Table("table", table),
            Figure("curve", draw(paint), {"en": "a", "zh": "图"}, table),
            Texts("texts", [Sentence("test/1", [("good", 0.5)], "two", "right", {"largest": 1.0}, "zero")]),
        ],
    )


def test_no_line_of_the_chinese_page_is_without_chinese(tmp_path):
    context = {
        "title": {"en": "T", "zh": "题"},
        "runs": {"speech": {"title": {"en": "S", "zh": "语音"}, "data": "spoken_digits", "kind": "sounds"}},
        "data": [{"name": "spoken_digits", "classes": ["zero", "two"], "splits": {"test": 3}}],
    }
    build(gallery.write(tmp_path, [_of_every_kind()]), tmp_path / "report", context)
    lines, left = without((tmp_path / "report" / "index.html").read_text(encoding="utf-8"), "zh")
    assert left == [] and lines > 60


def test_a_line_without_chinese_is_found():
    page = (
        '<body data-names=\'{"zh": {"norm": "范数"}}\'><p>some words</p><p><span lang="en">a line</span>'
        '<span lang="zh-Hans">一行</span></p><table><tr><td>conv1<td translate="no">words of theirs'
        "<td>a cell<tr><td>3</table><code>make it</code>"
        '<ul data-names=\'["norm", "other key"]\'><li data-facts="1|2">3 px</ul>'
        '<svg><text data-zh="词">word</text></svg>'
    )
    assert without(page, "zh") == (6, ["some words", "a cell", "other key"])


def test_levels_of_a_study_are_said_in_words_in_english_too():
    said = Terms().words("male_female")
    assert said == {"en": "male → female", "zh": "男声训练 → 女声测试"}
    assert Terms().words("frequency − time, male_female")["en"] == "frequency − time, male → female"
    assert Terms().subject("voices=male_female")["en"] == "voices male → female"
    assert Terms().words("conv_8") == "conv_8"  # a name that nothing is known of stays
