"""Texts of every script: characters where there are no spaces, letters with their marks, emoji as they are seen."""

from __future__ import annotations

import re
import unicodedata

import pytest

from cnnatomy.data.tokenising import SPACE, by_character, tokenise
from cnnatomy.exhibit.reading import joined

#: How sentences were cut before other scripts were thought of; English must stay so.
ENGLISH = re.compile(r"\w+(?=n't\b)|n't\b|'(?:s|re|ve|ll|d|m)\b|\w+|[!?.,()…]")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("今天的汤很香，真好！", "今 天 的 汤 很 香 , 真 好 !"),
        ("このスープは、おいしい。", "こ の ス ー プ は 、 お い し い 。"),
        ("ซุปอร่อยมาก", "ซุ ป อ ร่ อ ย ม า ก"),
        ("ເຂົ້າ", "ເ ຂົ້ າ"),
        ("ខ្ញុំស្រឡាញ់", "ខ្ញុំ ស្រ ឡា ញ់"),
        ("မြန်မာ", "မြ န် မာ"),
        ("दाल अच्छी थी।", "दाल अच्छी थी ।"),
        ("كانَ الحِساء لذيذًا؟", "كانَ الحِساء لذيذًا ؟"),
        ("오늘 수프는 맛있어요", "오늘 수프는 맛있어요"),
        ("Сегодня суп был вкусный", "сегодня суп был вкусный"),
        ("Hôm nay súp rất ngon", "hôm nay súp rất ngon"),
        ("我love你，2024年", "我 love 你 , 2024 年"),
        ("ＡＢＣ１２！ ｶﾞ", "abc12 ! ガ"),
        ("cafe\u0301 CAFÉ", "café café"),
        ("שָׁלוֹם עולם", "שָׁלוֹם עולם"),
        ("co\u00adop\u200e", "coop"),
        ("007 1.0", "007 1 . 0"),
    ],
)
def test_every_script(text: str, tokens: str):
    assert tokenise(text, "auto") == [unicodedata.normalize("NFC", token) for token in tokens.split()]


@pytest.mark.parametrize("emoji", ["😀", "☕", "❤️", "👍🏽", "👨‍👩‍👧‍👦", "👩🏽‍⚕️", "🏴‍☠️", "🇨🇳", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "©️", "🫠"])
@pytest.mark.parametrize("way", ["auto", "words", "characters"])
def test_an_emoji_is_one_token(emoji: str, way: str):
    assert tokenise(f"ok{emoji}{emoji}!", way) == [*(["ok"] if way != "characters" else "ok"), emoji, emoji, "!"]


def test_english_is_cut_as_it_was():
    said = "It's I don't can't won’t they've too-tepid $5 50% (a) … … “quoted” x_y naïve Müller's 3D . , ! ? -- n't"
    words = said.split()
    for start in range(len(words)):
        text = " ".join(words[start:] + words[:start])
        assert tokenise(text) == tokenise(text, "auto") == ENGLISH.findall(text.lower().replace("’", "'"))


def test_all_as_words_or_all_as_characters():
    assert tokenise("今天 很好", "words") == ["今天", "很好"], "as somebody cut it beforehand"
    assert tokenise("It is.", "characters") == ["i", "t", SPACE, "i", "s", "."]
    assert tokenise("दाल थी", "characters") == ["दा", "ल", SPACE, "थी"]
    assert tokenise("क्षत्रिय", "characters") == ["क्ष", "त्रि", "य"]
    assert (
        tokenise("가나", "characters") == tokenise(unicodedata.normalize("NFD", "가나"), "characters") == ["가", "나"]
    )


def test_what_most_tokens_are():
    assert by_character([tokenise("今天的汤很香", "auto"), tokenise("ok fine", "auto")], "auto")
    assert not by_character([tokenise("今天", "auto"), tokenise("this is quite fine", "auto")], "auto")
    assert (
        by_character([["a"]], "characters") and not by_character([["今天"]], "words") and not by_character([], "auto")
    )


@pytest.mark.parametrize(
    ("text", "way", "read"),
    [
        ("今天的汤很香！", "auto", "今天的汤很香!"),
        ("我 love somebody 2024年", "auto", "我love somebody 2024年"),
        ("It is.", "characters", f"it{SPACE}is."),
        ("ซุปอร่อย", "auto", "ซุปอร่อย"),
    ],
)
def test_characters_are_joined_without_spaces(text: str, way: str, read: str):
    assert joined(tokenise(text, way), spaces=False) == read


def test_words_are_joined_with_spaces():
    assert joined(tokenise("It is.")) == "it is ."
