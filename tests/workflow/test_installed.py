"""Installed from a wheel, in an empty folder and without a checkout: what `pip install` gives."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import OWN, PROJECT

pytestmark = pytest.mark.slow

BUILT_FROM = ("conf", "workflow", "profiles", "src", "docs/results", "setup.py", "pyproject.toml", "CITATION.cff")
BESIDE = ("README.md", "LICENSE")
#: What a checkout and an installed package compute alike: the digest of each exhibit of a report, and of its page.
DIGESTS = """
from cnnatomy.config.plan import Plan
from cnnatomy.config.slices import code_of, digest_of
plan = Plan("stripes")
for method in plan.methods("stripes"):
    step = method if method in ("samples", "evaluate") else {"evaluation": "evaluate"}.get(method, "dissect")
    print(method, digest_of(step, plan.config("stripes"), method=method))
print("page", code_of("report", plan.composed))
"""


@dataclass
class Installed:
    """An environment with the wheel and the libraries of these tests, and a folder to work in."""

    environment: Path
    folder: Path

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """A command of the environment in the folder, with nothing that points to a checkout."""
        ours = ("CNNATOMY_", "SNAKEMAKE_", "PYTHON", "OVERRIDES", "REPORT")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        program, *arguments = command
        return subprocess.run(
            [str(self.environment / "bin" / program), *arguments],
            cwd=self.folder,
            env=inherited | {"BROWSER": "true"} | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )


def source(folder: Path) -> Path:
    """The files that a wheel is built from, so that building leaves nothing in the checkout."""
    for name in BUILT_FROM:
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in (*BUILT_FROM, *BESIDE):
        if (PROJECT / name).is_file():
            shutil.copy(PROJECT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built without a network: setuptools is in the environment of the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder)]
    answer = subprocess.run([*build, str(source(folder / "source"))], capture_output=True, text=True, cwd=folder)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    packages = next(environment.glob("lib/python*/site-packages"))
    libraries = [entry for entry in sys.path if entry.endswith("site-packages")]
    (packages / "libraries.pth").write_text("".join(f"{entry}\n" for entry in libraries))
    python = str(environment / "bin/python")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index"]
    answer = subprocess.run([*install, "--force-reinstall", str(wheel)], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    (folder / "empty").mkdir()
    return Installed(environment, folder / "empty")


@pytest.fixture(scope="module")
def reported(installed) -> Installed:
    """The report of stripes, from the user's own conf/ in the folder in which the command was called."""
    shutil.copytree(OWN, installed.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    answer = installed.run("cnnatomy", "report", "stripes", "report.recorded=[direction]")
    assert answer.returncode == 0, answer.stdout
    assert f"The page: {installed.folder / 'results/report/index.html'}" in answer.stdout
    return installed


def test_the_default_report_is_planned_as_in_a_checkout(installed):
    shutil.rmtree(installed.folder)
    installed.folder.mkdir()
    asked = ("-c", "from cnnatomy.config.plan import Plan; p = Plan(); p.check(); print(*p.exhibits(), sep='\\n')")
    ours = subprocess.run([sys.executable, *asked], capture_output=True, text=True, cwd=PROJECT)
    theirs = installed.run("python", *asked)
    assert ours.returncode == theirs.returncode == 0, theirs.stdout
    assert ours.stdout == theirs.stdout and "results/exhibits/mnist/seed0/kernels/exhibit.json" in ours.stdout
    assert not list(installed.folder.iterdir())


def test_the_report_lies_in_the_folder_in_which_it_was_asked_for(reported):
    given = {place.name for place in OWN.iterdir()} - {"__pycache__"}
    there = {place.name for place in reported.folder.iterdir()} - {"__pycache__"}
    assert there == given | {"results", "resources", ".snakemake"}
    with (reported.folder / "results/report/results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["method"] for row in rows if row["name"] == "stripes"} >= {
        "samples",
        "evaluation",
        "kernels",
        "darkness",
    }
    assert any(row["name"] == "direction" for row in rows), "what was recorded hangs"
    page = (reported.folder / "results/report/index.html").read_text(encoding="utf-8")
    assert "The cnnatomy developers" in page, "how to cite it"
    assert not list(reported.environment.glob("lib/python*/site-packages/results"))


def test_installed_code_has_the_digests_of_the_same_code_in_a_checkout(reported):
    own = {"CNNATOMY_CONF": str(OWN / "conf"), "PYTHONPATH": str(OWN)}
    environment = os.environ | own | {"PYTHONPATH": os.pathsep.join([str(PROJECT / "src"), str(OWN)])}
    ours = subprocess.run([sys.executable, "-c", DIGESTS], capture_output=True, text=True, env=environment)
    theirs = reported.run("python", "-c", DIGESTS, **own)
    assert ours.returncode == theirs.returncode == 0, ours.stderr + theirs.stdout
    assert ours.stdout == theirs.stdout and len(ours.stdout.splitlines()) == 6


def test_each_word_works_there(reported, tmp_path):
    page = reported.folder / "results/report/index.html"
    assert reported.run("cnnatomy", "show").stdout.strip() == str(page)
    again = reported.run("cnnatomy", "dissect", "stripes", "kernels")
    assert again.returncode == 0 and "Nothing to do" in again.stdout, again.stdout
    assert "Did you mean 'widths'?" in reported.run("cnnatomy", "study", "width").stdout
    looked = reported.run("cnnatomy", "doctor").stdout
    assert f"{reported.folder} can be written" in looked and f"{reported.folder / 'conf'}; reports: stripes" in looked
    for number in range(24):
        (tmp_path / "pictures" / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
        Image.new("L", (20, 20), number).save(tmp_path / "pictures" / "ab"[number % 2] / f"{number}.png")
    found = reported.run("cnnatomy", "new", str(tmp_path / "pictures"), "--name", "planes")
    assert found.returncode == 0, found.stdout
    assert (reported.folder / "conf/run/planes.yaml").is_file() and "cnnatomy report planes" in found.stdout


def test_the_rules_are_a_module_of_another_workflow(reported, tmp_path):
    """As docs/installing.md has it: the names of its rules prefixed, and rules and a default target of its own."""
    told = re.search("^```python\n(.*?)^```$", (PROJECT / "docs/installing.md").read_text(), re.MULTILINE | re.DOTALL)
    assert told is not None
    (tmp_path / "Snakefile").write_text(told[1])
    own = {"CNNATOMY_CONF": str(OWN / "conf"), "PYTHONPATH": str(OWN)}
    elsewhere = Installed(reported.environment, tmp_path)
    dry = elsewhere.run("python", "-m", "snakemake", "-n", "-p", "--cores", "2", **own)
    assert dry.returncode == 0 and "given=$CNNATOMY_GIVEN" in dry.stdout, dry.stdout
    counts = {line.split()[0]: line.split()[1] for line in dry.stdout.splitlines() if len(line.split()) == 2}
    assert counts["cnnatomy_dissect"] == "3" and counts["fetch"] == counts["cnnatomy_fetch"] == counts["all"] == "1"
    assert "cnnatomy_all" not in counts
    made = elsewhere.run("python", "-m", "snakemake", "--cores", "2", "results/data/stripes/dataset.json", **own)
    assert made.returncode == 0, made.stdout


def test_the_wheel_says_what_it_is_and_the_source_has_all_that_it_is_built_from(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "wheel")
    assert {"cnnatomy/py.typed", "cnnatomy/project/conf/base.yaml", "cnnatomy/project/workflow/Snakefile"} <= names
    assert not any(part in name for name in names for part in ("__pycache__", "setup.sh", "tests/"))
    about = PathDistribution(next((tmp_path / "wheel").glob("*.dist-info"))).metadata
    assert about["Author"] == "The cnnatomy developers" and "Typing :: Typed" in about.get_all("Classifier")
    build = "from setuptools import build_meta; print(build_meta.build_sdist('made'))"
    (tmp_path / "source/made").mkdir(parents=True)
    answer = subprocess.run(
        [sys.executable, "-c", build], cwd=source(tmp_path / "source"), capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    with tarfile.open(next((tmp_path / "source/made").glob("*.tar.gz"))) as packed:
        inside = {name.partition("/")[2] for name in packed.getnames()}
    assert {
        "setup.py",
        "CITATION.cff",
        "conf/base.yaml",
        "workflow/rules/common.smk",
        "docs/results/runs.csv",
    } <= inside
