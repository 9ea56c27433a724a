"""A Slurm of one node, started for the tests on loopback: two processors, two pretend GPUs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Checkout, with_own

NEEDED = ("sbatch", "srun", "squeue", "sinfo", "slurmctld", "slurmd", "munged")
CONF = """
ClusterName=mini
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={other_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={place}/munge.socket,cred_expire=20
CredType=cred/munge
StateSaveLocation={place}/ctld
SlurmdSpoolDir={place}/slurmd
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd.pid
SlurmctldLogFile={place}/slurmctld.log
SlurmdLogFile={place}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=2,batch_sched_delay=0,sched_min_interval=0
ReturnToService=2
SlurmdTimeout=60
InactiveLimit=0
KillWait=3
MinJobAge=300
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={place}/jobs.txt
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=8000 Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""
GRES = "AutoDetect=off\nNodeName={host} Name=gpu File=/dev/null\nNodeName={host} Name=gpu File=/dev/zero\n"


@dataclass
class Slurm:
    """A running Slurm: its folder, and the environment in which its commands find it."""

    place: Path
    environment: dict[str, str]

    def command(self, *words: str) -> str:
        return subprocess.run(
            words, env=self.environment, capture_output=True, text=True, check=True, timeout=30
        ).stdout

    def queued(self) -> list[str]:
        return self.command("squeue", "-h", "-o", "%i").split()

    def finished(self) -> list[dict[str, str]]:
        """What Slurm wrote of each job that ended: JobId, JobState, Name, and more."""
        log = self.place / "jobs.txt"
        lines = log.read_text().splitlines() if log.is_file() else []
        return [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines]


@pytest.fixture(scope="session")
def slurm(tmp_path_factory) -> Iterator[Slurm]:
    lacking = [name for name in NEEDED if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]
    if lacking:
        pytest.skip(f"needs Slurm and munge: no `{lacking[0]}` on the path")
    if os.geteuid() != 0:
        pytest.skip("starting a Slurm of one's own needs root")
    pytest.importorskip("snakemake_executor_plugin_slurm", reason="needs Snakemake's plugin: pip install .[slurm]")
    # Sockets want short paths, and jobs a folder that outlives nothing.
    place = tmp_path_factory.mktemp("slurm")
    host = socket.gethostname().partition(".")[0]
    values = {"host": host, "place": place, "port": _free_port(), "other_port": _free_port()}
    (place / "slurm.conf").write_text(CONF.format(**values))
    (place / "gres.conf").write_text(GRES.format(**values))
    for folder in ("ctld", "slurmd", "bin"):
        (place / folder).mkdir()
    # The plugin's job step drops SLURM_CONF before its inner srun, which then finds no cluster.
    (place / "bin" / "srun").write_text(f'#!/bin/sh\nSLURM_CONF={place}/slurm.conf exec {shutil.which("srun")} "$@"\n')
    (place / "bin" / "srun").chmod(0o755)
    key = place / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    path = f"{place / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin:/sbin"
    environment = os.environ | {"SLURM_CONF": str(place / "slurm.conf"), "PATH": path}
    munged = ["munged", "--force", f"--key-file={key}", f"--socket={place}/munge.socket", "--num-threads=2"]
    munged += [f"--pid-file={place}/munged.pid", f"--log-file={place}/munged.log", f"--seed-file={place}/munged.seed"]
    started = Slurm(place, environment)
    try:
        for command in (munged, ["slurmctld"], ["slurmd"]):
            subprocess.run(command, env=environment, check=True, timeout=30, capture_output=True)
        for _ in range(150):
            answer = subprocess.run(
                ["sinfo", "-h", "-p", "main", "-o", "%t"], env=environment, capture_output=True, text=True
            )
            if answer.stdout.strip() == "idle":
                break
            time.sleep(0.2)
        else:
            logs = "\n".join(file.read_text()[-2000:] for file in place.glob("*.log"))
            pytest.fail(f"Slurm did not come up:\n{logs}")
        yield started
    finally:
        for name in ("slurmd", "slurmctld", "munged"):
            pid = place / f"{name}.pid"
            if pid.is_file():
                os.kill(int(pid.read_text()), 15)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def at(slurm: Slurm, folder: Path) -> Checkout:
    """A checkout with the stripes of the tests, whose Snakemake finds the Slurm."""
    checkout = with_own(folder)
    mine = {key: slurm.environment[key] for key in ("SLURM_CONF", "PATH")}
    return Checkout(checkout.folder, checkout.environment | mine)


@pytest.fixture
def cluster(slurm, tmp_path) -> Checkout:
    return at(slurm, tmp_path / "checkout")
