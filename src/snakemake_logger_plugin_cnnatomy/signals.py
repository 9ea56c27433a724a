"""Signals that Snakemake can lose, so that who asks a run to end, once, is heard."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from functools import cache
from types import FrameType
from typing import Any


def heed() -> None:
    """Have Snakemake hear each SIGTERM and each SIGINT, for as long as this process lives; call it in the main thread.

    At a SIGTERM its scheduler takes a lock, in a handler, which runs in the thread that may hold that very lock: then
    both wait for ever. Of a SIGINT asyncio makes a cancelled task, and nothing where the task ends all the same; it
    does so where Python's own handler is set, and not with another that does the same.
    """
    _heed_sigterm()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)


@cache  # once is enough
def _heed_sigterm() -> None:
    from snakemake.scheduling.job_scheduler import JobScheduler

    JobScheduler.exit_gracefully = _beside(JobScheduler.exit_gracefully)


def _beside(act: Callable[..., None]) -> Callable[..., None]:
    """What `act` does, in a thread of its own, which may wait for any lock."""

    def begin(*given: Any) -> None:
        threading.Thread(target=act, args=given, daemon=True).start()

    return begin


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
