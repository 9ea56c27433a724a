"""Why Slurm keeps jobs waiting, said while Snakemake waits for them.

Snakemake waits for a queued job however long it takes, and without a word. Most jobs wait for their turn; but one that
no node can take, because it asks for too much or because the nodes are down, waits for ever.
"""

from __future__ import annotations

import re
import subprocess
import threading
import time
from pathlib import Path

#: What to read where Slurm takes a job not even into the queue.
REFUSED = (
    "Where sbatch failed, Slurm refused what a job asked for (partition, account, memory, time, GPUs); "
    "docs/cluster.md, What goes wrong, has Slurm's words and what to change for each."
)
SECONDS, NAMED = 30, 3
#: Slurm's reasons that pass by themselves, those of a limit of jobs at once among them (QOSMaxJobsPerUserLimit).
_PASSING = re.compile(r"None|Priority|Resources|BeginTime|Dependency|JobArrayTaskLimit|.*Max.*Jobs.*Limit")
#: What to do about others, by a word of theirs.
_REMEDIES = {
    "DOWN": "`sinfo -R` says which nodes are down and why; these jobs run when one is back, or in another partition",
    "TimeLimit": "ask for less time (set-resources: <rule>:runtime=<minutes>), or for another partition",
    "PartitionConfig": "no node has as much: ask for less (set-threads: <rule>=<threads>), or for another partition",
}
_ELSE = "if that does not pass, stop with Ctrl-C and ask for less, or for another partition"


def watch() -> None:
    """Say once of each reason why jobs of this folder wait, while the process lives."""
    threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    said: set[str] = set()
    while True:
        time.sleep(SECONDS)
        for reason, jobs in _waiting().items():
            if reason not in said:
                said.add(reason)
                remedy = next((text for word, text in _REMEDIES.items() if word in reason), _ELSE)
                more = f" and {len(jobs) - NAMED} more" if len(jobs) > NAMED else ""
                print(
                    f"Slurm keeps {', '.join(jobs[:NAMED])}{more} waiting: {reason}. What to do: {remedy} "
                    "(slurm_partition in profiles/slurm/config.yaml; docs/cluster.md, What goes wrong).",
                    flush=True,
                )


def _waiting() -> dict[str, list[str]]:
    """This folder's jobs that wait for more than their turn, by Slurm's reason: the number of each, and its rule."""
    asked = ["squeue", "--noheader", "--me", "--states=PENDING", "--format=%i|%k|%r|%Z"]
    try:
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError):  # Snakemake asks Slurm as well, and says what it can't do
        return {}
    found: dict[str, list[str]] = {}
    for line in answer.splitlines():
        if line.count("|") < 3:
            continue
        number, comment, reason, folder = line.split("|", 3)
        if not _PASSING.fullmatch(reason) and Path(folder) == Path.cwd():
            found.setdefault(reason, []).append(f"job {number} ({comment})")
    return found
