"""What readers are told lies in `locale/`: every sentence in every language, every id used, nothing told in passing."""

from __future__ import annotations

import ast
import os
import re
import shutil
import string
import subprocess
import sys
from pathlib import Path

import pytest

from cnnatomy.exhibit import Exhibit, InvalidExhibit, Item, say
from cnnatomy.exhibit.languages import FIRST, Language, NoSentence, in_words, language, tags
from cnnatomy.exhibit.words import described

SOURCE = Path(__file__).parents[2] / "src" / "cnnatomy"
OTHERS = [tag for tag in tags() if tag != FIRST]


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def said() -> list[tuple[Path, int, str]]:
    """(file, line, pattern) of every sentence named in the source; what is filled in is `[^.]+` in the pattern."""
    found = []
    for file in sorted(set(SOURCE.rglob("*.py")) - {SOURCE / "exhibit" / "worded.py"}):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                found += [(file, node.lineno, pattern) for pattern in _named(node.func.id, node.args)]
    return found


def _named(function: str, args: list[ast.expr]) -> list[str]:
    """What a call of `say`, or of `exhibit.worded`, names: `figure` has a caption of its own unless one is given."""
    own = ["title", "alt", *(["caption"] if len(args) < 5 else [])]
    place, parts = {"say": (0, [""]), "headed": (0, ["title", "caption"]), "figure": (1, own)}.get(function, (0, []))
    return [pattern + (rf"\.{part}" if part else "") for part in parts for pattern in _patterns(args[place])]


def _patterns(id_: ast.expr) -> list[str]:
    if isinstance(id_, ast.IfExp):
        return [*_patterns(id_.body), *_patterns(id_.orelse)]
    if isinstance(id_, ast.Constant):
        return [re.escape(str(id_.value))]
    if isinstance(id_, ast.JoinedStr):
        parts = [re.escape(str(one.value)) if isinstance(one, ast.Constant) else "[^.]+" for one in id_.values]
        return ["".join(parts)]
    return []


def test_english_comes_first_and_there_is_another():
    assert tags()[0] == FIRST and len(tags()) > 1


@pytest.mark.parametrize("tag", OTHERS)
def test_every_language_has_the_same_sentences(tag):
    assert language(tag).sentences.keys() == language(FIRST).sentences.keys()


@pytest.mark.parametrize("tag", OTHERS)
def test_every_language_names_the_same_values(tag):
    theirs = language(tag).sentences
    apart = {
        id_: places(sentence) ^ places(theirs[id_])
        for id_, sentence in language(FIRST).sentences.items()
        if places(sentence) != places(theirs[id_])
    }
    assert not apart


def test_every_sentence_that_is_named_exists():
    ids = language(FIRST).sentences
    missing = [
        f"{file.name}:{line} {pattern}"
        for file, line, pattern in said()
        if not any(re.fullmatch(pattern, id_) for id_ in ids)
    ]
    assert not missing


def test_every_sentence_is_used():
    patterns = {pattern for _, _, pattern in said()}
    unused = [id_ for id_ in language(FIRST).sentences if not any(re.fullmatch(one, id_) for one in patterns)]
    assert not unused


@pytest.mark.parametrize("tag", tags())
def test_no_sentence_ends_in_the_middle(tag):
    for id_, sentence in language(tag).sentences.items():
        assert sentence.strip() == sentence or id_ in ("data.window.seconds",), id_


def test_values_are_written_as_the_language_does():
    one = Language(FIRST)
    one.sentences = {"a.b": "{n} {n:filter|filters}, {share:.1%}, {low:+.2f}; {names}: {inner}", "a.c": "only {n:.0f}"}
    two = Language("zh")
    two.sentences = {"a.b": "{names}，{share:.0%}，{low:.1f}，{n}{inner}"}
    values = {"n": 1, "share": 0.981, "low": -0.126, "names": ["x", say("a.c", n=2)], "inner": {"en": "e", "zh": "中"}}
    text = described(say("a.b", **values))
    assert one.words(text["with"]["inner"]) == "e"
    assert (
        one.vformat(one.sentences["a.b"], (), text["with"] | {"names": ["x", "y"]})
        == "1 filter, 98.1 %, −0.13; x, y: e"
    )
    assert two.vformat(two.sentences["a.b"], (), text["with"] | {"names": ["x", "y"]}) == "x、y，98 %，−0.1，1中"


def test_sentences_follow_each_other_as_the_language_has_it():
    text = described([say("kernels.title"), None, say("exhibit.does_not_apply", because="x")])
    english, chinese = (language(tag).words(text) for tag in ("en", "zh"))
    assert english == "What the first layer looks for Does not apply, because x."
    assert chinese == "第一层卷积核不适用：x。"


def test_a_sentence_that_a_language_lacks_is_said_in_english():
    bare = Language("zh")
    bare.sentences = {}
    assert bare.words({"say": "kernels.title"}) == "What the first layer looks for"


def test_a_document_in_words_has_no_ids_left():
    document = {
        "title": {"say": "kernels.title"},
        "caption": "c",
        "blocks": [{"title": {"say": "kernels.profile.title"}}],
    }
    assert in_words(document) == {
        "title": {"en": "What the first layer looks for", "zh": "第一层卷积核"},
        "caption": "c",
        "blocks": [{"title": {"en": "Where in the window the weights are", "zh": "权重在窗口中的位置"}}],
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (say("kernels.titel"), r"there is no sentence 'kernels.titel' in locale/en/kernels.yaml"),
        (say("kernels.filters.idle", n=3), r"the sentence 'kernels.filters.idle' \(en\) wants a value 'idle'"),
        (say("kernels.filters.height", lowest="a", highest=3), None),
    ],
)
def test_an_exhibit_that_names_what_is_not_there_is_not_written(tmp_path, text, words):
    exhibit = Exhibit("run", "r", "m", 0, "t", [text])
    if words is None:
        exhibit.write(tmp_path / "e", {}, {})
        return
    with pytest.raises(InvalidExhibit, match=words):
        exhibit.write(tmp_path / "e", {}, {})


def test_what_is_missing_is_named():
    with pytest.raises(NoSentence, match="there is no sentence"):
        language(FIRST).words({"say": "nothing.at.all"})


def test_labels_and_groups_may_be_sentences(tmp_path):
    import numpy as np

    from cnnatomy.exhibit import Grid, read

    item = Item("a", np.zeros((2, 2), np.uint8), say("kernels.title"), group=say("kernels.profile.title"))
    Exhibit("run", "r", "m", 0, "t", "c", [], [Grid("g", [item])]).write(tmp_path / "e", {}, {})
    (entry,) = in_words(read(tmp_path / "e"))["blocks"][0]["items"]
    assert entry["label"]["zh"] == "第一层卷积核" and entry["group"]["zh"] == "权重在窗口中的位置"


def test_a_word_changed_makes_the_report_anew_and_nothing_else(tmp_path):
    """Of every step's code, by its digest in a checkout where one sentence is another."""
    project = SOURCE.parents[1]
    for name in ("src", "conf"):
        shutil.copytree(project / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    script = """
from cnnatomy.config.compose import compose
from cnnatomy.config.slices import code_of

config = compose(["run=mnist"])
steps = [(step, None) for step in ("fetch", "prepare", "train", "samples", "evaluate", "study", "report")]
steps += [("lesson", "convolution"), *(("dissect", method) for method in config["dissect"])]
for step, method in steps:
    if method not in ("samples", "evaluation"):
        print(step, method, code_of(step, config, method=method))
"""

    def digests() -> dict[str, str]:
        command = [sys.executable, "-c", script]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
        told = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
        return {" ".join(line.split()[:2]): line.split()[2] for line in told.splitlines()}

    before = digests()
    sentence = tmp_path / "src/cnnatomy/locale/zh/kernels.yaml"
    sentence.write_text(sentence.read_text(encoding="utf-8").replace("第一层", "首层"), encoding="utf-8")
    after = digests()
    assert len(before) > 20
    assert {step for step in before if before[step] != after[step]} == {"report None"}
