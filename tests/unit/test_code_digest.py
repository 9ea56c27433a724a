"""The digest of code: what changes it, and what does not."""

from __future__ import annotations

import json
import sys

import pytest

from cnnatomy.config import code, modules, sources


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
    monkeypatch.setattr(code, "_SOURCES", sources.Sources(tmp_path / "cache/sources.json"))
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


def next_process(monkeypatch) -> None:
    """Forget what a process keeps in memory."""
    monkeypatch.setattr(code, "_SOURCES", sources.Sources(code._SOURCES._place))


def test_the_next_process_parses_only_what_changed(package, monkeypatch):
    before = digest("mine.top")
    next_process(monkeypatch)
    again = []
    parsed = sources.parsed
    monkeypatch.setattr(sources, "parsed", lambda content, file: again.append(file.name) or parsed(content, file))
    assert digest("mine.top") == before and again == []
    (package / "bottom.py").write_text("VALUE = 3\n")
    assert digest("mine.top") != before and again == ["bottom.py"]
    (package / "bottom.py").write_text("VALUE = 1\n")
    next_process(monkeypatch)
    assert digest("mine.top") == before and again == ["bottom.py"]


@pytest.mark.parametrize(
    "left", [b"", b"{", b"[]", b'{"by": 1}', b'{"by": "BY", "sources": [1]}', b"\xff\x00", b'{"sources": {}}']
)
def test_what_can_not_be_read_is_parsed_anew(package, monkeypatch, left):
    before = digest("mine.top")
    code._SOURCES._place.write_bytes(left.replace(b"BY", sources.BY.encode().replace(b"\n", b"\\n")))
    next_process(monkeypatch)
    assert digest("mine.top") == before
    assert len(json.loads(code._SOURCES._place.read_bytes())["sources"]) == 4


def test_what_another_python_or_another_version_wrote_is_not_taken(package, monkeypatch):
    before = digest("mine.top")
    place = code._SOURCES._place
    kept = json.loads(place.read_bytes())
    wrong = {key: [names, "0" * 64] for key, (names, _) in kept["sources"].items()}
    place.write_text(json.dumps({"by": "3.9.1 another", "sources": wrong}))
    next_process(monkeypatch)
    assert digest("mine.top") == before
    place.write_text(json.dumps({"by": kept["by"], "sources": wrong}))  # it would be taken
    next_process(monkeypatch)
    assert digest("mine.top") != before


def test_where_nothing_can_be_kept_all_is_parsed(package, monkeypatch, tmp_path):
    before = digest("mine.top")
    (tmp_path / "file").touch()
    for place in (None, tmp_path / "file/sources.json"):
        monkeypatch.setattr(code, "_SOURCES", sources.Sources(place))
        assert digest("mine.top") == before
    assert not list((tmp_path / "cache").glob(".sources*"))


def test_processes_keep_what_each_other_wrote_until_it_is_too_much(package, monkeypatch, tmp_path):
    first, second = (sources.Sources(tmp_path / "both.json") for _ in range(2))
    first.of(package / "top.py")
    second.of(package / "apart.py")
    first.keep()
    second.keep()
    assert len(json.loads((tmp_path / "both.json").read_bytes())["sources"]) == 2
    monkeypatch.setattr(sources, "MOST", 2)
    second.of(package / "middle.py")
    second.keep()
    assert len(json.loads((tmp_path / "both.json").read_bytes())["sources"]) == 2, "its own, and not the other's"


def test_the_place_is_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert sources.place() == tmp_path / "cnnatomy/sources.json"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert sources.place() == tmp_path / ".cache/cnnatomy/sources.json"
