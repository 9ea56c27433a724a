"""Letters of any script in overrides. Hydra's grammar knows those of English only, in keys and in values alike.

Every other sign is spelt in letters that it knows before Hydra reads an override, and put back into what it has read:
so `runs.动作.training.max_epochs=3` and `{声音: [甲, 乙]}` mean what they would in English. Importing this is enough.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, QuotedString

_OTHER = re.compile(r"[^\x00-\x7f]")
_read = OverridesParser.parse_rule


def _read_any(self: OverridesParser, said: str, rule: str) -> Any:
    """In place of Hydra's own function, which all its readings of overrides come through."""
    if said.isascii():
        return _read(self, said, rule)
    mark = "x"
    while mark in said:
        mark += "x"
    found = _read(self, _OTHER.sub(lambda sign: f"{mark}{ord(sign[0]):06x}", said), rule)
    if not isinstance(found, Override):
        return _respelt(found, mark)
    changed: Any = {part: _respelt(getattr(found, part), mark) for part in ("key_or_group", "package", "_value")}
    return replace(found, **changed, input_line=said)


def _respelt(read: Any, mark: str) -> Any:
    """What was read, with its own signs in its texts."""
    if isinstance(read, str):
        return re.sub(f"{mark}([0-9a-f]{{6}})", lambda code: chr(int(code[1], 16)), read)
    if isinstance(read, QuotedString):
        return replace(read, text=_respelt(read.text, mark))
    if isinstance(read, list):
        return [_respelt(element, mark) for element in read]
    if isinstance(read, dict):
        return {_respelt(key, mark): _respelt(value, mark) for key, value in read.items()}
    return read


OverridesParser.parse_rule = _read_any  # type: ignore[assignment,method-assign]
