"""Flows of Table 2 on a card, from MNIST to Fashion-MNIST, to their end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from wowbench.bench.card.part import Job, Row, Rows
from wowbench.bench.card.times import peak_gib, reset_peak_memory
from wowbench.errors import one_line

if TYPE_CHECKING:
    from wowbench.methods.flow_method import FlowMethod
    from wowbench.methods.problem import Problem

METHODS = ("mmdsw_sprint", "mmdsw", "mmdsw_fast", "otdd")
"""The quickest ones first, so that a part that is stopped has most of the flows."""

SOURCE, TARGET = "MNIST", "FashionMNIST"
N, KS = 200, (1, 5, 10)
TINY_N, TINY_KS, TINY_STEPS = 4, (1, 2), 3
FIRST_SEEDS, MORE_SEEDS = (0,), (1, 2)

WARM_UP_STEPS = 10

FLOW_SECONDS = 25.0
"""Time after which a flow is given up, and its method at this k; its step is known by then."""


class OutOfTime(Exception):  # noqa: N818
    """A flow has taken `FLOW_SECONDS`."""


def first_flows(job: Job) -> Rows:
    """Run one flow of each method and k."""
    return _flows(job, FIRST_SEEDS)


def more_flows(job: Job) -> Rows:
    """Run two more flows of each method and k."""
    return _flows(job, MORE_SEEDS)


def _flows(job: Job, seeds: tuple[int, ...]) -> Rows:
    from wowbench.parameters import FromRegistry
    from wowbench.registry import METHODS as REGISTRY

    ks, sizes = (TINY_KS, {"steps": TINY_STEPS}) if job.tiny else (KS, {})
    data = {name: load_images(name) for name in (SOURCE, TARGET)}
    for name in METHODS:
        method = FromRegistry(REGISTRY).build({"name": name, **sizes})
        for k in ks:
            for seed in seeds:
                row = {"method": name, "k": k, "seed": seed, "bundled": data[TARGET].bundled}
                try:
                    row |= _run(method, pose(data, k, seed, job), seed)
                except Exception as error:  # the others are to run in any case
                    row |= {"finished": False, "error": one_line(f"{_kind(error)}: {error}")}
                yield "flows", row
                if not row["finished"]:
                    break


def _kind(error: Exception) -> str:
    return type(error).__name__


def _run(method: FlowMethod, problem: Problem, seed: int) -> Row:
    from wowbench.methods.problem import RunContext

    device = str(problem.source.device)
    captured = warm_up(method, problem)
    reset_peak_memory(device)
    start, done = time.perf_counter(), 0

    def watch(step: int, loss: float) -> None:
        nonlocal done
        done = step
        if step < method.steps and time.perf_counter() - start > FLOW_SECONDS:
            raise OutOfTime

    try:
        trajectory = method.run(problem, RunContext(seed=seed, progress=watch))
    except OutOfTime:
        seconds = time.perf_counter() - start
        found = {"finished": False, "steps": done, "seconds": seconds}
    else:
        found = {
            "finished": True,
            "steps": len(trajectory.losses),
            "seconds": trajectory.seconds,
            "whole_seconds": time.perf_counter() - start,
            "held_out_loss": trajectory.metrics["held_out_loss"],
        }
    found["ms_a_step"] = 1e3 * found["seconds"] / max(found["steps"], 1)
    return found | {"captured": captured, "peak_gib": peak_gib(device)}


def warm_up(method: FlowMethod, problem: Problem) -> bool:
    """Take the steps that load and tune what later ones use; tell whether they are CUDA graphs."""
    import torch

    from wowbench.flows.descent import start_flow
    from wowbench.flows.graph import CapturedStep

    composition = method.compose(problem)
    step, state, generator = start_flow(
        composition.functional,
        composition.source,
        method.scheme,
        torch.Generator(problem.source.device).manual_seed(0),
        steps=method.steps,
    )
    for _ in range(min(WARM_UP_STEPS, method.steps)):
        step(state, generator)
    return isinstance(step, CapturedStep)


def load_images(name: str):
    """Training images: of the files in the data root where they are, else the bundled ones."""
    from wowbench.registry import DATASETS

    dataset = DATASETS.get(name)()
    if not dataset.fingerprint():
        dataset = DATASETS.get(name)(bundled=True)
    return dataset.load("train")


def pose(data: dict, k: int, seed: int, job: Job) -> Problem:
    """Draw a problem of Table 2, with k target images a class."""
    from wowbench.datasets.splits import draw_per_class
    from wowbench.methods.problem import Problem
    from wowbench.space import Space

    n = TINY_N if job.tiny else N
    images = [
        draw_per_class(data[name], size, seed=seed) for name, size in ((SOURCE, n), (TARGET, k))
    ]
    space = Space(tuple(images[0].shape[2:]), bounds=(0.0, 1.0))
    source, target = (space.enter(part).to(job.device) for part in images)
    return Problem(source, target, space)
