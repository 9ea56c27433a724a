"""Tokens as a text to read: words stand apart, characters of a script without spaces close up."""

from __future__ import annotations

from collections.abc import Sequence


def gaps(tokens: Sequence[str], spaces: bool = True) -> list[str]:
    """What stands behind each token.

    spaces: whether tokens are words. Where they are characters, only words of scripts with cases and numbers among
    them stand apart, as in 我 love somebody.
    """
    if spaces:
        return [" "] * len(tokens)
    sizes = [_spelt(token) for token in tokens]
    pairs = zip(sizes, [*sizes[1:], 0], strict=True)
    return [" " if min(one, other) > 0 and max(one, other) > 1 else "" for one, other in pairs]


def joined(tokens: Sequence[str], spaces: bool = True) -> str:
    """All tokens as one text."""
    return "".join(token + gap for token, gap in zip(tokens, gaps(tokens, spaces), strict=True)).strip()


def _spelt(token: str) -> int:
    """How many letters with cases and digits a token has."""
    return sum(sign.lower() != sign.upper() or sign.isdecimal() for sign in token)
