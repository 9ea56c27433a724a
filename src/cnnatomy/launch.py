"""What `make report` and `cnnatomy report` run: Snakemake, one at a time in a folder, going on after an interruption.

REPORT, OVERRIDES and PROFILE come from the environment. OVERRIDES is split as a shell would split it and handed on in a
YAML file, never through a command line, so that every character survives. SNAKEMAKE_OUTPUT_CACHE names a folder
through which downloads and prepared data are shared.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import yaml

from cnnatomy import locks, places, shadows
from cnnatomy.config import folders

LOCK = Path(".snakemake/cnnatomy.lock")
ASKED = Path("results/config/asked.yaml")
PATIENCE = 3  # seconds in which what a run has just left ends by itself, and nobody need hear of it


def main() -> int:
    """Run Snakemake for what the environment asks; its exit status."""
    try:
        overrides = shlex.split(os.environ.get("OVERRIDES", ""))
    except ValueError as error:
        print(f"OVERRIDES cannot be split into words ({error}): is a quote missing?", file=sys.stderr)
        return 2
    try:
        places.check(Path())
        shadows.refuse()
    except (places.NotWritable, shadows.Shadowed) as error:
        print(error, file=sys.stderr)
        return 2
    places.keep_caches(Path())
    with _take() as lock:
        # The jobs inherit the lock: what a killed Snakemake left running still holds it, and two never write one file.
        os.set_inheritable(lock.fileno(), True)
        ASKED.parent.mkdir(parents=True, exist_ok=True)
        ASKED.write_text(yaml.safe_dump({"report": os.environ.get("REPORT") or "default", "overrides": overrides}))
        if any(Path(".snakemake/locks").glob("*")):
            subprocess.run([*_snakemake(), "--unlock", "--quiet", "all"], close_fds=False, check=False)
        return _wait_for([*_snakemake(), *sys.argv[1:]])


def _wait_for(command: list[str]) -> int:
    """Run Snakemake to its own end, also where this process is asked to stop: its exit status, or the signal's.

    Ctrl-C reaches Snakemake and its jobs by itself; whatever reaches this process alone is passed on.
    """
    stopped: list[int] = []
    process: subprocess.Popen[bytes] | None = None

    def stop(number: int, _: object) -> None:
        stopped.append(number)
        if process is not None and (number != signal.SIGINT or not _has_terminal()):
            process.send_signal(signal.SIGTERM)  # a second SIGINT would break off what the first has begun

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:  # as behind nohup, and for Snakemake too
            signal.signal(number, stop)
    process = subprocess.Popen(command, close_fds=False)
    if stopped:  # before there was anything to pass it on to
        process.send_signal(signal.SIGTERM)
    status = process.wait()
    if not stopped or not status:
        return status
    return _interrupted(stopped[0])


def _interrupted(number: int) -> int:
    """The last line of a run that a signal ended, and its exit status."""
    word = "Interrupted" if number == signal.SIGINT else "Stopped"
    print(f"{word}. The same command goes on from here.", file=sys.stderr)
    return 128 + number


def _has_terminal() -> bool:
    """Whether this process is in the foreground of a terminal, whose Ctrl-C all its children have got too."""
    try:
        with open("/dev/tty") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def _snakemake() -> list[str]:
    profile = os.environ.get("PROFILE") or "default"
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(folders.snakefile()), "--configfile", str(ASKED)]
    shared = ["--cache"] if os.environ.get("SNAKEMAKE_OUTPUT_CACHE") else []  # Snakemake wants both
    return [*command, "--rerun-incomplete", *shared, "--workflow-profile", str(folders.profile(profile))]


def _take() -> IO[str]:
    lock = locks.take(LOCK, wait=False)
    until = time.monotonic() + PATIENCE
    while lock is None and time.monotonic() < until:
        time.sleep(0.1)
        lock = locks.take(LOCK, wait=False)
    if lock is None:
        print(
            "Another report is being made in this folder, or a job of one is left; waiting for it to end.", flush=True
        )
        lock = locks.take(LOCK, wait=True)
    assert lock is not None
    return lock


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # before Snakemake: while another run is waited for
        sys.exit(_interrupted(signal.SIGINT))
