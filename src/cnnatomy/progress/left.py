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
    blocked = set(tasks) | set(hopeless)
    missing = {number: len(task.needs & blocked) for number, task in tasks.items()}
    readers: dict[int, list[int]] = {}
    for number, task in tasks.items():
        for other in task.needs:
            readers.setdefault(other, []).append(number)
    ready = [(-task.seconds, number) for number, task in tasks.items() if not task.runs and not missing[number]]
    heapq.heapify(ready)
    ends = [(task.seconds, number) for number, task in tasks.items() if task.runs]
    heapq.heapify(ends)
    now, free = 0.0, slots - sum(tasks[number].threads for _, number in ends)
    while True:
        wide = []  # what wants more threads than are free just now
        while ready and free > 0:
            order = heapq.heappop(ready)
            task = tasks[order[1]]
            if task.threads > free:
                wide.append(order)
                continue
            heapq.heappush(ends, (now + task.seconds, order[1]))
            free -= task.threads
        for order in wide:
            heapq.heappush(ready, order)
        if not ends:
            return now
        now, number = heapq.heappop(ends)
        free += tasks[number].threads
        for reader in readers.get(number, ()):
            missing[reader] -= 1
            if not missing[reader]:
                heapq.heappush(ready, (-tasks[reader].seconds, reader))
