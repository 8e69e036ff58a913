"""What a record says of the machine and the code."""

import hashlib
import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from wowbench import provenance
from wowbench.jobs.machine import limit_threads, resolve_device

LOCK = Path(__file__).parents[2] / "envs" / "requirements.lock"


def test_it_has_what_changes_bits_on_a_processor(monkeypatch):
    monkeypatch.setenv("MKL_CBWR", "COMPATIBLE")
    with limit_threads(2):
        found = provenance.provenance("cpu")
    assert found["threads"] == 2
    assert (found["device"], found["driver"]) == ("cpu", None)
    assert found["lock"] == hashlib.sha256(LOCK.read_bytes()).hexdigest()
    arithmetic = found["arithmetic"]
    assert arithmetic["capability"] == torch.backends.cpu.get_cpu_capability()
    assert arithmetic["environment"]["MKL_CBWR"] == "COMPATIBLE"
    assert {"mkl", "onednn", "float32_matmul_precision"} <= arithmetic.keys()
    json.dumps(found, allow_nan=False)


def test_it_follows_the_switches_of_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a card")
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    asked = []
    monkeypatch.setattr(
        provenance, "ask_driver", lambda *what: asked.append(what) or ["580.1", "580.1"]
    )
    found = provenance.provenance("cuda")
    assert found["device"] == "a card"
    assert found["driver"] == "580.1"
    assert asked == [("--query-gpu=driver_version", "--format=csv,noheader")]
    assert found["arithmetic"]["tf32_matmul"] is torch.backends.cuda.matmul.allow_tf32
    assert found["arithmetic"]["cudnn_benchmark"] is True
    names = {"tf32_matmul", "tf32_convolution", "cudnn_deterministic", "deterministic_algorithms"}
    assert names <= found["arithmetic"].keys()
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(("system", "unit"), [("linux", 1024), ("darwin", 1)])
def test_peak_memory_is_in_bytes_on_every_platform(monkeypatch, system, unit):
    class Usage:
        ru_maxrss = 3000

    monkeypatch.setattr(resource, "getrusage", lambda who: Usage)
    monkeypatch.setattr(sys, "platform", system)
    assert provenance.peak_memory_bytes("cpu") == 3000 * unit


def test_threads_are_those_asked_for_whatever_the_environment_says():
    code = (
        "import torch; from wowbench.jobs.machine import limit_threads\n"
        "x = torch.rand(1000, 1000, generator=torch.Generator().manual_seed(0))\n"
        "with limit_threads(1): print(torch.get_num_threads(), (x @ x).sum().item().hex())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"OMP_NUM_THREADS": threads, "PATH": "", "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    }
    assert len(outputs) == 1
    assert outputs.pop().startswith("1 ")


def test_threads_are_given_back():
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError), limit_threads(before + 1):
        raise RuntimeError
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("found", [0, 2])
def test_what_the_environment_hides_of_the_gpus_is_said(monkeypatch, found):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: found > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: found)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7"[:found])
    with pytest.raises(ValueError, match=f" here with CUDA_VISIBLE_DEVICES='{'4,7'[:found]}'"):
        resolve_device("cuda:4")
