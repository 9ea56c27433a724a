"""The pages of the documentation: links lead somewhere, examples run, two languages say the same, the site is built."""

from __future__ import annotations

import doctest
import importlib.util
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.conftest import PROJECT

PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob(".github/**/*.md")])
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^```\w*\n.*?^```$|(?:^    [^\n]*\n)+", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#+) +(.*)$", re.MULTILINE)


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@cache
def anchors(page: Path) -> set[str]:
    """The headings' anchors by GitHub's rule: letters, digits, - and _, blanks as -; the second of a name has -1."""
    found: set[str] = set()
    seen: dict[str, int] = {}
    for heading in HEADING.findall(FENCED.sub("", read(page))):
        said = re.sub(r"\[([^\]]*)\]\([^)]*\)|[`*]", r"\1", heading[1].strip())
        name = re.sub(r"[^\w\- ]", "", said.lower()).replace(" ", "-")
        found.add(f"{name}-{seen[name]}" if name in seen else name)
        seen[name] = seen.get(name, 0) + 1
    return found


def links(page: Path) -> list[str]:
    """What a page links to and shows, outside of code."""
    text = re.sub(r"`[^`\n]*`", "", FENCED.sub("", read(page)))
    return re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_lead_somewhere(page):
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = unquote(link).partition("#")
        at = (page.parent / target).resolve() if target else page
        assert at.is_relative_to(PROJECT) and at.exists(), f"{link}: there is nothing"
        assert not anchor or anchor in anchors(at), f"{link}: no such heading"


def test_anchors_are_as_github_makes_them(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# What `it` is: a *name*, 2.5 px\n\n```\n# not one\n```\n\n## kernels\n\n## kernels\n\n## 图片：每类\n"
    )
    assert anchors(page) == {"what-it-is-a-name-25-px", "kernels", "kernels-1", "图片每类"}


def test_the_tutorial_says_the_same_in_chinese():
    """Headings, commands, files and paragraphs of its first part, one for one; names in code are the same names."""
    chinese = read(PROJECT / "docs/zh/own.md")
    english = read(PROJECT / "docs/own.md").partition("\n## Sounds")[0]
    assert CODE.findall(chinese) == CODE.findall(english)
    assert [depth for depth, _ in HEADING.findall(CODE.sub("", chinese))] == [
        depth for depth, _ in HEADING.findall(CODE.sub("", english))
    ]
    starts = [re.findall(r"^\*\*[^*]+\*\*", text, re.MULTILINE) for text in (chinese, english)]
    assert len(starts[0]) == len(starts[1]) >= 8
    settings = [set(re.findall(r"`([^`\n]+)`", CODE.sub("", text))) for text in (chinese, english)]
    assert settings[1] - settings[0] <= {"mine", "from", "path"}


def site():
    spec = importlib.util.spec_from_file_location("build_site", PROJECT / "docs/site/build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_is_in_the_contents():
    here = {str(page.relative_to(PROJECT)) for page in PAGES if ".github" not in page.parts}
    assert here == set(site().written())


SOURCE = PROJECT / "src"
EXAMPLES = sorted(file for file in SOURCE.rglob("*.py") if ">>> " in read(file))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_examples_of_docstrings_do_what_they_say(file):
    module = importlib.import_module(".".join(file.relative_to(SOURCE).with_suffix("").parts))
    done = doctest.testmod(module)
    assert done.attempted and not done.failed


def built(results: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROJECT / "docs/site/build.py"), str(results), str(folder)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path):
    """With a report and an exhibit, as there would be: what a page names is in the folder, and nothing elsewhere."""
    pytest.importorskip("furo", reason="what builds the site is the extra `site`")
    kept = PROJECT / "docs/results/runs/article/evaluation"
    shutil.copytree(kept, tmp_path / "results/exhibits/mnist/seed0/evaluation")
    (tmp_path / "results/report").mkdir()
    for name in ("index.html", "results.csv", "pictures.csv", "costs.csv", "exhibits.zip"):
        (tmp_path / "results/report" / name).write_text(name)
    done = built(tmp_path / "results", tmp_path / "site")
    assert done.returncode == 0 and not done.stderr, done.stderr
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        text = re.sub(r"<(?:code|pre)\b.*?</(?:code|pre)>", "", read(page), flags=re.DOTALL)
        for what, link in re.findall(r'<\w+[^>]*?\b(src|href)="([^"#]+)', text):
            if re.match(r"[a-z]+:", link):
                assert what == "href" and "stylesheet" not in link, f"{page.name} asks another server for {link}"
            else:
                at = (page.parent / unquote(link).partition("?")[0]).resolve()
                assert at.exists(), f"{page.name} names {link}"
    shown = read(tmp_path / "site/docs/exhibits.html")
    assert "../report/index.html#article-evaluation" in shown and "_images/evaluation.svg" in shown


def test_what_is_lacking_is_named(tmp_path, monkeypatch, capsys):
    build = site()
    monkeypatch.setattr(build, "find_spec", lambda name: None if name == "furo" else object())
    assert build.main(tmp_path, tmp_path / "site") == 1
    assert capsys.readouterr().err == "make site lacks furo: pip install -e '.[site]'\n"
