"""A SLURM of one node in a folder, for as long as tests need it; not a test itself."""

import os
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel")
NODE = "node"
CONFIG = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0
ReturnToService=2
KillWait=2
GresTypes=gpu
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 CPUs=32 RealMemory=128000 Gres=gpu:2
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> list[str]:
    """What a machine lacks to start SLURM on."""
    lacks = [name for name in NEEDED if not shutil.which(name)]
    return lacks if os.geteuid() == 0 else ["rights of root", *lacks]


class Slurm:
    """The commands of a SLURM that runs.

    Attributes
    ----------
    environment : dict of str to str
        What its commands need beside the environment.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        config = str(folder / "slurm.conf")
        # Snakemake's plugin takes SLURM_CONF away from a job's `srun`, which looks in /etc then.
        srun = folder / "bin" / "srun"
        srun.parent.mkdir()
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={config} exec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)
        path = f"{srun.parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {"SLURM_CONF": config, "PATH": path}

    def run(self, *command: str) -> str:
        """Standard output of one of its commands."""
        environment = os.environ | self.environment
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def jobs(self, *states: str) -> list[dict[str, str]]:
        """Jobs in the order of their submission: number, state, memory, comment."""
        fields = {"number": "JobID", "state": "State", "memory": "MinMemory", "comment": "Comment"}
        form = ",".join(f"{field}:|" for field in fields.values())
        asked = ("squeue", "--noheader", "--sort=i", f"--Format={form}")
        lines = self.run(*asked, f"--states={','.join(states) or 'all'}").splitlines()
        return [dict(zip(fields, line.split("|"), strict=False)) for line in lines]


@contextmanager
def one_node(folder: Path) -> Iterator[Slurm]:
    """Start munge and SLURM's two daemons below a folder, and stop them afterwards."""
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    (folder / "munge.key").write_bytes(os.urandom(64))
    (folder / "munge.key").chmod(0o600)
    gpus = [folder / f"gpu{i}" for i in range(2)]
    for gpu in gpus:
        # SLURM wants a device, and reads nothing from it: the null device under another name.
        os.mknod(gpu, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    files = "".join(f"NodeName={NODE} Name=gpu File={gpu}\n" for gpu in gpus)
    (folder / "gres.conf").write_text(files)
    host = socket.gethostname().split(".")[0]
    config = CONFIG.format(folder=folder, host=host, node=NODE, ports=_free_ports(2))
    (folder / "slurm.conf").write_text(config)
    slurm = Slurm(folder)
    daemons = (
        (
            *("munged", "--foreground", "--force", f"--key-file={folder}/munge.key"),
            *(f"--socket={folder}/munge.socket", f"--pid-file={folder}/munge.pid"),
            *(f"--seed-file={folder}/munge.seed", f"--log-file={folder}/munge.log"),
        ),
        ("slurmctld", "-D", "-i"),
        ("slurmd", "-D", "-N", NODE),
    )
    with ExitStack() as stack:
        for command in daemons:
            stack.enter_context(_running(command, slurm))
        _wait_for_node(slurm)
        yield slurm
        subprocess.run(("scancel", "--user=root"), env=os.environ | slurm.environment, check=False)


@contextmanager
def _running(command: tuple[str, ...], slurm: Slurm) -> Iterator[None]:
    log = (slurm.folder / f"{command[0]}.out").open("w")
    environment = os.environ | slurm.environment
    with log, subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process:
        try:
            if command[0] == "munged":
                _wait(lambda: (slurm.folder / "munge.socket").exists(), slurm)
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for_node(slurm: Slurm) -> None:
    def idle() -> bool:
        command = ("sinfo", "--noheader", "--format=%T")
        environment = os.environ | slurm.environment
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        return done.stdout.strip() == "idle"

    _wait(idle, slurm)


def _wait(condition, slurm: Slurm, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        logs = "".join(path.read_text() for path in slurm.folder.glob("*.out"))
        assert time.monotonic() < end, f"SLURM does not start:\n{logs}"
        time.sleep(0.2)


def _free_ports(n: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
