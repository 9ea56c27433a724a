"""`make sbom`: every package of the environment, its licence by name, and whether the program or its tests want it."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PathDistribution

import pandas as pd
import pytest

from benchmarks import sbom
from tests.conftest import PROJECT


def package(folder, about: str, text: str = "") -> PathDistribution:
    place = folder / "thing-1.0.dist-info"
    place.mkdir()
    (place / "METADATA").write_text(f"Metadata-Version: 2.4\nName: thing\nVersion: 1.0\n{about}")
    (place / "LICENSE").write_text(text)
    (place / "RECORD").write_text("thing-1.0.dist-info/LICENSE,,\n")
    return PathDistribution(place)


@pytest.mark.parametrize(
    ("about", "text", "name"),
    [
        ("License-Expression: MIT AND BSD-3-Clause\nLicense: whatever\n", "", "MIT AND BSD-3-Clause"),
        ("License: BSD\n", "", "BSD"),
        ("License: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\n", "", "MIT License"),
        (f"License: {'all of its text ' * 9}\n", "\nApache License\nVersion 2.0", "Apache License"),
        ("", "Copyright somebody", "unknown"),
    ],
)
def test_a_licence_is_named_as_the_package_names_it(tmp_path, about, text, name):
    assert sbom.licence(package(tmp_path, about, text)) == name


def test_what_the_program_wants_and_what_that_wants_is_the_programs():
    found = sbom.table().set_index("package")
    assert found.loc["cnnatomy", "licence"] == "MIT" and found.loc["torch", "wanted_by"] == "cnnatomy"
    assert found.loc["sympy", "for"] == "the program" and found.loc["sympy", "wanted_by"] == "torch"
    assert (found.loc[["pytest", "quantus", "sgfmill"], "for"] == "tests and extras").all()


def test_the_command_writes_the_table(tmp_path):
    file = tmp_path / "made/sbom.csv"
    answer = subprocess.run(
        [sys.executable, "benchmarks/sbom.py", str(file)], cwd=PROJECT, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    written = pd.read_csv(file)
    assert list(written) == ["package", "version", "licence", "for", "wanted_by"] and written["licence"].notna().all()
    assert answer.stdout.endswith(f"The table: {file}\n") and " packages for the program:" in answer.stdout
