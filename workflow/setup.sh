#!/bin/sh
# Set up the environment in $1 from the lock file: checks first what it needs, and leaves the installer's own errors whole.
# PYTHON: which one. UV: uv, which installs where it is there; empty for pip. TORCH_INDEX: a package index with CPU builds of torch.
set -eu
venv=$1
python=${PYTHON:-python3}
uv=${UV-uv}
"${uv:-false}" --version >/dev/null 2>&1 || uv=

stop() {
    echo "setup: $*" >&2
    exit 1
}

command -v "$python" >/dev/null || stop "no $python on the path; name one with: make PYTHON=/path/to/python3.12"
"$python" - <<'PY' || stop "$("$python" --version 2>&1) is none that this runs on; use 3.11 to 3.14: make PYTHON=python3.12"
import sys
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
PY
"$python" -c 'import sys; sys.exit(sys.version_info >= (3, 14))' || command -v cc >/dev/null ||
    stop "Python 3.14 takes a C compiler, for a package that has no build for it yet; install one (gcc), or use 3.13"
[ -n "$uv" ] || "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    stop "$python has no ensurepip; on Debian and Ubuntu: apt install python3-venv"

# A broken environment, as of a Python that has gone, is made anew; a link to one is its owner's.
[ -L "$venv" ] || [ ! -e "$venv" ] || "$venv/bin/python" -c '' 2>/dev/null || rm -rf "$venv"

# What was chosen for this environment stays chosen when the lock moves.
torch_index=${TORCH_INDEX:-$(cat "$venv/torch-index" 2>/dev/null || true)}

# GB, measured but for the CPU build: the environment, with pip its downloads too; uv links it to its cache, which takes the same place.
case ${uv:+uv}${torch_index:+cpu} in
uvcpu) needed=3 ;;
uv) needed=8 ;;
cpu) needed=4 ;;
*) needed=12 ;;
esac
free=$(df -Pk . | awk 'NR == 2 {print int($4 / 1024 / 1024)}')
[ -x "$venv/bin/python" ] || [ "$free" -ge "$needed" ] ||
    stop "$free GB free here, and about $needed are needed (the README tells how to do with less: uv, the CPU build of torch)"

if [ -n "$uv" ]; then
    # uv doesn't read pip's settings: an index that stands in for the public one is handed on.
    index=${PIP_INDEX_URL:-$("$python" -m pip config get global.index-url 2>/dev/null || true)}
    [ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"
    [ -x "$venv/bin/python" ] || "$uv" venv --quiet --python "$("$python" -c 'import sys; print(sys.executable)')" "$venv"
    # It leaves compiling to the first import, which is quicker in all; but where Python may write none, every job would compile.
    compile=${PYTHONDONTWRITEBYTECODE:+--compile-bytecode}
    install() { "$uv" pip install --quiet --python "$venv/bin/python" $compile "$@"; }
    from=--default-index
    check() { "$uv" pip check --quiet --python "$venv/bin/python"; }
    echo "setup: installing into $venv with uv; about a minute" >&2
else
    [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
    install() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
    from=--index-url
    check() { "$venv/bin/python" -m pip check >/dev/null; }
    echo "setup: installing into $venv with pip; a few minutes" >&2
fi

if [ -n "$torch_index" ]; then
    # The builds of another index have other hashes than the lock's, and need no CUDA.
    install --no-deps "$from" "$torch_index" $(sed -nE 's/^(torch|torchvision)==([^ ;]*).*/\1==\2/p' requirements.lock)
    awk '/^[a-z0-9]/ {other = !/^(torch|torchvision|triton|nvidia-[^=]*|cuda-[^=]*)==/} other' requirements.lock >"$venv/cpu.lock"
    install --no-deps --require-hashes -r "$venv/cpu.lock"
    check || stop "$torch_index gave a torch that wants more than the lock has; is it an index of CPU builds?"
    echo "$torch_index" >"$venv/torch-index"
else
    install --require-hashes -r requirements.lock
fi
install --no-deps --no-build-isolation --editable .
# Where Python may write no compiled code, each of a report's hundred jobs would compile the package's own anew.
[ -z "${PYTHONDONTWRITEBYTECODE:-}" ] || "$venv/bin/python" -m compileall -q src
# The package is found from where the environment lies, so that a copy of the folder runs its own code.
"$venv/bin/python" -I - "$PWD" <<'PY'
import os, pathlib, sys, sysconfig
here, site = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sysconfig.get_path("purelib")).resolve()
for file in site.glob("*cnnatomy*.pth") if site.is_relative_to(here) else ():
    if file.read_bytes().strip() == os.fsencode(here / "src"):
        file.write_text(os.path.relpath(here / "src", site) + "\n")
PY
