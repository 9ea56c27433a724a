"""GPUs of this machine, each held by one training at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]

from cnnatomy.training.errors import TrainingError

VISIBLE = "CUDA_VISIBLE_DEVICES"
FOLDER = Path("/tmp")  # not that of TMPDIR, which each user may have set otherwise
SECONDS = 1.0  # between two looks at GPUs that are all held

_held: list[int] = []  # open files; closed, and so given back, when the process ends, whatever ends it


def hold(training: Mapping[str, Any]) -> None:
    """Take as many GPUs as `training.devices` says for this process and its children, and show it no others.

    Waits until so many are free of other trainings on this machine, those of other users and checkouts among them. In
    a Slurm job it is the job's own processes that share what Slurm gave. What a process holds it keeps until it ends,
    because CUDA never looks again. Does nothing where training is on CPUs and where there are none of NVIDIA's.
    Raises TrainingError where there are too few.
    """
    if not takes(training) or _held or "LOCAL_RANK" in os.environ:  # set by Lightning, for further devices
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


def takes(training: Mapping[str, Any]) -> bool:
    """Whether a training is on GPUs: not one of no epoch."""
    return bool(training["accelerator"] == "gpu" and training["max_epochs"])


def places(training: Mapping[str, Any]) -> int | None:
    """How many trainings at once, each on one, this machine's GPUs have room for; None where GPUs don't limit it."""
    return (len(visible()) or None) if takes(training) else None


def visible() -> list[str]:
    """The GPUs that CUDA would show this process, by the names that CUDA_VISIBLE_DEVICES takes."""
    if VISIBLE in os.environ:
        return [name.strip() for name in os.environ[VISIBLE].split(",") if name.strip()]
    import torch

    return [str(index) for index in range(torch.cuda.device_count())]


def _take(seen: list[str], wanted: int) -> list[str]:
    """The first GPUs that nobody holds; none rather than too few, so that two that want several never wait for ever."""
    if fcntl is None:
        return seen[:wanted]  # nothing says who holds them
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
    """An open file that stands for a GPU, the same one for every user of this machine who calls it by this name."""
    # Slurm may call the GPU of each job 0.
    job = os.environ.get("SLURM_JOB_ID", "")
    path = FOLDER / f"cnnatomy-gpu-{job}{'-' if job else ''}{name}.lock"
    for _ in range(20):
        # Only to read: one that another user made may be held, though not written.
        with suppress(FileNotFoundError, PermissionError):
            return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with suppress(FileExistsError):
            file = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o644)
            os.fchmod(file, 0o644)  # whatever the umask
            return file
        time.sleep(0.05)  # another user has made it and not yet opened it to all
    raise TrainingError(f"{path}, which says who holds the GPU, can't be read: have who owns it delete it")
