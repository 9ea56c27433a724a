"""What a user reads while Slurm keeps jobs waiting."""

from __future__ import annotations

import subprocess
from pathlib import Path

from cnnatomy import waiting


def test_only_what_does_not_pass_by_itself_is_told_and_only_of_this_folder(monkeypatch):
    here = Path.cwd()
    answer = f"""\
7|rule_train|Priority|{here}
8|rule_train|QOSMaxJobsPerUserLimit|{here}
9|rule_trials|PartitionConfig|{here}
10|rule_train|Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions|{here}
11|rule_train|PartitionConfig|/somewhere/else
slurm_load_jobs error
"""
    monkeypatch.setattr(
        waiting.subprocess, "run", lambda asked, **_: subprocess.CompletedProcess(asked, 0, stdout=answer)
    )
    assert waiting._waiting() == {
        "PartitionConfig": ["job 9 (rule_trials)"],
        "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions": [
            "job 10 (rule_train)"
        ],
    }


def test_without_squeue_nothing_is_told(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert waiting._waiting() == {}
