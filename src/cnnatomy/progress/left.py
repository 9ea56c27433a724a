"""How long the rest of a run takes: its jobs put onto the processors one after the other, as Snakemake would."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """What is left of a job: its seconds, the threads it takes, the jobs it waits for, whether it runs already."""

    seconds: float
    threads: int
    needs: frozenset[int]
    runs: bool = False


def left(tasks: Mapping[int, Task], slots: int, hopeless: Collection[int] = ()) -> float:
    """Seconds until the last of the tasks is done, with `slots` threads; the longest that can begin is begun first.

    What waits for a `hopeless` job, one that failed, is never begun. Jobs that are waited for and are no task are done.
    """
    waiting = dict(tasks)
    ends: list[tuple[float, int]] = []
    now, free = 0.0, slots
    for number, task in tasks.items():
        if task.runs:
            heapq.heappush(ends, (task.seconds, number))
            free -= task.threads
            del waiting[number]
    unfinished = set(tasks) | set(hopeless)
    while True:
        ready = [number for number, task in waiting.items() if not task.needs & unfinished]
        for number in sorted(ready, key=lambda n: (-waiting[n].seconds, n)):
            if waiting[number].threads <= free:
                task = waiting.pop(number)
                heapq.heappush(ends, (now + task.seconds, number))
                free -= task.threads
        if not ends:
            return now
        now, number = heapq.heappop(ends)
        free += tasks[number].threads
        unfinished.remove(number)
