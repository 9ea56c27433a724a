"""How much memory fetching, preparing and training take when there are three and ten times as many clips.

    python benchmarks/memory.py                  # three minutes
    python benchmarks/memory.py --clips 10000    # ten times that is nearly Speech Commands: 11 GB of disk
    python benchmarks/memory.py --smoke          # does it run? Its figures say nothing

Sounds are made up in the layout of Speech Commands, --clips of them, three times and ten times as many. Each step runs
as a user would run it, with the configuration of `speech_commands` and the network `frequency`, whose feature maps are
small enough for data to be seen beside them. Measured is anonymous memory (RssAnon in /proc, Linux only): what a
process holds by itself. Pages of files that it has mapped are the system's, which takes them back when it needs them.
Printed and written to benchmarks/memory.csv are the highest values seen, looked at a hundred times a second.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cnnatomy.data.spoken_digits import wav

WORDS = 35
RATE = 16_000
STEPS = {
    "fetch": ["data=speech_commands"],
    "prepare": ["data=speech_commands"],
    "train": ["run=speech_commands", "model=frequency", "training.max_epochs=1"],
}
FILE = "speech_commands_v0.02.tar.gz"


def made_up(file: Path, clips: int) -> str:
    """Write a file in the layout of Speech Commands: a second of noise each, with a tone that tells the word.

    A tenth is for validation and a tenth for the test. Gives the file's SHA-256.
    """
    random = np.random.default_rng(0)
    noise = random.integers(-3000, 3000, (50, RATE))
    seconds = np.arange(RATE) / RATE
    names: list[str] = []
    with tarfile.open(file, "w:gz", compresslevel=0) as packed:
        for place in range(clips):
            word = place % WORDS
            tone = 9000 * np.sin(2 * np.pi * (300 + 150 * word) * seconds + place)
            names.append(f"word{word:02}/{place // WORDS:08x}_nohash_0.wav")
            _add(packed, names[-1], wav(noise[place % len(noise)] + tone, RATE))
        _add(packed, "_background_noise_/hiss.wav", wav(noise[0], RATE))
        for which, name in enumerate(("validation_list.txt", "testing_list.txt")):
            held_out = [name for place, name in enumerate(names) if place // WORDS % 10 == which]
            _add(packed, name, "".join(f"{name}\n" for name in held_out).encode())
    with file.open("rb") as written:
        return hashlib.file_digest(written, "sha256").hexdigest()


def _add(packed: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(f"./{name}")
    member.size = len(content)
    packed.addfile(member, io.BytesIO(content))


def peaks(folder: Path, clips: int) -> Iterator[tuple[str, float, float]]:
    """Run the steps in `folder` on so many made-up clips: each step's name, its highest RssAnon in MB, its seconds."""
    sha256 = made_up(folder / FILE, clips)
    values = [f"data.mirror={folder}", f"data.fetch.sha256={sha256}", "out=results"]
    for step, what in STEPS.items():
        began = time.monotonic()
        peak = highest([sys.executable, "-m", f"cnnatomy.steps.{step}", *what, *values], folder)
        yield step, peak, time.monotonic() - began


def highest(command: list[str], folder: Path) -> float:
    """Run a command in a folder: the most anonymous memory that it was seen to have, in MB."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("CNNATOMY_")}
    seen = 0
    with subprocess.Popen(command, cwd=folder, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        status = Path(f"/proc/{process.pid}/status")
        while process.poll() is None:
            found = re.search(r"RssAnon:\s+(\d+) kB", status.read_text())  # without that line once it has ended
            seen = max(seen, int(found[1]) if found else 0)
            time.sleep(0.01)
        said = process.stdout.read().decode() if process.stdout else ""
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}\n{said}")
    return seen / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--smoke", action="store_true", help="a few clips, once: does it run?")
    parser.add_argument("--csv", type=Path, default=Path(__file__).with_suffix(".csv"))
    options = parser.parse_args()
    rows = []
    few = 6 * WORDS  # the least of which all three splits get some is three of each word
    for clips in (few,) if options.smoke else (options.clips, 3 * options.clips, 10 * options.clips):
        with tempfile.TemporaryDirectory(dir=".") as name:
            for step, peak, seconds in peaks(Path(name).resolve(), clips):
                rows.append(
                    {"step": step, "clips": clips, "anonymous_mb": round(peak, 1), "seconds": round(seconds, 1)}
                )
                print(f"{step:8} {clips:8,} clips: {peak:7.1f} MB, {seconds:6.1f} s", flush=True)
    with options.csv.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
