"""The page's two languages: nothing that it says is missing in Chinese, and no translation is left over."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from markupsafe import Markup

import cnnatomy.report
from cnnatomy.report.language import attribute, catalogue, joined, metric, phrase, said

ROOM = Path(cnnatomy.report.__file__).parent
BOTH = {"en": "a <b> & c", "zh": "甲"}


def in_templates() -> set[str]:
    text = "\n".join(file.read_text(encoding="utf-8") for file in (ROOM / "templates").glob("*.html"))
    found = re.findall(r'\b(?:t|phrase)\(\s*"((?:[^"\\]|\\.)*)"', text)
    found += re.findall(r'call part\("\w+", "([^"]+)"\)', text)
    found += re.findall(r'\("\w+", "([A-Z]\w+)"\)', text)  # pairs that a loop goes over
    return {sentence.encode().decode("unicode-escape") if "\\" in sentence else sentence for sentence in found}


def in_modules() -> set[str]:
    found = set()
    for file in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def in_scripts() -> set[str]:
    text = "\n".join(file.read_text(encoding="utf-8") for file in (ROOM / "templates").glob("*.js"))
    return set(re.findall(r'"((?:[^"\\]|\\.)*)"', text)) | {f"Theme: {theme}" for theme in ("Auto", "Light", "Dark")}


def test_everything_that_the_templates_say_is_in_the_catalogue():
    assert in_templates() <= set(catalogue()["page"])


def test_the_catalogue_holds_nothing_that_is_not_said():
    modules = in_modules()
    assert set(catalogue()["page"]) <= in_templates() | modules
    options = set(re.findall(r'data-text="([^"{]+)"', (ROOM / "templates" / "comparison.html").read_text()))
    assert set(catalogue()["script"]) <= in_scripts() | modules | options


def test_everything_that_the_scripts_tell_is_in_the_catalogue():
    text = "\n".join(file.read_text(encoding="utf-8") for file in (ROOM / "templates").glob("*.js"))
    told = set(re.findall(r'tell\("([^"]+)"', text))
    assert len(told) > 5 and told <= set(catalogue()["script"])


def test_translations_name_the_same_values():
    for part in ("page", "script"):
        for english, chinese in catalogue()[part].items():
            assert set(re.findall(r"{\w+}", english)) == set(re.findall(r"{\w+}", chinese)), english


def test_values_are_put_in_in_each_language():
    assert phrase("{n} {split}", n=3, split=metric("test")) == {"en": "3 test", "zh": "测试 3"}
    assert phrase("{n} {split}", n=3, split="odd {n}")["en"] == "3 odd {n}"  # what is put in is not filled again
    with pytest.raises(KeyError):
        phrase("never said")


def test_markup_escapes_both_and_says_which_is_which():
    assert said(BOTH) == Markup('<span lang="en">a &lt;b&gt; &amp; c</span><span lang="zh-Hans">甲</span>')
    assert said("a < b") == Markup("a &lt; b")
    assert attribute("alt", {"en": 'say "a"', "zh": "甲"}) == Markup('alt="say &#34;a&#34;" data-zh-alt="甲"')
    assert attribute("alt", "a") == Markup('alt="a"')


def test_joining_leaves_out_what_is_empty():
    assert joined([BOTH, "", "b"]) == {"en": "a <b> & c · b", "zh": "甲 · b"}
    assert joined(["a", BOTH], {"en": ", ", "zh": "，"}) == {"en": "a, a <b> & c", "zh": "a，甲"}


def test_no_line_ends_between_a_number_and_its_per_cent():
    assert said("right on 77.2 % of 9 % or %") == "right on 77.2\u202f% of 9\u202f% or %"
    assert said({"en": "5 %", "zh": "占 5 %"}).count("\u202f%") == 2


def test_names_are_written_as_they_are_written_elsewhere():
    assert [
        metric(name) if isinstance(metric(name), str) else metric(name)["en"] for name in ("mse_at_start", "f1")
    ] == [
        "MSE at start",
        "F1",
    ]
    assert metric("shift_at_500_hz")["en"] == "shift at 500 Hz"
