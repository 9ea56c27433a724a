"""Texts as tokens: words and marks where words stand apart, characters where a script has no spaces between them.

A character is what a reader takes for one: a letter with its marks, an emoji with all that it is joined to (Unicode
Standard Annex 29, as far as the standard library knows of it).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

#: How texts are cut: "auto" cuts scripts without spaces into characters and all others into words.
WAYS = ("auto", "words", "characters")
SPACE = "␣"  # a space between characters, where all texts are cut into them

# Scripts without spaces between words, letters only: digits among them make numbers. Chinese, Japanese; Thai, Lao;
# Burmese and its neighbours; Khmer.
_UNSPACED = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303b\u3041-\u3096\u309d-\u309f\u30a1-\u30fa"
    "\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U0001b000-\U0001b16f\U00020000-\U000323af"
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u0edc-\u0edf"
    "\u1000-\u102a\u103f\u1050-\u1055\u105a-\u105d\u1061\u1065-\u1066\u106e-\u1070\u1075-\u1081\u108e"
    "\ua9e0-\ua9e4\ua9e6-\ua9ef\ua9fa-\ua9fe\uaa60-\uaa76\uaa7a\uaa7e\uaa7f\u1780-\u17b3\u17d7\u17dc"
)
_STACKING = "\u1039\u17d2"  # puts the next letter under this one
_JOINING = "\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d"  # joins the next letter to this one
#: Where marks are, so that not all of Unicode is looked through.
_MARKS_AT = (
    *(
        (0x0300, 0x1FFF),
        (0x20D0, 0x20DC),
        (0x20E1, 0x20E1),
        (0x20E5, 0x20F0),
        (0x2CEF, 0x2DFF),
        (0x302A, 0x302F),
        (0x3099, 0x309A),
        (0xA66F, 0xAAFF),
    ),
    *((0xABE0, 0xABFF), (0xFB1E, 0xFB1E), (0xFE20, 0xFE2F), (0x101FD, 0x11FFF), (0x16AF0, 0x16F92), (0x1D165, 0x1D244)),
    *((0x1DA00, 0x1E94A), (0xE0100, 0xE01EF)),
)

_PICTURE = (
    "\u231a-\u23ff\u25fd\u25fe\u2600-\u27bf\u2b05-\u2b55\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff"
)
_SIGN = "#*0-9\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u25aa-\u25fc\u2934\u2935\u3030\u303d\u3297\u3299"
_TONE, _VARIANT, _JOINER = "[\U0001f3fb-\U0001f3ff]", "\ufe0f", "\u200d"
_ONE = f"(?:[{_PICTURE}]{_VARIANT}?|[{_SIGN}]{_VARIANT}){_TONE}?"
#: A flag, a key, a picture with its tone, or several that are joined.
EMOJI = (
    f"[\U0001f1e6-\U0001f1ff]{{2}}|[#*0-9]{_VARIANT}?\u20e3|"
    f"{_ONE}(?:[\U000e0020-\U000e007e]+\U000e007f)?(?:{_JOINER}{_ONE})*"
)
#: Marks that carry mood, in other scripts too. What is full width has become ASCII.
_MOOD = "!?.,()…。、।॥؟،"

_WIDE = re.compile("[\u3000\uff01-\uffee]+")
_UNSEEN = re.compile("[\u00ad\u061c\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]|\u200c(?!\\w)")


def tokenise(text: str, way: str = "words") -> list[str]:
    """The tokens of a text, in lower case; none where nothing is written.

    way: "words" are words and marks of mood (don't -> do n't, it's -> it 's, as Kim 2014 has them); "auto" cuts
    scripts without spaces into characters; "characters" does so with all, a space among them as `SPACE`. Composed
    (NFC), full-width forms as the usual ones; signs that nobody sees are taken away.
    """
    patterns = _patterns()
    text = unicodedata.normalize("NFC", text.lower().replace("’", "'"))
    text = _UNSEEN.sub("", _WIDE.sub(lambda wide: unicodedata.normalize("NFKC", wide[0]), text))
    if way == "characters":
        return patterns.character.findall(" ".join(text.split()).replace(" ", SPACE))
    if not text.isascii():
        text = patterns.emoji.sub(r" \g<0> ", text)
        if way == "auto":
            text = patterns.unspaced.sub(r" \g<0> ", text)
    return patterns.word.findall(text)


def unspaced(token: str) -> bool:
    """Whether a token begins with a letter of a script that has no spaces between words."""
    return _patterns().unspaced.match(token) is not None


def by_character(texts: Sequence[Sequence[str]], way: str) -> bool:
    """Whether tokens are mostly characters, so that their places and spans are counted in those."""
    if way != "auto":
        return way == "characters"
    every = [token for text in texts for token in text]
    return 2 * sum(map(unspaced, every)) > len(every)


class _Patterns(NamedTuple):
    word: re.Pattern[str]
    character: re.Pattern[str]
    unspaced: re.Pattern[str]  # a character of a script without spaces
    emoji: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    marks = _marks()
    word = f"\\w[\\w{marks}\u200c\u200d]*"
    stacked = f"[{marks}]*(?:(?<=[{_STACKING}])\\w[{marks}]*)*"
    joined = f"[{marks}]*(?:(?:(?<=[{_JOINING}])\u200d?|(?<=[{_STACKING}]))\\w[{marks}]*)*"
    return _Patterns(
        re.compile(rf"{EMOJI}|{word}(?=n't\b)|n't\b|'(?:s|re|ve|ll|d|m)\b|{word}|[{_MOOD}]"),
        re.compile(f"{EMOJI}|[^\\s\u0000-\u001f\u007f-\u009f{marks}\u200b-\u200d]{joined}"),
        re.compile(f"[{_UNSPACED}]{stacked}"),
        re.compile(EMOJI),
    )


def _marks() -> str:
    """Unicode's marks (vowel signs, accents, tones) as the inside of a set; the standard library has no name for it."""
    places = [code for start, end in _MARKS_AT for code in range(start, end + 1)]
    found = [code for code in places if unicodedata.category(chr(code)).startswith("M")]
    ends: list[list[int]] = []
    for code in found:
        if ends and ends[-1][1] == code - 1:
            ends[-1][1] = code
        else:
            ends.append([code, code])
    return "".join(f"{chr(start)}-{chr(end)}" for start, end in ends)
