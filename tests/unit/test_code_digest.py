"""The digest of code: what changes it, and what does not."""

from __future__ import annotations

import sys

import pytest

from cnnatomy.config import code, modules


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A first-party package of three modules: `top` imports `middle` in a function, which imports `bottom`."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "top.py").write_text("import json\n\ndef work():\n    from mine import middle\n    return middle\n")
    (folder / "middle.py").write_text('"""What it is."""\n\nfrom .bottom import VALUE\n')
    (folder / "bottom.py").write_text("VALUE = 1\n")
    (folder / "apart.py").write_text("VALUE = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for module in [name for name in sys.modules if name.partition(".")[0] == "mine"]:
        del sys.modules[module]


def digest(*roots, folders=()):
    for cached in (modules.spec_of, modules.file_of, modules.is_ours, modules.tree_of, code._read):
        cached.cache_clear()
    return code.digest(roots, folders)


def test_the_closure_is_what_python_would_import(package):
    digest("mine.top")
    assert code.closure(["mine.top"]) == {"mine", "mine.top", "mine.middle", "mine.bottom"}
    assert not any(name in sys.modules for name in ("mine", "mine.top"))  # read, not imported


def test_a_line_deep_in_the_closure_changes_the_digest_and_a_line_outside_does_not(package):
    before = digest("mine.top")
    (package / "apart.py").write_text("VALUE = 3\n")
    assert digest("mine.top") == before
    (package / "bottom.py").write_text("VALUE = 3\n")
    assert digest("mine.top") != before


@pytest.mark.parametrize(
    "same",
    [
        '"""Said in other words."""\n\nfrom .bottom import VALUE\n',
        "# a comment\nfrom .bottom import VALUE  # another\n",
        "from .bottom import (\n    VALUE,\n)\n",
    ],
)
def test_comments_docstrings_and_layout_do_not_count(package, same):
    before = digest("mine.top")
    (package / "middle.py").write_text(same)
    assert digest("mine.top") == before


def test_templates_count(package):
    (package / "page.html").write_text("<p>")
    before = digest("mine.top", folders=[package])
    (package / "page.html").write_text("<b>")
    assert digest("mine.top", folders=[package]) != before


def test_installed_packages_and_the_standard_library_are_not_ours():
    assert not modules.is_ours("json")
    assert not modules.is_ours("hydra")
    assert modules.is_ours("cnnatomy.config.code")


def test_what_shows_is_not_in_the_digest_of_what_measures_unless_measuring_reads_it(package):
    (package / "method").mkdir()
    (package / "method/__init__.py").write_text(
        "from mine.method.measure import measure\nfrom mine.method.show import show\n"
    )
    (package / "method/measure.py").write_text("from mine.middle import VALUE\n")
    (package / "method/show.py").write_text("from mine.apart import VALUE\n")

    def measured():
        digest()
        return code.digest(["mine.method"], shown=False)

    first = measured()
    (package / "method/show.py").write_text("from mine.apart import VALUE as COLOUR\n")
    (package / "apart.py").write_text("VALUE = 3\n")
    assert measured() == first
    (package / "bottom.py").write_text("VALUE = 3\n")
    assert measured() != first
    first = measured()
    (package / "method/measure.py").write_text("from mine.method.show import VALUE\n")
    read = measured()
    (package / "apart.py").write_text("VALUE = 4\n")
    assert first != read != measured()
