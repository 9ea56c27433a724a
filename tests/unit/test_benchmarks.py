"""The benchmarks that time methods: each runs, in its smallest form."""

import os
import subprocess
import sys

from cnnatomy.config.folders import PROJECT


def test_exhibits_of_any_network_are_made_and_timed():
    command = [sys.executable, str(PROJECT / "benchmarks/any_network.py"), "--smoke"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"COLUMNS": "80"})
    lines = [line.split() for line in answer.stdout.splitlines()]
    assert [line[:2] for line in lines] == [["small", "kernels"], ["small", "structure"]]
    for line in lines:
        assert 0.5 < float(line[2]) < 60 and "met" in line  # no import of torch takes less
        assert line[-1] == "numbers" and int(line[-2]) > 0
