"""GPUs of this machine, each held by one training at a time."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from cnnatomy.training.errors import TrainingError

VISIBLE = "CUDA_VISIBLE_DEVICES"
SECONDS = 1.0  # between two looks at GPUs that are all held

_held: list[int] = []  # open files; closed, and so given back, when the process ends, whatever ends it


def hold(training: Mapping[str, Any]) -> None:
    """Take as many GPUs as `training.devices` says for this process and its children, and show it no others.

    Waits until so many are free of other trainings on this machine, those of other users and checkouts among them. In
    a Slurm job it is the job's own processes that share what Slurm gave. What a process holds it keeps until it ends,
    because CUDA never looks again. Does nothing where training is on CPUs and where there are none of NVIDIA's.
    Raises TrainingError where there are too few.
    """
    if training["accelerator"] != "gpu" or _held or "LOCAL_RANK" in os.environ:  # set by Lightning, for further devices
        return
    seen, wanted = visible(), training["devices"]
    if not seen:
        return  # Lightning takes Apple's, or says that there are none
    if len(seen) < wanted:
        raise TrainingError(f"training.devices={wanted}, but there are {len(seen)} GPUs here ({', '.join(seen)})")
    told = False
    while len(taken := _take(seen, wanted)) < wanted:
        if not told:
            print(f"waiting for {wanted} of the {len(seen)} GPUs here: other trainings hold them", flush=True)
            told = True
        time.sleep(SECONDS)
    os.environ[VISIBLE] = ",".join(taken)


def places(training: Mapping[str, Any]) -> int | None:
    """How many trainings at once this machine's GPUs have room for; None where GPUs don't limit it."""
    if training["accelerator"] != "gpu" or not (seen := visible()):
        return None
    return max(1, len(seen) // training["devices"])


def visible() -> list[str]:
    """The GPUs that CUDA would show this process, by the names that CUDA_VISIBLE_DEVICES takes."""
    if VISIBLE in os.environ:
        return [name.strip() for name in os.environ[VISIBLE].split(",") if name.strip()]
    import torch

    return [str(index) for index in range(torch.cuda.device_count())]


def _take(seen: list[str], wanted: int) -> list[str]:
    """The first GPUs that nobody holds; none rather than too few, so that two that want several never wait for ever."""
    taken: list[str] = []
    for name in seen:
        file = _lock_of(name)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            continue
        _held.append(file)
        taken.append(name)
        if len(taken) == wanted:
            return taken
    while _held:
        os.close(_held.pop())
    return []


def _lock_of(name: str) -> int:
    """An open file that stands for a GPU, the same one for every user of this machine."""
    # Slurm may call the GPU of each job 0.
    job = os.environ.get("SLURM_JOB_ID", "")
    path = Path(tempfile.gettempdir()) / f"cnnatomy-gpu-{job}{'-' if job else ''}{name}.lock"
    with suppress(FileNotFoundError):
        return os.open(path, os.O_RDONLY)  # one that another user made may be held, though not written
    file = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
    os.fchmod(file, 0o644)  # whatever the umask
    return file
