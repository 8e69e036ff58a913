"""Flows of one method at once in a process, against the same flows one after another."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from wowbench.bench.card.flows import SOURCE, TARGET, load_images, pose, warm_up
from wowbench.bench.card.part import Job, Row, Rows
from wowbench.bench.card.times import peak_gib, reset_peak_memory

if TYPE_CHECKING:
    from wowbench.methods.flow_method import FlowMethod
    from wowbench.methods.problem import Problem
    from wowbench.methods.trajectory import Trajectory

METHODS = ("mmdsw_sprint", "mmdsw", "otdd")
FLOWS, K = 8, 5
STEPS = {"mmdsw_sprint": 400, "mmdsw": 400, "otdd": 50}
"""Enough for a time; as many for all flows, which do not stop before."""

TINY_FLOWS, TINY_K, TINY_STEPS = 3, 2, 3


def together(job: Job) -> Rows:
    """Time flows of different draws and seeds, and see that they have the bits that they had."""
    from wowbench.parameters import FromRegistry
    from wowbench.registry import METHODS as REGISTRY

    count, k = (TINY_FLOWS, TINY_K) if job.tiny else (FLOWS, K)
    data = {name: load_images(name) for name in (SOURCE, TARGET)}
    problems = [pose(data, k, seed, job) for seed in range(count)]
    for name in METHODS:
        steps = TINY_STEPS if job.tiny else STEPS[name]
        method = FromRegistry(REGISTRY).build({"name": name, "steps": steps, "until": None})
        yield "together", {"method": name, "k": k, "flows": count, **_time(method, problems, job)}


def _time(method: FlowMethod, problems: list[Problem], job: Job) -> Row:
    from wowbench.jobs.together import run_jobs
    from wowbench.methods.problem import RunContext

    captured = warm_up(method, problems[0])
    method.run(problems[0], RunContext(seed=0))  # loads what its end takes
    runs = {
        f"flow {seed}": partial(method.run, problem, RunContext(seed=seed))
        for seed, problem in enumerate(problems)
    }
    found = {}
    for way, at_once in (("in_turn", False), ("at_once", True)):
        reset_peak_memory(job.device)
        start = time.perf_counter()
        found[way] = run_jobs(runs, job.device, at_once=at_once)
        found[f"{way}_seconds"] = time.perf_counter() - start
        found[f"{way}_peak_gib"] = peak_gib(job.device)
    in_turn, at_once = found.pop("in_turn"), found.pop("at_once")
    return found | {
        "steps": method.steps,
        "ratio": found["in_turn_seconds"] / found["at_once_seconds"],
        "same_bits": all(map(_same, in_turn, at_once)),
        "captured": captured,
    }


def _same(one: Trajectory, other: Trajectory) -> bool:
    """Whether two flows ended with the same particles, after the same losses."""
    last = [max(trajectory.frames) for trajectory in (one, other)]
    frames = [t.frames[step] for t, step in zip((one, other), last, strict=True)]
    same_losses = one.losses.equal(other.losses)
    return same_losses and frames[0].particles.equal(frames[1].particles)
