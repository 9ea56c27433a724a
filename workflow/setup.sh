#!/bin/sh
# Set up the environment in $1 from the lock file: checks first what it needs, and leaves pip's own errors whole.
set -eu
venv=$1
python=${PYTHON:-python3}

stop() {
    echo "setup: $*" >&2
    exit 1
}

command -v "$python" >/dev/null || stop "no $python on the path; name one with: make PYTHON=/path/to/python3.12"
"$python" - <<'PY' || stop "$("$python" --version 2>&1) is not one that was tested; use 3.11, 3.12 or 3.13: make PYTHON=python3.12"
import sys
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PY
"$python" -c 'import ensurepip, venv' 2>/dev/null || stop "$python has no ensurepip; on Debian and Ubuntu: apt install python3-venv"

# An environment takes 6.5 GB with the CUDA libraries of torch, its download half as much again.
free=$(df -Pk . | awk 'NR == 2 {print int($4 / 1024 / 1024)}')
[ -x "$venv/bin/python" ] || [ "$free" -ge 12 ] ||
    stop "$free GB free here, and about 12 are needed (the README tells how to do with less: the CPU build of torch)"

[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
echo "setup: installing into $venv; a few minutes" >&2
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
