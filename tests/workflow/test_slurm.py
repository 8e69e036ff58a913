"""The workflow on a SLURM of one node, which the tests start: as root, with its packages."""

import json
import os
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest
from slurm import missing, one_node

pytestmark = pytest.mark.workflow

# The node has no accounting, and is asked as soon as a job may be done.
PROFILE = (
    *("--profile", "profiles/slurm", "--latency-wait", "5"),
    *("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "6"),
)
CONFIG = {
    "name": "near",
    "experiments": [
        {
            "task": "distance",
            "datasets": ["digits"],
            "sizes": [60, 90],
            "pairs": 2,
            "directions": [5],
            "distances": ["shaky"],
            "reference": "energy",
        }
    ],
}
DISTANCE = """
import time
from pathlib import Path
from typing import ClassVar

from wowbench.distances.energy import Energy
from wowbench.registry import DISTANCES


@DISTANCES.register
class Shaky(Energy):
    name: ClassVar[str] = "shaky"
    summary: ClassVar[str] = "hangs, then fails, then works"

    def estimate(self, *data):
        if not (first := Path("hung")).exists():
            first.touch()
            time.sleep(300)
        if not (second := Path("failed")).exists():
            second.touch()
            raise RuntimeError("it fell over")
        return super().estimate(*data)
"""
TWO_GPUS = """
rule all:
    input:
        "0.txt",
        "1.txt",


rule one:
    output:
        "{i}.txt",
    resources:
        gpu=1,
        mem_mb=100,
        runtime=5,
    params:
        python=config["python"],
    shell:
        "touch started.{wildcards.i}; "
        "for s in $(seq 300); do [ -e started.0 -a -e started.1 ] && break; sleep 0.2; done; "
        "[ -e started.0 -a -e started.1 ] && "
        "{params.python:q} -c 'import os; from wowbench.cards import count_cards; "
        'print(os.environ["CUDA_VISIBLE_DEVICES"], count_cards())\\' > {output}'
"""


@pytest.fixture(scope="module")
def plugin():
    if not find_spec("snakemake_executor_plugin_slurm"):
        pass_over("no snakemake-executor-plugin-slurm; see the extra `slurm`")


@pytest.fixture(scope="module")
def slurm(plugin, tmp_path_factory):
    if sys.platform != "linux":
        pytest.skip("SLURM is for Linux")
    if lacks := missing():
        pass_over(f"SLURM cannot be started here: no {', '.join(lacks)}; see `make system`")
    with one_node(tmp_path_factory.mktemp("slurm")) as running:
        yield running


def pass_over(reason):
    """Skip a test, but where all are meant to run."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


def start(checkout, slurm, *arguments):
    """Start Snakemake with the profile; its output goes to a file."""
    (checkout.folder / "near.json").write_text(json.dumps(CONFIG))
    path = f"{Path(sys.executable).parent}{os.pathsep}{slurm.environment['PATH']}"
    environment = os.environ | slurm.environment
    environment |= {"PATH": path, "PYTHONPATH": str(checkout.folder)}
    with (checkout.folder / "output.txt").open("w") as output:
        return subprocess.Popen(
            ("snakemake", "--configfile", "near.json", *PROFILE, *arguments),
            cwd=checkout.folder,
            env=environment,
            stdout=output,
            stderr=output,
        )


def of_shaky(slurm, *states):
    return [job for job in slurm.jobs(*states) if "shaky" in job["comment"]]


def test_a_cancelled_job_is_recorded_and_a_later_run_retries_it_until_it_succeeds(checkout, slurm):
    (checkout.folder / "wowbench" / "distances" / "shaky.py").write_text(DISTANCE)
    results = checkout.folder / "results" / "near"
    output = checkout.folder / "output.txt"

    first = start(checkout, slurm, "--retries", "0")
    end = time.monotonic() + 300
    while not (checkout.folder / "hung").exists():
        assert first.poll() is None, output.read_text()
        assert time.monotonic() < end, output.read_text()
        time.sleep(0.2)
    (running,) = of_shaky(slurm, "running")
    slurm.run("scancel", running["number"])
    assert first.wait(300) != 0
    assert "SLURM status is: 'CANCELLED'" in output.read_text()
    scores = pd.read_csv(results / "partial" / "scores.csv")
    assert set(scores[scores.metric == "squared_distance"].method) == {"energy"}
    (failed,) = scores[scores.status == "failed"].itertuples()
    assert (failed.method, failed.metric) == ("shaky", "distance")
    assert not (results / "scores.csv").exists()

    second = start(checkout, slurm)
    assert second.wait(300) == 0, output.read_text()
    assert "RuntimeError: it fell over" in output.read_text()
    before, once, twice = of_shaky(slurm)
    assert [job["state"] for job in (before, once, twice)] == ["CANCELLED", "FAILED", "COMPLETED"]
    asked = [int(job["memory"].removesuffix("M")) for job in (before, once, twice)]
    assert asked == [asked[0], asked[0], 2 * asked[0]]
    scores = pd.read_csv(results / "scores.csv")
    values = scores[scores.metric == "squared_distance"].pivot(
        index="draw", columns="method", values="value"
    )
    assert (values.shaky == values.energy).all()
    assert len(values) == 2
    assert (results / "figures" / "distance_correlation.png").exists()
    # One submission for the tables and figures, and none for what takes seconds.
    comments = [job["comment"] for job in slurm.jobs()]
    assert sum("reports" in comment for comment in comments) == 1
    assert not any("aggregate" in comment for comment in comments)
    assert not (results / "partial").exists()


def test_jobs_at_a_time_have_a_gpu_each(tmp_path, slurm):
    root = Path(__file__).parents[2]
    (tmp_path / "Snakefile").write_text(TWO_GPUS)
    driver = tmp_path / "bin" / "nvidia-smi"
    driver.parent.mkdir()
    driver.write_text("#!/bin/sh\necho 'GPU 0: A (UUID: GPU-a)'\necho 'GPU 1: B (UUID: GPU-b)'\n")
    driver.chmod(0o755)
    path = (str(driver.parent), str(Path(sys.executable).parent), slurm.environment["PATH"])
    environment = os.environ | slurm.environment
    environment |= {"PATH": os.pathsep.join(path), "PYTHONPATH": str(root)}
    environment.pop("CUDA_VISIBLE_DEVICES", None)
    profile = [str(root / part) if part == "profiles/slurm" else part for part in PROFILE]
    done = subprocess.run(
        ("snakemake", *profile, "--retries", "0", "--config", f"python={sys.executable}"),
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    seen = [(tmp_path / f"{i}.txt").read_text().split() for i in range(2)]
    assert sorted(seen) == [["0", "1"], ["1", "1"]]


def test_without_slurm_the_profile_says_so_in_one_line(checkout, plugin):
    (checkout.folder / "near.json").write_text(json.dumps({**CONFIG, "name": "alone"}))
    (checkout.folder / "wowbench" / "distances" / "shaky.py").write_text(DISTANCE)
    tools = checkout.folder / "bin"
    tools.mkdir()
    for name in ("bash", "sh", "env", "which"):
        (tools / name).symlink_to(shutil.which(name))
    path = f"{Path(sys.executable).parent}{os.pathsep}{tools}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(checkout.folder)}
    done = subprocess.run(
        ("snakemake", "--configfile", "near.json", "--profile", "profiles/slurm"),
        cwd=checkout.folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode != 0
    assert "this profile gives jobs to SLURM, and there is no `sbatch` here" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((checkout.folder / "results" / "alone").glob("data/*"))
