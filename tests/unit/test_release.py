"""What is said of the project in several places is the same everywhere; forms and workflows can be read."""

from __future__ import annotations

import re
import tomllib

import yaml

from tests.conftest import PROJECT

ABOUT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_version_authors_and_licence_are_those_to_cite():
    cited = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == ABOUT["version"] and cited["license"] == ABOUT["license"]
    assert [author["name"] for author in cited["authors"]] == [author["name"] for author in ABOUT["authors"]]
    assert re.fullmatch(r"\d+\.\d+\.\d+", ABOUT["version"])
    heading = re.search(r"^## (\S+)", (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert heading is not None and heading[1] == ABOUT["version"]


def test_the_workflow_calls_what_ci_is_and_nothing_else():
    told = yaml.safe_load((PROJECT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    steps = told["jobs"]["all"]["steps"]
    assert [step["run"] for step in steps if "run" in step][-1] == "bash .ci/run"


def test_each_form_asks_for_something_and_names_it_once():
    for file in (PROJECT / ".github/ISSUE_TEMPLATE").glob("[mw]*.yml"):
        form = yaml.safe_load(file.read_text(encoding="utf-8"))
        asked = [part["id"] for part in form["body"]]
        assert form["name"] and form["description"] and len(asked) == len(set(asked)) >= 3
        assert any(part.get("validations", {}).get("required") for part in form["body"])


def test_what_the_paper_cites_is_in_its_bibliography():
    paper = PROJECT / "paper/paper.md"
    head, text = re.fullmatch(r"---\n(.*?)\n---\n(.*)", paper.read_text(encoding="utf-8"), re.DOTALL).groups()
    files = [paper.parent / file for file in yaml.safe_load(head)["bibliography"]]
    known = [key for file in files for key in re.findall(r"^@\w+\{(\w+),", file.read_text(encoding="utf-8"), re.M)]
    assert len(known) == len(set(known))
    cited = set(re.findall(r"@(\w+)", text))
    assert cited and cited <= set(known)
    own = set(re.findall(r"^@\w+\{(\w+),", files[-1].read_text(encoding="utf-8"), re.M))
    assert own <= cited, "its own bibliography has what it doesn't cite"
