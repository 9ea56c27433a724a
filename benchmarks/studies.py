"""What a study of a hundred small trainings costs beside the training: importing, and planning.

    snakemake --cores all results/data/spoken_digits/dataset.json
    python benchmarks/studies.py                 # two minutes on two cores
    python benchmarks/studies.py --smoke         # does it run? Two seeds, one epoch, whose figures say nothing

`direction_quick` is trained with 17 seeds, 102 networks, by two processes. Importing is what Python's own
`-X importtime` sums up, planning the processor seconds of composing and checking all variants.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cnnatomy.config.plan import Plan

IMPORT = re.compile(r"^import time:\s+(\d+) \|", re.MULTILINE)
SEEDS = 17


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="two seeds, one epoch: does it run?")
    parser.add_argument("--study", default="direction_quick")
    options = parser.parse_args()
    values = ["study.seeds=2", "training.max_epochs=1"] if options.smoke else [f"study.seeds={SEEDS}"]
    started = time.process_time()
    overridden = tuple(value.replace("study.", f"studies.{options.study}.") for value in values)
    trainings = len(Plan(None, overridden).trials(options.study))
    planning = time.process_time() - started
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-X", "importtime", "-m", "cnnatomy.steps.trials", f"study={options.study}"]
        log = Path(out) / "importtime.log"
        began = time.monotonic()
        with log.open("w") as file:
            subprocess.run(
                [*command, "workers=2", *values, f"out={out}"],
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=file,
                env=os.environ | {"PYTHONDONTWRITEBYTECODE": ""},
            )
        clock = time.monotonic() - began
        importing = sum(map(int, IMPORT.findall(log.read_text()))) / 1e6
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    whole = used.ru_utime + used.ru_stime
    print(f"{trainings} trainings: {whole:.0f} s of processor time, {clock:.0f} s on the clock")
    print(f"importing: {importing:.1f} s, {importing / whole:.1%} of it (wanted: at most 20 %)")
    print(f"planning: {planning:.1f} s of processor time")


if __name__ == "__main__":
    main()
