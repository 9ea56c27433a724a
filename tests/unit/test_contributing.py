"""CONTRIBUTING.md has a whole small method: as it stands there it runs, and its own test passes."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import cnnatomy.dissect
from cnnatomy.exhibit import languages

TEXT = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")


def files() -> dict[str, str]:
    """The files that the text names, each before its content."""
    part = TEXT[TEXT.index("## Add a dissection") : TEXT.index("## Change a sentence")]
    return dict(re.findall(r"^`([\w/.]+)`[^\n]*\n\n```\w+\n(.*?)^```$", part, flags=re.S | re.M))


def test_the_small_method_runs_and_its_test_passes(tmp_path, monkeypatch):
    given = files()
    assert len(given) == 7
    shutil.copytree(languages.LOCALE, tmp_path / "src/cnnatomy/locale")
    for name, content in given.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.setattr(
        cnnatomy.dissect, "__path__", [*cnnatomy.dissect.__path__, str(tmp_path / "src/cnnatomy/dissect")]
    )
    monkeypatch.setattr(languages, "LOCALE", tmp_path / "src/cnnatomy/locale")
    for cached in (languages.tags, languages.language):
        cached.cache_clear()
    try:
        space: dict = {}
        exec(given["tests/unit/test_dissect_silence.py"], space)
        space["test_a_channel_that_can_only_be_negative_is_silent"](tmp_path)
    finally:
        monkeypatch.undo()
        for cached in (languages.tags, languages.language):
            cached.cache_clear()
        for name in [name for name in sys.modules if name.startswith("cnnatomy.dissect.silence")]:
            del sys.modules[name]


def test_what_it_measures_and_shows_takes_no_more_than_twenty_five_lines():
    given = files()
    code = [given[f"src/cnnatomy/dissect/silence/{name}.py"] for name in ("measure", "show")]
    lines = [
        line for text in code for line in text.splitlines() if line.strip() and not line.startswith(("from", "import"))
    ]
    assert len(lines) <= 25
