"""Train and measure what a study compares, unless it stands: `python -m cnnatomy.steps.trials study=direction`.

As few processes as there are places for (`workers=2`) share the work, so that imports are paid for once a process and
not once a network. Each takes the next network that nobody holds, and keeps what it has finished: a study that was
interrupted, or got another variant or seed, goes on with what is missing. With `share=2-of-4` the work is every fourth
network, from the second on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cnnatomy.steps.step import step

if TYPE_CHECKING:
    from cnnatomy.steps.job import Job


@step
def trials(job: Job) -> None:
    import json
    import sys
    import tempfile
    from pathlib import Path

    from cnnatomy.steps import clock
    from cnnatomy.steps.writing import replaced
    from cnnatomy.training.gpus import places

    share = job.config["share"]
    wanted = part_of(job.plan.trials(job.subject), share)
    rooms = (job.config["workers"], len(wanted), places(job.config["training"]))
    workers = min(room for room in rooms if room is not None)
    if workers > 1:
        again = [argument for argument in sys.orig_argv if not argument.startswith(("workers=", "costs="))]
        with tempfile.TemporaryDirectory() as folder:
            costs = [Path(folder, f"{worker}.tsv") for worker in range(workers)]
            if not side_by_side([[*again, "workers=0", f"costs={file}"] for file in costs]):
                sys.exit(1)
            clock.include(costs)
    else:
        from cnnatomy.steps.trial import work_off

        work_off(job, wanted)
    if job.config["workers"] == 0:  # another process waits for this one, and writes
        return
    with replaced(job.output(f"trials/{job.subject}{f'/{share}' if share else ''}.json")) as file:
        file.write_text(json.dumps(wanted, indent=1) + "\n")


def part_of(wanted: Mapping[str, str], share: str | None) -> dict[str, str]:
    """Of what is wanted all, or the share `2-of-4`: every fourth, from the second on. Raises ConfigurationError."""
    import re

    from cnnatomy.config.errors import ConfigurationError

    if share is None:
        return dict(wanted)
    found = re.fullmatch(r"(\d+)-of-(\d+)", share)
    first, step = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= first <= step:
        raise ConfigurationError(f"share={share}: wants which of how many, as in 2-of-4")
    return dict(list(wanted.items())[first - 1 :: step])


def side_by_side(commands: Sequence[Sequence[str]]) -> bool:
    """Run commands at the same time; whether all end well. Asked to end (SIGTERM), it asks them and waits."""
    import signal
    import subprocess
    import sys

    helpers: list[subprocess.Popen[bytes]] = []
    asked = False

    def pass_on(*_: object) -> None:
        nonlocal asked
        asked = True
        for helper in helpers:
            helper.terminate()

    signal.signal(signal.SIGTERM, pass_on)
    for command in commands:
        helpers.append(subprocess.Popen(command))
    if asked:  # while they were started
        pass_on()
    ends = [helper.wait() for helper in helpers]
    for end in ends:
        if end < 0 and not asked:  # all others have said why
            print(f"a process of this study was ended by signal {-end}; out of memory?", file=sys.stderr)
    return not any(ends)


if __name__ == "__main__":
    trials()
