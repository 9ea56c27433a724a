"""docs/own.md does what it says: its files are written, its commands run, in the order of the page."""

from __future__ import annotations

import csv
import os
import re
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT, Checkout, jobs, jobs_and_wildcards, make_checkout

PAGE = (PROJECT / "docs/own.md").read_text(encoding="utf-8")
#: A fenced block, with the file's name where the line above it is one.
BLOCK = re.compile(r"(?:^`(?P<file>~/[^`]+)`:\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def script() -> str:
    """The page as one shell script; its files are written where it shows them."""
    parts = ["set -e"]
    for block in BLOCK.finditer(PAGE):
        if block["file"]:
            parts.append(f"cat > {block['file']} <<'WRITTEN'\n{block['text']}WRITTEN")
        else:
            assert block["kind"] == "bash", f"neither a command nor a file with a name: {block['text']}"
            parts.append(f"echo '--- {len(parts)}'\n{block['text']}")
    return "\n".join(parts)


def with_environment(folder: Path) -> Checkout:
    """A checkout with the environment of these tests as its .venv, so that make need not set one up, and a home."""
    checkout = make_checkout(folder)
    (folder / ".venv").mkdir()
    for part in Path(sys.prefix).iterdir():
        if part.name != ".ready":
            (folder / ".venv" / part.name).symlink_to(part)
    (folder / "requirements.lock").touch()
    (folder / ".venv/.ready").touch()
    (folder.parent / "home").mkdir()
    caches = {"XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))}
    return Checkout(folder, checkout.environment | caches | {"HOME": str(folder.parent / "home")})


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """The checkout after all of the page, and what was printed."""
    checkout = with_environment(tmp_path_factory.mktemp("tutorial") / "checkout")
    answer = checkout.run("bash", "-c", script(), timeout=500)
    assert answer.returncode == 0, answer.stdout
    return checkout, answer.stdout


def numbers(folder: Path) -> list[dict[str, str]]:
    with (folder / "results/report/results.csv").open() as file:
        return list(csv.DictReader(file))


def test_every_run_is_in_the_report_with_every_method(followed):
    checkout, _ = followed
    rows = numbers(checkout.folder)
    wanted = re.search(r"^methods: \[(.*)\]$", PAGE, re.MULTILINE)[1].split(", ")
    runs = {row["name"] for row in rows if row["kind"] == "run"}
    assert runs == {"digits", "tones", "opinions", "gestures", "odd", "two"}
    assert {(row["name"], row["method"]) for row in rows} >= {(run, method) for run in runs for method in wanted}


def test_the_networks_learn_what_they_are_given(followed):
    checkout, _ = followed
    reached = {row["name"]: float(row["value"]) for row in numbers(checkout.folder) if row["metric"] == "test_accuracy"}
    assert reached["digits"] > 0.8 and reached["tones"] > 0.9 and reached["opinions"] > 0.9
    assert reached["gestures"] > 0.9
    assert reached["odd"] < 0.5, "made-up weights know nothing"
    assert reached["two"] > 0.8, "trained on, with a last layer of its own, they learn"


def test_the_logs_say_what_became_of_the_data(followed):
    checkout, _ = followed
    logs = checkout.folder / "results/logs/prepare"
    told = (checkout.folder / "results/logs/train/two-seed0.log").read_text(encoding="utf-8")
    assert "all but 'decide', which begins with new weights" in told
    assert "images of 8 × 8 are scaled to 16 × 16" in (logs / "digits.log").read_text(encoding="utf-8")


def test_nothing_is_made_twice(followed):
    _, printed = followed
    assert jobs(printed).count("train") == 6
    assert jobs(printed).count("fetch") == 5


def due(checkout: Checkout) -> set[str]:
    """What a dry run would make, as `rule:run`."""
    mine = Path(checkout.environment["HOME"]) / "mine"
    overrides = 'overrides=["report.runs=[digits,tones,opinions,gestures,odd,two]"]'
    command = ["--dry-run", "--config", "report=mine", overrides]
    path = f"{mine}{os.pathsep}{checkout.environment['PYTHONPATH']}"
    answer = checkout.snakemake(*command, CNNATOMY_CONF=str(mine / "conf"), PYTHONPATH=path)
    assert answer.returncode == 0, answer.stdout
    return {f"{rule}:{next(iter(values.values()))}" for rule, values in jobs_and_wildcards(answer.stdout) if values}


def test_a_changed_file_of_the_users_makes_anew_what_depends_on_it(followed):
    checkout, _ = followed
    assert due(checkout) == set()
    added = Path(checkout.environment["HOME"]) / "mine/digits/3/another.png"
    added.write_bytes((added.parent / "3.png").read_bytes())
    try:
        again = due(checkout)
    finally:
        added.unlink()
    assert {"fetch:digits", "prepare:digits", "train:digits", "train:odd"} <= again
    assert not {job for job in again if job.endswith((":tones", ":opinions", ":gestures"))}
    assert due(checkout) == set(), "what is as it was is not made again"
