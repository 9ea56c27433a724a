"""The table of steps is the workflow's: scripts, rules, threads and the page say no other."""

from __future__ import annotations

import os
import re

import pytest

from cnnatomy.config import folders, reading
from cnnatomy.config.compose import compose
from cnnatomy.config.slices import slice_of
from cnnatomy.config.steps import OWN_STEP, STEPS
from cnnatomy.report import chapters

RULES = "\n".join(file.read_text() for file in sorted((folders.PROJECT / "workflow/rules").glob("*.smk")))
SCRIPTS = set(STEPS) - {"measure"}  # which is part of `trials`


def test_each_step_has_a_script_and_a_rule():
    scripts = {file.stem for file in (folders.PROJECT / "src/cnnatomy/steps").glob("*.py")}
    rules = {rule for rule in re.findall(r"^rule (\w+):", RULES, flags=re.M)}
    assert scripts >= SCRIPTS and rules >= SCRIPTS
    assert set(re.findall(r"(?:slice|code)_of_step\(\"(\w+)\"\)", RULES)) <= set(STEPS)


def test_each_step_has_its_threads_but_a_training_whose_setting_they_are():
    threads = reading.read(folders.CONF / "base.yaml", "base")["threads"]
    assert set(threads) == SCRIPTS - {"train"}


def test_a_step_comes_behind_those_that_it_reads():
    order = list(STEPS)
    assert all(order.index(before) < order.index(name) for name, step in STEPS.items() for before in step.reads)


def test_the_page_names_the_step_of_an_exhibit_as_the_table_does():
    assert chapters.STEPS == OWN_STEP


@pytest.mark.parametrize("name", ["net.pth", "net.safetensors.index.json"])
def test_other_weights_under_the_same_name_are_another_training_however_old_they_are(tmp_path, name):
    """Snakemake only looks whether a file is newer than what was made of it."""
    (tmp_path / name).write_bytes(b"one")
    part = tmp_path / ("part-1.safetensors" if name.endswith("json") else name)
    part.write_bytes(b"one")
    config = compose(["run=mnist", f"training.weights={tmp_path / name}"])
    before = slice_of("train", config)
    assert before == slice_of("train", config)
    part.write_bytes(b"two")
    os.utime(part, (1e9, 1e9))
    assert slice_of("train", config) != before
    assert "weights" not in slice_of("train", compose(["run=mnist"]))
