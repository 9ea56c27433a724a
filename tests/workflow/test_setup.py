"""What `make` sets up, of a lock and indexes that lie on the disk: no network, wheels of one line."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.conftest import PROJECT

CUDA = ["nvidia-cublas==13.0", "cuda-toolkit==13.0", "triton==3.9.0"]
REST = ["reads==1.0", "trains==1.0"]
INSTALLERS = [
    "",
    pytest.param("uv", marks=pytest.mark.skipif(not shutil.which("uv"), reason="there is no uv here")),
]


def wheel(folder: Path, requirement: str, *requires: str) -> Path:
    """An installable package of no code, in the folder of an index."""
    name, version = requirement.split("==")
    stem = f"{name.replace('-', '_')}-{version}"
    home = folder / name
    home.mkdir(parents=True, exist_ok=True)
    file = home / f"{stem}-py3-none-any.whl"
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    about += "".join(f"Requires-Dist: {needed}\n" for needed in requires)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{stem}.dist-info/METADATA", about)
        archive.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{stem}.dist-info/RECORD", "")
    (home / "index.html").write_text(f'<a href="{file.name.replace("+", "%2B")}">{file.name}</a>\n')
    return file


class Machine:
    """A checkout with a lock, a public index, one of CPU builds, and a disk with so much room."""

    def __init__(self, folder: Path, installer: str) -> None:
        self.folder, self.checkout = folder, folder / "checkout"
        (self.checkout / "workflow").mkdir(parents=True)
        shutil.copy(PROJECT / "workflow/setup.sh", self.checkout / "workflow")
        public, cpu = folder / "public", folder / "cpu"
        wheels = [wheel(public, "torch==2.15.0", *CUDA), wheel(public, "torchvision==0.29.2", "torch==2.15.0")]
        wheels += [wheel(public, requirement) for requirement in CUDA]
        wheels += [wheel(public, REST[0]), wheel(public, REST[1], "torch>=2")]
        self.cpu = cpu.as_uri()
        wheel(cpu, "torch==2.15.0+cpu")
        wheel(cpu, "torchvision==0.29.2+cpu", "torch==2.15.0")
        self.lock = self.checkout / "requirements.lock"
        self.lock.write_text(
            "".join(
                f"{file.parent.name}=={file.name.split('-')[1]} ; sys_platform != 'none' \\\n"
                f"    --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n"
                for file in wheels
            )
        )
        own = wheel(self.checkout, "cnnatomy==0.1.0")
        (self.checkout / "pyproject.toml").write_text(
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
            '[project]\nname = "cnnatomy"\nversion = "0.1.0"\n'
        )
        (self.checkout / "backend.py").write_text(
            "import shutil\n\n\ndef build_editable(folder, *_):\n"
            f"    shutil.copy({str(own)!r}, folder)\n    return {own.name!r}\n"
        )
        self.environment = {
            "PATH": f"{folder}/bin:{os.environ['PATH']}",
            "HOME": str(folder),
            "UV": installer,
            "UV_CACHE_DIR": str(folder / "uv"),
            "PIP_INDEX_URL": public.as_uri(),  # uv must follow it too
            "PIP_CONFIG_FILE": os.devnull,
        }
        self.disk(100)

    def disk(self, gigabytes: int) -> None:
        df = self.folder / "bin/df"
        df.parent.mkdir(exist_ok=True)
        df.write_text(f"#!/bin/sh\necho title\necho disk 0 0 {gigabytes * 1024**2} 0% /\n")
        df.chmod(0o755)

    def set_up(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["workflow/setup.sh", ".venv"],
            cwd=self.checkout,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def refuses_another_file(self, **environment: str) -> None:
        """While the public index serves one that is not the lock's."""
        good = (self.folder / "public/reads/reads-1.0-py3-none-any.whl").read_bytes()
        file = wheel(self.folder / "public", REST[0], REST[1])
        answer = self.set_up(**environment)
        assert answer.returncode and "hash" in answer.stdout.lower() and REST[0] in answer.stdout
        file.write_bytes(good)

    def installed(self) -> dict[str, str]:
        """Name → version, but for what pip's own way brings along."""
        program = "from importlib.metadata import distributions as d; print(*{f'{i.name}=={i.version}' for i in d()})"
        python = self.checkout / ".venv/bin/python"
        found = subprocess.run([python, "-Ic", program], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
        versions = dict(one.split("==") for one in found)
        return {name: version for name, version in versions.items() if name not in {"pip", "setuptools"}}


def names(requirements: list[str]) -> set[str]:
    return {requirement.split("==")[0] for requirement in requirements}


@pytest.fixture(params=INSTALLERS, ids=["pip", "uv"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    return Machine(tmp_path, request.param)


def test_the_lock_as_it_is_and_no_file_of_another_hash(machine: Machine):
    machine.refuses_another_file()
    answer = machine.set_up()
    assert answer.returncode == 0, answer.stdout
    assert machine.installed().keys() == {"cnnatomy", "torch", "torchvision"} | names(CUDA + REST)


def test_a_cpu_build_comes_from_the_index_named_and_without_cuda_and_stays(machine: Machine):
    for name in names(["torch", *CUDA]):
        shutil.rmtree(machine.folder / "public" / name)
    machine.disk(5)
    machine.refuses_another_file(TORCH_INDEX=machine.cpu)
    answer = machine.set_up(TORCH_INDEX=machine.cpu)
    assert answer.returncode == 0, answer.stdout
    found = machine.installed()
    assert found.keys() == {"cnnatomy", "torch", "torchvision"} | names(REST)
    assert (found["torch"], found["torchvision"]) == ("2.15.0+cpu", "0.29.2+cpu")
    again = machine.set_up()  # as after a newer lock
    assert again.returncode == 0, again.stdout
    assert machine.installed() == found


@pytest.mark.parametrize("machine", ["uv"], indirect=True)
def test_an_index_whose_torch_wants_cuda_is_refused(machine: Machine):
    wheel(machine.folder / "cpu", "torch==2.15.0+cu130", *CUDA)
    answer = machine.set_up(TORCH_INDEX=machine.cpu)
    assert answer.returncode == 1 and "index of CPU builds" in answer.stdout


def test_too_little_room_is_said_before_anything_is_made(machine: Machine):
    machine.disk(2)
    needed = {}
    for way, environment in {"whole": {}, "cpu": {"TORCH_INDEX": machine.cpu}}.items():
        answer = machine.set_up(**environment)
        assert answer.returncode == 1 and "2 GB free here" in answer.stdout
        needed[way] = int(answer.stdout.split("about ")[1].split()[0])
    assert needed["cpu"] < needed["whole"] and not (machine.checkout / ".venv").exists()


@pytest.mark.parametrize("machine", ["uv" if shutil.which("uv") else ""], indirect=True)
def test_a_copy_runs_its_own_code_and_a_broken_environment_is_made_anew(machine: Machine):
    package = machine.checkout / "src/cnnatomy/__init__.py"
    package.parent.mkdir(parents=True)
    package.touch()
    assert machine.set_up().returncode == 0
    program = "import sysconfig; print(sysconfig.get_path('purelib'))"
    python = machine.checkout / ".venv/bin/python"
    site = Path(subprocess.run([python, "-Ic", program], stdout=subprocess.PIPE, text=True, check=True).stdout.strip())
    # What setuptools writes for an editable package; the backend above installs a plain one.
    shutil.rmtree(site / "cnnatomy", ignore_errors=True)
    (site / "__editable__.cnnatomy-0.1.0.pth").write_text(f"{machine.checkout / 'src'}\n")
    assert machine.set_up().returncode == 0
    copy = machine.folder / "my (new) folder 中文"
    shutil.copytree(machine.checkout, copy, symlinks=True)
    found = subprocess.run(
        [copy / ".venv/bin/python", "-Ic", "import cnnatomy; print(cnnatomy.__file__)"],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    assert Path(os.fsdecode(found).strip()) == copy / "src/cnnatomy/__init__.py"
    python.unlink()
    python.symlink_to("/nowhere/python")
    assert machine.set_up().returncode == 0 and "reads" in machine.installed()
