"""Folders, names and machines that are not like ours; what a run that can't be made leaves behind."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import OWN, PROJECT, Checkout, copied

OURS = {"SNAKEMAKE_LOGGER_CNNATOMY_EVERYTHING": "false"}
REPORT = ("--config", "report=stripes")
METHODS = "report.methods=[samples,evaluation,darkness,feature_maps,dream]"
FAILS = f'overrides=["{METHODS}","dissect.feature_maps.sample=5000","dissect.dream.sample=5000"]'


@pytest.fixture(scope="module")
def checkout(made, tmp_path_factory) -> Checkout:
    """In a folder whose name has all that shells, Snakemake, Hydra and web addresses take for something else."""
    return copied(made, tmp_path_factory.mktemp("odd") / "my (new) folder 中文 {x} ${y} `touch z` 'q' #%?&;")


def test_a_checkout_works_in_any_folder_without_a_home_and_without_utf8(checkout):
    for file in ("results/exhibits/stripes/seed0/kernels/exhibit.json", "results/report/index.html"):
        (checkout.folder / file).unlink()
    answer = checkout.snakemake(*REPORT, HOME="/proc/none", LC_ALL="C", LANG="C", **OURS)
    said = answer.stdout.splitlines()
    assert answer.returncode == 0 and said[-3].startswith("[1/2] dissect stripes kernels"), answer.stdout
    assert not list(Path(checkout.folder).rglob("z"))


def on_a_terminal(checkout: Checkout, *command: str) -> tuple[int, str]:
    ours, theirs = pty.openpty()
    environment = checkout.environment | OURS | {"TERM": "xterm", "COLUMNS": "200"}
    job = subprocess.Popen(command, cwd=checkout.folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        said += part
    os.close(ours)
    return job.wait(), said.decode(errors="replace")


def test_of_several_failures_each_is_among_the_last_lines_and_the_rest_is_in_the_page(checkout):
    answer = checkout.snakemake("--config", "report=stripes", FAILS, **OURS)
    said = answer.stdout.splitlines()
    assert answer.returncode != 0 and said[-5].endswith("2 failed:"), answer.stdout
    failed = {"  dissect stripes feature_maps", "  dissect stripes dream"}
    assert {line.split(":")[0] for line in said[-4::2]} == failed
    assert "results/report/index.html is of an earlier run." in said
    page = (checkout.folder / "results/report/partial.html").read_text(encoding="utf-8")
    assert 'id="stripes-darkness"' in page and 'id="stripes--missing"' in page and "give one of 0 to 199" in page
    assert "python -m cnnatomy.steps.dissect run=stripes seed=0 method=dream given=" in page
    # What failed is tried again, although the page of the earlier run is there; on a terminal this time.
    status, shown = on_a_terminal(
        checkout, sys.executable, "-m", "snakemake", "--cores", "2", "--config", "report=stripes", FAILS
    )
    assert status != 0
    last = shown.rpartition("2 failed:")[2]
    assert (
        "dissect stripes feature_maps: " in last
        and "dissect stripes dream: WrongSetting: dissect.dream.sample: 5000" in last
    )


def test_what_cannot_be_made_is_one_sentence_and_the_page_that_stands_is_said_to_be_earlier(checkout):
    answer = checkout.snakemake(*REPORT, 'overrides=["data.name=photos/2024"]', **OURS)
    *_, sentence, page = answer.stdout.splitlines()
    assert answer.returncode != 0 and "Error in" not in answer.stdout, answer.stdout
    assert sentence.startswith("data.name: 'photos/2024' is no name") and page.endswith(
        "index.html is of an earlier run."
    )


def test_no_name_of_a_file_that_is_asked_for_reaches_the_shell(checkout):
    answer = checkout.snakemake("results/data/`touch x`$(touch x);touch x\ntouch x/dataset.json", *REPORT, **OURS)
    assert answer.returncode != 0
    assert not list(checkout.folder.rglob("x")), answer.stdout


def test_the_package_of_another_folder_does_not_run_here(checkout):
    answer = checkout.snakemake(*REPORT, PYTHONPATH=f"{PROJECT / 'src'}{os.pathsep}{OWN}", **OURS)
    assert answer.returncode != 0 and "of another folder than this Snakefile. Run `make report` here" in answer.stdout


def test_results_that_are_a_file_are_said_to_be_one(checkout):
    results = checkout.folder / "results"
    results.rename(results.with_name("kept"))
    results.write_text("mine")
    try:
        for command in (["cnnatomy.launch"], ["snakemake", "--cores", "1", *REPORT]):
            answer = checkout.run(sys.executable, "-m", *command, REPORT="stripes", **OURS)
            assert answer.returncode != 0
            assert "results/ can't be written here: it is a file; move it away" in answer.stdout, answer.stdout
    finally:
        results.unlink()
        results.with_name("kept").rename(results)
