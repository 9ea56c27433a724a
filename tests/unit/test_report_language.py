"""The page's two languages: nothing that it says is missing in Chinese, and no translation is left over."""

from __future__ import annotations

import ast
import json
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from markupsafe import Markup

import cnnatomy.report
from cnnatomy.drawing.plotting import draw
from cnnatomy.exhibit import Exhibit, Figure, Grid, Item, Number, languages, say
from cnnatomy.report import build
from cnnatomy.report.language import attribute, catalogue, joined, metric, others, phrase, said
from tests import gallery

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
    made = {f"Theme: {theme}" for theme in ("Auto", "Light", "Dark")}
    made |= {f"{way}: {what}" for way in ("Less", "More") for what in ("Stride", "Padding")}
    return set(re.findall(r'"((?:[^"\\]|\\.)*)"', text)) | made


@pytest.mark.parametrize("tag", others())
def test_everything_that_the_templates_say_is_in_the_catalogue(tag):
    assert in_templates() <= set(catalogue(tag)["page"])


@pytest.mark.parametrize("tag", others())
def test_the_catalogue_holds_nothing_that_is_not_said(tag):
    modules = in_modules()
    assert set(catalogue(tag)["page"]) <= in_templates() | modules
    options = set(re.findall(r'data-text="([^"{]+)"', (ROOM / "templates" / "comparison.html").read_text()))
    assert set(catalogue(tag)["script"]) <= in_scripts() | modules | options


@pytest.mark.parametrize("tag", others())
def test_everything_that_the_scripts_tell_is_in_the_catalogue(tag):
    text = "\n".join(file.read_text(encoding="utf-8") for file in (ROOM / "templates").glob("*.js"))
    told = set(re.findall(r'tell\("([^"]+)"', text))
    assert len(told) > 5 and told <= set(catalogue(tag)["script"])


@pytest.mark.parametrize("tag", others())
def test_translations_name_the_same_values(tag):
    for part in ("page", "script"):
        for english, other in catalogue(tag)[part].items():
            assert set(re.findall(r"{\w+}", english)) == set(re.findall(r"{\w+}", other)), english


def test_values_are_put_in_in_each_language():
    assert phrase("{n} {split}", n=3, split=metric("test")) == {"en": "3 test", "zh": "测试 3"}
    assert phrase("{n} {split}", n=3, split="odd {n}")["en"] == "3 odd {n}"  # what is put in is not filled again
    with pytest.raises(KeyError):
        phrase("never said")


def test_markup_escapes_both_and_says_which_is_which():
    assert said(BOTH) == Markup("<span lang=en>a &lt;b&gt; &amp; c</span><span lang=zh-Hans>甲</span>")
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


def test_a_third_language_is_a_folder(tmp_path, monkeypatch):
    """Made up of files alone, it is in the page, its button, the search, axes, legends and names of numbers."""
    shutil.copytree(languages.LOCALE, tmp_path / "locale")
    mine = tmp_path / "locale" / "xx"
    shutil.copytree(tmp_path / "locale" / "zh", mine)
    (mine / "language.yaml").write_text(
        'name: Xish\nhtml: xx\norder: 2\nbetween_sentences: " "\nbetween_items: " & "\nbetween_clauses: " + "\n'
    )
    for file in (mine / "page").glob("*.yaml"):
        known = yaml.safe_load(file.read_text(encoding="utf-8"))
        file.write_text(yaml.safe_dump({english: f"<{english}>" for english in known}), encoding="utf-8")
    (mine / "kernels.yaml").write_text("title: Kernelx\nprofile: {title: Wherex}\n")
    monkeypatch.setattr(languages, "LOCALE", tmp_path / "locale")
    for cached in (languages.tags, languages.language, catalogue):
        cached.cache_clear()
    try:
        item = Item("a", np.zeros((2, 2), np.uint8), "a", values={"likeness": 0.5})
        drawing = draw(lambda figure: figure.subplots().set(xlabel="epoch"))
        figure = Figure("curve", drawing, "alt", title=say("kernels.profile.title"))
        grid = Grid("grid", [item], caption=say("kernels.profile.caption"))
        numbers = [Number("test_accuracy", 0.5, unit="fraction")]
        exhibit = Exhibit("run", "r", "m", 0, say("kernels.title"), "c", numbers, [figure, grid])
        build(gallery.write(tmp_path, [exhibit]), tmp_path / "report", gallery.context(tmp_path))
        page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
        archive = zipfile.ZipFile(tmp_path / "report" / "exhibits.zip")
        zipped = json.loads(archive.read("r-m/exhibit.json"))
    finally:
        monkeypatch.undo()
        for cached in (languages.tags, languages.language, catalogue):
            cached.cache_clear()
    assert "<span lang=xx>Kernelx</span>" in page and "<span lang=xx>Wherex</span>" in page
    assert "<span lang=xx>The line is the mean over filters" in page  # what it lacks is said in English
    assert '<span class="other" lang="xx">Xish</span>' in page and 'data-languages="en zh-Hans xx"' in page
    assert (
        ':root[lang="zh-Hans"] .other:not([lang="xx"])' in page and ':root[lang="xx"] .other:not([lang="en"])' in page
    )
    assert "<tspan lang=xx>&lt;epoch&gt;</tspan>" in page and "<span lang=xx>&lt;test_accuracy&gt;</span>" in page
    (names,) = re.findall(r" data-names='([^']*)' data-tags", page)
    assert json.loads(names)["xx"]["likeness"] == "<likeness>"
    assert zipped["title"] == {"en": "What the first layer looks for", "zh": "第一层卷积核", "xx": "Kernelx"}
