"""The GPUs of a machine are counted, and each job has one of its own."""

import os
import subprocess
import sys
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
import torch

from wowbench import cards
from wowbench.errors import InputError
from wowbench.jobs.machine import explain_full_memory, resolve_device
from wowbench.plan import Plan
from wowbench.strict_yaml import read_yaml

SMOKE = "workflow/config/smoke.yaml"
TAKE = (
    "import logging, sys; from wowbench.cards import take_card; "
    "logging.basicConfig(level=logging.INFO, stream=sys.stdout, format='%(message)s'); "
    "print(take_card(sys.argv[1:]), take_card(sys.argv[1:]), flush=True); input()"
)


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """Put a stand-in for nvidia-smi that lists GPUs on the path; return what says how many."""

    def install(n):
        lines = [f"GPU {i}: A card (UUID: GPU-{i}{i})" for i in range(n)]
        tool = tmp_path / "nvidia-smi"
        tool.write_text("#!/bin/sh\n" + "\n".join(f"echo '{line}'" for line in lines))
        tool.chmod(0o755)
        cards.count_cards.cache_clear()

    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    yield install
    cards.count_cards.cache_clear()


@pytest.mark.parametrize(
    ("visible", "count"),
    [
        (None, 4),
        ("2", 1),
        ("0,3", 2),
        ("1, GPU-22", 2),
        ("0,-1,2", 1),
        ("0,7,1", 1),
        ("", 0),
        ("NoDevFiles", 0),
    ],
)
def test_cards_are_those_that_the_environment_leaves(driver, monkeypatch, visible, count):
    driver(4)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert cards.count_cards() == count


def test_without_a_driver_there_are_none(driver, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    cards.count_cards.cache_clear()
    assert cards.count_cards() == 0


@pytest.mark.parametrize(
    ("device", "found", "each", "together"),
    [
        ("auto", 3, 1, 3),
        ("auto", 0, 0, 1),
        ("cuda", 3, 1, 3),
        ("cuda", 0, 1, 1),  # where the plan is made there may be none
        ("cpu", 3, 0, 3),
    ],
)
def test_a_plan_says_what_a_job_takes_and_what_there_is(driver, device, found, each, together):
    driver(found)
    plan = Plan.load({**read_yaml(SMOKE), "device": device})
    assert (plan.gpus, plan.gpus_at_once) == (each, together)


@pytest.mark.parametrize("kill", [False, True])
def test_each_job_has_a_card_of_its_own_until_it_ends(tmp_path, kill):
    with ExitStack() as stack:

        def start():
            job = subprocess.Popen(
                [sys.executable, "-c", TAKE, "GPU-a", "GPU-b"],
                env=os.environ | {"TMPDIR": str(tmp_path)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(job)
            stack.callback(job.kill)
            return job, job.stdout.readline().strip()

        assert start()[1] == "0 0"
        second, taken = start()
        assert taken == "1 1"
        third, said = start()
        assert said == "all 2 GPUs here are taken by other jobs; waiting for one"
        if kill:
            second.kill()
        else:
            second.communicate("\n")
        assert third.stdout.readline().strip() == "1 1"


@pytest.fixture
def gpus(monkeypatch):
    """A stand-in for torch.cuda with any number of GPUs; its list has those made current."""
    current = []

    def install(n):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: n > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: n)
        monkeypatch.setattr(torch.cuda, "set_device", current.append)
        monkeypatch.setattr(
            torch.cuda, "get_device_properties", lambda i: SimpleNamespace(uuid=f"card-{i}")
        )
        return current

    return install


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_one_of_several_gpus_is_taken_and_made_current(gpus, monkeypatch, name):
    current, asked = gpus(3), []
    monkeypatch.setattr(
        "wowbench.jobs.machine.take_card", lambda names: asked.append(names) or len(names) - 1
    )
    assert resolve_device(name) == "cuda:2"
    assert asked == [["card-0", "card-1", "card-2"]]
    assert current == [2]


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_the_only_gpu_is_not_locked(gpus, monkeypatch, name):
    current = gpus(1)
    monkeypatch.setattr("wowbench.jobs.machine.take_card", lambda names: pytest.fail("locked"))
    assert resolve_device(name) == "cuda"
    assert current == []


def test_a_gpu_that_is_named_is_made_current(gpus):
    current = gpus(2)
    assert resolve_device("cuda:1") == "cuda:1"
    assert current == [1]


@pytest.mark.parametrize(("found", "count"), [(2, "2 GPUs"), (1, "1 GPU")])
def test_a_gpu_that_is_none_of_those_here_is_one_line(gpus, monkeypatch, found, count):
    gpus(found)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with pytest.raises(InputError) as error:
        resolve_device("cuda:3")
    assert str(error.value) == f"device 'cuda:3': torch finds {count} here, numbered from 0"


def test_a_gpu_that_is_full_is_one_line():
    with pytest.raises(InputError) as error, explain_full_memory("cuda:1"):
        raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 2.00 GiB.")
    assert str(error.value) == (
        "device 'cuda:1': this job does not fit in the memory of the GPU "
        "(CUDA out of memory. Tried to allocate 2.00 GiB.)"
    )
    with pytest.raises(RuntimeError, match="shapes"), explain_full_memory("cuda:1"):
        raise RuntimeError("shapes")


def test_a_processor_has_no_card():
    assert resolve_device("cpu") == "cpu"
