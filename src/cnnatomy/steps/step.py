"""What makes a Hydra script of a function of a Job. A warm process does the work where there is one.

Imports next to nothing, since every job of the workflow pays for it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from cnnatomy.warm import client

if TYPE_CHECKING:
    from cnnatomy.steps.job import Job


def step(work: Callable[[Job], None]) -> Callable[[], None]:
    """Make a Hydra script of a function of a Job; the step's name is that of the function.

    The command line takes Hydra's flags and overrides, `run=` (`data=` for fetch and prepare, `lesson=`, `study=`),
    `seed=`, `method=`, `out=` for another folder than results/, and of the workflow `given=`, the file with which it
    hands over overrides, and `costs=`, the file for what the job took. A step run by hand with values that are not
    those of the workflow must be told where else to write.
    """
    name = work.__name__

    def main() -> None:
        status = client.hand_over(f"cnnatomy.steps.{name}", name)
        if status is not None:
            client.end_as(status)
        from cnnatomy.steps.job import run_step

        run_step(name, work, sys.argv[1:])

    return main
