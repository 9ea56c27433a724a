"""What jobs are expected to take: what they took last time in this checkout, else what they took on the author's."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from statistics import median

from cnnatomy.steps import clock


def seconds(rule: str, log: str) -> float | None:
    """Processor seconds that a job (its rule, the path of its log) is expected to take; None where nothing is known.

    By its own log of an earlier run, else by the table, as this job, as its like with the first seed, or as the median
    of its rule.
    """
    known = _table().get(rule, {})
    job = Path(log).stem
    earlier = clock.read(Path(log), rule, job)
    if earlier:
        return earlier["cpu"]
    for name in (job, re.sub(r"seed\d+", "seed0", job)):
        if name in known:
            return known[name]
    return median(known.values()) if known else None


def priority(rule: str, log: str) -> float:
    """The priority of a job among those that nothing waits for, in [0, 9): the longest first.

    A long job begun last runs alone at the end, while the other cores wait for it (longest processing time first:
    Graham 1969, Bounds on multiprocessing timing anomalies).
    """
    known = seconds(rule, log) or 0.0
    return 9 * known / (known + 10)


@cache
def _table() -> dict[str, dict[str, float]]:
    import yaml

    return yaml.safe_load(Path(__file__).with_name("expected.yaml").read_text(encoding="utf-8"))
