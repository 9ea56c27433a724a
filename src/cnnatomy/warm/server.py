"""The warm process: loads libraries once, forks a child for each job that asks, tells who asked how it ended.

Loads nothing of ours, so that a job runs the code that lies there when it begins, and starts no thread: a child of a
process with threads may hang. Trainings are forked from a child of it that has Lightning besides.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import importlib.util
import io
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from cnnatomy.warm import client
from cnnatomy.warm.client import ADDRESS, THREADS, settled

#: What steps import, and what trainings import besides; of these, what is installed.
STEPS = (
    *("numpy", "pandas", "yaml", "PIL.Image", "hydra", "hydra.utils", "hydra.core.config_store", "omegaconf"),
    *("matplotlib.figure", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg", "jsonschema_rs"),
    *("torch", "safetensors.numpy", "safetensors.torch"),
)
#: What torch's optimisers import, which takes as long as torch: from the third job on, for some of two need none.
OPTIMISERS = ("torch._dynamo",)
TRAINING = (*OPTIMISERS, "pytorch_lightning")
THREADED = "onnxruntime"
#: Steps behind which trainings come: while they wait for the network, the process of trainings loads its libraries.
BEFORE_TRAINING = ("cnnatomy.steps.fetch", "cnnatomy.steps.prepare")

_ENVIRONMENT = settled(os.environ)  # before libraries add to it
_held: list[int] = []


def start() -> None:
    """Start a warm process for the jobs of this one; it ends with this one, or with the last job that this one leaves.

    Where a process can't be forked safely (other systems than Linux), nothing is started.
    """
    if sys.platform != "linux":
        return
    folder = Path(tempfile.mkdtemp(prefix="cnnatomy-"))  # only this user may look into it
    watched, held = os.pipe()
    _held.append(held)  # closed by the system when this process has ended
    # Its libraries see the environment of the jobs, and one thread, as almost all jobs have.
    environment = os.environ | dict.fromkeys(THREADS, "1")
    # Open from now on, so that the first job, however soon it comes, waits instead of finding nobody.
    listeners = [_listen(folder / place) for place in ("steps", "training")]
    handed = [watched, *(listener.fileno() for listener in listeners)]
    for number in handed:
        os.set_inheritable(number, True)
    with open(folder / "log", "wb") as log:
        subprocess.Popen(
            [sys.executable, "-m", __name__, str(folder), *map(str, handed)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            close_fds=False,  # like every job it keeps the lock of `make report` until it ends
        )
    for listener in listeners:
        listener.close()
    os.close(watched)
    os.environ[ADDRESS] = str(folder)


def main(folder: str, watched: str, steps: str, training: str) -> None:
    """Serve jobs until the other end of the pipe `watched` is closed and the last job has ended.

    steps, training: the sockets at which jobs and trainings come in; these three are open files, by their numbers.
    """
    for which in (signal.SIGINT, signal.SIGTERM):  # whoever stops all means the jobs; this one ends when they have
        signal.signal(which, signal.SIG_IGN)
    try:
        listeners = [socket.socket(fileno=int(number)) for number in (steps, training)]
        _Warm(listeners[0], {1: STEPS, 3: OPTIMISERS}, int(watched), listeners[1]).serve()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(64)
    return listener


@contextlib.contextmanager
def _threads_kept_out() -> Iterator[None]:
    """Import libraries without onnxruntime, which begins a thread when it is imported.

    torchmetrics, and so Lightning, imports it where it is installed, for a measure of speech that nothing here asks
    for. A job that wants it imports it itself.
    """
    spec = importlib.util.find_spec(THREADED)
    if spec is None:
        yield
        return
    stand_in: Any = types.ModuleType(THREADED)
    stand_in.__spec__, stand_in.InferenceSession = spec, object
    sys.modules[THREADED] = stand_in
    yield
    del sys.modules[THREADED]


class _Warm:
    """Loads libraries when they are due, and forks each job that comes in.

    libraries: by the number of the job before which they are loaded.
    training: where trainings come in, which a process of their own serves, forked at the first or a little before.
    """

    def __init__(
        self,
        listener: socket.socket,
        libraries: Mapping[int, Sequence[str]],
        watched: int,
        training: socket.socket | None = None,
    ) -> None:
        self.listener, self.watched, self.training = listener, watched, training
        self.libraries = dict(libraries)
        self.jobs: dict[int, socket.socket] = {}  # who asked, by the number of the child
        self.trains_soon = False
        self.asked = 0  # jobs
        self.woken, wake = socket.socketpair()
        for end in (self.woken, wake):
            end.setblocking(False)
        self.wake = wake
        signal.set_wakeup_fd(wake.fileno())  # a child that ends must end the waiting below
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.selector = selectors.DefaultSelector()
        for source in (listener, watched, self.woken, *([training] if training else ())):
            self.selector.register(source, selectors.EVENT_READ)

    def serve(self) -> None:
        is_wanted = True
        while is_wanted or self.jobs:
            for key, _ in self.selector.select():
                source: Any = key.fileobj
                if source is self.listener:
                    self._take(source.accept()[0])
                elif source is self.training:
                    self._split()
                elif source == self.watched:
                    is_wanted = False
                    self.selector.unregister(source)
                elif source is self.woken:
                    with contextlib.suppress(BlockingIOError):
                        source.recv(4096)
                else:  # whoever asked for this job was killed; so is the job
                    self.selector.unregister(source)
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(key.data, signal.SIGKILL)
            if self.trains_soon and self.training is not None:
                self._split()
            self._tell_of_ended()

    def _take(self, connection: socket.socket) -> None:
        """Fork a child for the job that is asked for at `connection`; answer 0 where it is not one for this process."""
        self.asked += 1
        self._load()
        try:
            connection.settimeout(10)
            head, streams, _, _ = socket.recv_fds(connection, 8, 3)
            with connection.makefile("rb") as told:
                asked = json.loads(told.read(int.from_bytes(head, "big")))
            connection.settimeout(None)
        except (OSError, ValueError):
            connection.close()
            return
        fits = asked["folder"] == os.getcwd() and settled(asked["environment"]) == _ENVIRONMENT
        child = os.fork() if fits else 0
        if fits and not child:
            connection.close()
            self._close()
            _work(asked, streams)
        for stream in streams:
            os.close(stream)
        with contextlib.suppress(OSError):
            connection.sendall(child.to_bytes(4, "big"))
        if child:
            self.jobs[child] = connection
            self.selector.register(connection, selectors.EVENT_READ, child)
            self.trains_soon |= asked["module"] in BEFORE_TRAINING
        else:
            connection.close()

    def _split(self) -> None:
        """Fork the process that serves trainings."""
        assert self.training is not None
        if not os.fork():
            self._close(but=(self.training, self.watched))
            trainings = _Warm(self.training, {0: (*STEPS, *TRAINING)}, self.watched)
            trainings._load()
            trainings.serve()
            os._exit(0)
        self.selector.unregister(self.training)
        self.training.close()
        self.training = None

    def _close(self, but: Sequence[Any] = ()) -> None:
        """Close in a child what is for its parent to answer: who waits there must hear when that one ends.

        Nothing is unregistered: what is selected from is one for both.
        """
        signal.set_wakeup_fd(-1)
        sources: list[Any] = [key.fileobj for key in self.selector.get_map().values()]
        for source in sources:
            if source not in but:
                os.close(source) if isinstance(source, int) else source.close()
        self.wake.close()
        self.selector.close()

    def _load(self) -> None:
        due = [name for number in list(self.libraries) if number <= self.asked for name in self.libraries.pop(number)]
        if not due:
            return
        with _threads_kept_out():
            for name in due:
                with contextlib.suppress(ImportError):
                    importlib.import_module(name)
        gc.collect()
        gc.freeze()  # children copy no page for looking at what never changes

    def _tell_of_ended(self) -> None:
        """Tell who asked for jobs that have ended how they did."""
        with contextlib.suppress(ChildProcessError):
            while True:
                child, status = os.waitpid(-1, os.WNOHANG)
                if not child:
                    return
                if connection := self.jobs.pop(child, None):
                    with contextlib.suppress(KeyError):
                        self.selector.unregister(connection)
                    with contextlib.suppress(OSError):
                        connection.sendall(status.to_bytes(4, "big"))
                    connection.close()


def _work(asked: dict[str, Any], streams: list[int]) -> NoReturn:
    """In the child: be the process that was asked for, from its streams to its exit status."""
    import runpy

    for which in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(which, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
        os.close(stream)
    unbuffered = bool(asked["environment"].get("PYTHONUNBUFFERED"))
    for name, number in (("stdout", 1), ("stderr", 2)):
        old, raw = getattr(sys, name), open(number, "wb", 0 if unbuffered else -1, closefd=False)  # noqa: SIM115
        by_line = number == 2 or raw.isatty()
        setattr(sys, name, io.TextIOWrapper(raw, old.encoding, old.errors, None, by_line, write_through=unbuffered))
    os.environ.clear()
    os.environ.update(asked["environment"])
    client.inside = True
    module = asked["module"]
    sys.argv = ["-m", *asked["arguments"]]
    sys.orig_argv = [sys.executable, "-m", module, *asked["arguments"]]
    status = 1
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = _status(end.code)
    except BaseException:
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]  # as Python does at its end: waits for threads
    atexit._run_exitfuncs()
    for written in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            written.flush()
    os._exit(status)


def _status(code: object) -> int:
    """The exit status that Python makes of what `sys.exit` was given."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


if __name__ == "__main__":
    main(*sys.argv[1:])
