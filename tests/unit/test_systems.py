"""What Windows lacks is wanted by nothing at its import, and where it lacks it there is another way."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from cnnatomy import locks
from cnnatomy.steps import clock
from cnnatomy.training import gpus

SOURCE = Path(locks.__file__).parent
#: Python's own modules that there are on POSIX systems only, and what others have there only.
MODULES = {"fcntl", "resource", "pwd", "grp", "pty", "tty", "termios", "posix", "syslog", "crypt"}
NAMES = {
    *("os.fork", "os.getuid", "os.fchmod", "os.sysconf", "os.getpgrp", "os.tcgetpgrp", "os.killpg", "os.O_NOFOLLOW"),
    *("signal.SIGCHLD", "signal.SIGHUP", "signal.SIGKILL", "signal.SIGUSR1", "signal.SIGALRM", "socket.AF_UNIX"),
}
#: As if these were not there, for our modules; libraries have a Windows of their own.
IMPORTING = """
import builtins, importlib, sys
real, hidden = builtins.__import__, set(sys.argv[1].split(","))

def without(name, globals=None, *rest, **more):
    ours = str((globals or {}).get("__name__")).startswith(("cnnatomy", "snakemake_logger_plugin_cnnatomy"))
    if ours and name.partition(".")[0] in hidden:
        raise ModuleNotFoundError(f"No module named {name!r}")
    return real(name, globals, *rest, **more)

builtins.__import__ = without
for name in sys.argv[2:]:
    importlib.import_module(name)
print(len(sys.argv[2:]))
"""


def modules() -> list[str]:
    found = []
    for file in sorted(SOURCE.rglob("*.py")):
        parts = ["cnnatomy", *file.relative_to(SOURCE).with_suffix("").parts]
        if parts[-1] != "__main__":
            found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


@pytest.mark.slow
def test_every_module_can_be_imported_without_what_windows_lacks():
    names = [*modules(), "snakemake_logger_plugin_cnnatomy"]
    asked = [sys.executable, "-c", IMPORTING, ",".join(sorted(MODULES)), *names]
    answer = subprocess.run(asked, capture_output=True, text=True, timeout=300)
    assert answer.stdout.strip() == str(len(names)), answer.stderr


def test_nothing_that_windows_lacks_is_named_outside_of_functions():
    found = set()
    for file in SOURCE.rglob("*.py"):
        waiting: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))]
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue
            if isinstance(node, ast.Attribute) and ast.unparse(node) in NAMES:
                found.add(f"{file.name}: {ast.unparse(node)}")
            waiting += ast.iter_child_nodes(node)
    assert not found


def test_without_locks_of_the_system_nothing_waits(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "fcntl", None)
    held = locks.take(tmp_path / "lock", wait=False)
    assert held is not None and locks.take(tmp_path / "lock", wait=True) is not None
    monkeypatch.setattr(gpus, "fcntl", None)
    assert gpus._take(["0", "1", "2"], 2) == ["0", "1"] and not gpus._held


def test_where_the_system_tells_no_costs_a_step_says_its_time(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(clock, "resource", None)
    clock.say(0.0, tmp_path / "costs.tsv")
    log = tmp_path / "log"
    log.write_text(capsys.readouterr().err)
    told = clock.read(log, "train", "digits")
    assert told is not None and told["cpu"] > 0 and told["memory"] == 0
