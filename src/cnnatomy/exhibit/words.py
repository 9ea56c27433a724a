"""What an exhibit says: sentences by their ids. The report puts them into words, in each of its languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Say:
    """One sentence of `locale/<language>/`, with the numbers, names and sentences that fill its {places}.

    id: the file's name, and the keys that lead to the sentence: `kernels.filters.title`.
    """

    id: str
    values: Mapping[str, Any] = field(default_factory=dict)


Words = str | Mapping[str, str]
"""What is in words already: the same in all languages, or by language, `{"en": …, "zh": …}`."""

Text = Words | Say | Sequence[Words | Say | None]
"""What a reader is told: words, a sentence by its id, or several of these, one after the other, None left out."""


def say(id_: str, /, **values: Any) -> Say:
    """A sentence by its id. values: numbers, names, texts, and lists of these, by the names of their places in it."""
    return Say(id_, values)


def described(text: Text) -> Any:
    """A text as exhibit.json holds it: a string, `{"en": …}`, or `{"say": id or texts, "with": values}`."""
    if isinstance(text, Say):
        values = {key: _value(one) for key, one in text.values.items()}
        return {"say": text.id} | ({"with": values} if values else {})
    if isinstance(text, str):
        return text
    if isinstance(text, Mapping):
        return dict(text)
    return {"say": [described(one) for one in text if one is not None]}


def _value(value: Any) -> Any:
    if isinstance(value, Say | Mapping):
        return described(value)
    if isinstance(value, list | tuple):
        return [_value(one) for one in value if one is not None]
    return value.item() if hasattr(value, "item") else value  # numpy's numbers
