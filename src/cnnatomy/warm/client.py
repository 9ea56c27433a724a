"""A step that lets a warm process do its work. Imports next to nothing: all of it is paid for by every job."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping

#: The folder of the sockets, in the environment of the workflow's jobs.
ADDRESS = "CNNATOMY_WARM"
#: Where a step finds the process that has loaded what it needs. Others load so little that they do without.
PLACES = dict.fromkeys(("samples", "evaluate", "dissect", "lesson"), "steps")
PLACES |= dict.fromkeys(("train", "trials"), "training")
#: Whether this process was forked from a warm one itself.
inside = False
#: What libraries read when they are loaded: whoever wants another number of threads loads them anew.
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
#: What a shell and Snakemake set for each job, and no library reads at its import.
_PASSING = {*THREADS, ADDRESS, "_", "PWD", "OLDPWD", "SHLVL", "TMPDIR", "TMP", "TEMP", "TEMPDIR"}
_PASSING |= {"GOTO_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"}


def settled(environment: Mapping[str, str]) -> dict[str, str]:
    """What of an environment a process can't take over from another once its libraries are loaded."""
    return {name: value for name, value in environment.items() if name not in _PASSING}


def hand_over(module: str, step: str) -> int | None:
    """Have `python -m module` done by the warm process, with this process's arguments: the exit status it ends with.

    None where there is no such process, or it is not one for this job: then the caller works by itself.
    """
    folder = os.environ.get(ADDRESS)
    if inside or not folder or step not in PLACES:
        return None
    try:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.connect(os.path.join(folder, PLACES[step]))
    except OSError:  # it has ended, or never began
        return None
    with connection:
        asked = {"module": module, "arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}
        text = json.dumps(asked).encode(errors="surrogateescape")
        try:
            socket.send_fds(connection, [len(text).to_bytes(8, "big")], [0, 1, 2])
            connection.sendall(text)
            child = _number(connection)
        except OSError:
            return None
        if not child:  # zero where it declines; nothing where it ended before it forked
            return None
        return _wait(connection, child)


def _wait(connection: socket.socket, child: int) -> int:
    """Pass signals on to the child until it ends; its exit status, which is negative for a signal's number."""

    def pass_on(number: int, _: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    # Ctrl-C reaches the child by itself, which is in the same group of processes as this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, pass_on)
    status = _number(connection)
    if status is None:
        print("The process that this job was forked from has ended; out of memory?", file=sys.stderr)
        pass_on(signal.SIGKILL, None)
        return 1
    return os.waitstatus_to_exitcode(status)


def _number(connection: socket.socket) -> int | None:
    """A number of four bytes; None where the other side has gone."""
    received = b""
    while len(received) < 4:
        part = connection.recv(4 - len(received))
        if not part:
            return None
        received += part
    return int.from_bytes(received, "big")


def end_as(status: int) -> None:
    """End this process as its child has ended: with its exit status, or by its signal."""
    if status < 0:
        with contextlib.suppress(OSError):  # SIGKILL has no other way to be handled
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


def load_anew(threads: str) -> None:
    """In a child of a warm process, for a job with other threads than the loaded libraries have: start it once more."""
    if inside and threads != "1":
        os.environ.pop(ADDRESS, None)
        sys.stdout.flush()
        os.execv(sys.executable, sys.orig_argv)
