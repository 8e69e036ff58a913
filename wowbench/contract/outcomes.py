"""Checks of what a method gives back, and of what it leaves alone."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np

from wowbench.contract.checks import require
from wowbench.errors import InputError, MethodError
from wowbench.jobs.together import run_jobs
from wowbench.methods.base import Method
from wowbench.methods.problem import Problem, RunContext
from wowbench.methods.trajectory import Trajectory
from wowbench.methods.trajectory_check import check_trajectory

SEED, OTHER_SEEDS = 1, (2, 3, 4, 5, 6)


def gives_what_a_trajectory_is(method: Method, problem: Problem) -> None:
    """Require the shapes, dtypes and ranges of a `Trajectory` of all its fields."""
    method.check_sizes(**problem.sizes)
    _checked(method, problem, RunContext(SEED))


def takes_or_refuses(method: Method, problem: Problem) -> None:
    """Require that a problem of unusual size is solved, or refused before the first step."""
    steps: list[int] = []
    context = RunContext(SEED, progress=lambda done, _: steps.append(done))
    try:
        method.check_sizes(**problem.sizes)
        _checked(method, problem, context)
    except MethodError:
        raise
    except InputError as error:
        require(not steps, f"it refuses the problem after {len(steps)} steps: {error}")
        require("\n" not in str(error), f"its refusal has several lines: {error}")


def leaves_the_problem_as_it_was(method: Method, problem: Problem) -> None:
    """Require that source and target are not changed in place."""
    before = {name: getattr(problem, name).clone() for name in ("source", "target")}
    _run(method, problem)
    for name, tensor in before.items():
        require(getattr(problem, name).equal(tensor), f"it changes problem.{name} in place")


def follows_from_the_seed(method: Method, problem: Problem) -> None:
    """Require that equal seeds give equal bits, and others do if it is declared deterministic."""
    first = _run(method, problem)
    field = different(first, _run(method, problem))
    require(field is None, f"two runs of one seed give other {field}")
    others = [different(first, _run(method, problem, seed=seed)) for seed in OTHER_SEEDS]
    if method.deterministic:
        field = next((field for field in others if field is not None), None)
        require(field is None, f"it is declared deterministic, and other seeds give other {field}")
    else:
        require(
            any(others),
            f"{len(others) + 1} seeds give the same outcome; use context.seed, or declare the "
            "class attribute deterministic",
        )


def leaves_the_global_random_state_alone(method: Method, problem: Problem) -> None:
    """Require that states of torch, NumPy and the standard library are not read or written."""
    outcomes = []
    with _kept_random_states():
        for seed in (0, 1):
            _seed_globally(seed)
            before = _random_states()
            outcomes.append(_run(method, problem))
            changed = [name for name, state in _random_states().items() if state != before[name]]
            require(not changed, f"it changes the global random state of {', '.join(changed)}")
    field = different(*outcomes)
    require(field is None, f"its {field} depend on the global random state")


def keeps_the_snapshots_asked_for(method: Method, problem: Problem) -> None:
    """Require particles and labels of the steps asked for, which change nothing else."""
    steps = getattr(method, "steps", 0)
    plain = _run(method, problem)
    asked = sorted({0, 2, max(steps - 1, 0), steps, steps + 95})
    outcome = _checked(method, problem, RunContext(SEED, snapshots=tuple(asked)))
    field = different(replace(outcome, frames={steps: outcome.last}), plain)
    require(field is None, f"with snapshots it gives other {field} than without")
    if steps and len(outcome.last.particles):
        same = outcome.frames[0].particles.equal(outcome.last.particles)
        require(not same, "its snapshot after 0 steps has the particles after the last step")


def reports_its_progress(method: Method, problem: Problem) -> None:
    """Require that `progress` is called with the steps done and the loss, last at the end."""
    reports: list[tuple[int, float]] = []
    outcome = _run(method, problem, progress=lambda *report: reports.append(report))
    steps = [done for done, _ in reports]
    require(
        steps and steps[-1] == method.steps,
        f"its last report is of step {steps[-1:] or 'none'}; expected {method.steps}",
    )
    require(steps == sorted(set(steps)), f"it reports steps {steps}; expected them to increase")
    for done, loss in reports:
        recorded = outcome.losses[done - 1].item()
        close = abs(loss - recorded) <= 1e-5 * abs(recorded)
        require(close, f"it reports the loss {loss!r} of step {done}, and records {recorded!r}")


def gives_the_same_beside_others(method: Method, problem: Problem) -> None:
    """Require that flows at once in threads of a process have the bits that they have alone."""
    if not method.concurrent:
        return
    seeds = (SEED, *OTHER_SEEDS[:2])
    alone = [_run(method, problem, seed=seed) for seed in seeds]
    flows = {
        f"the flow of seed {seed}": partial(_run, method, problem, seed=seed) for seed in seeds
    }
    with _threads_that_switch_often():
        beside = run_jobs(flows, "cpu", at_once=True)
    field = next(filter(None, map(different, alone, beside)), None)
    require(
        field is None,
        f"beside others in threads it gives other {field} than alone; keep what it changes to each "
        "run, or declare the class attribute concurrent false",
    )


def different(one: Trajectory, other: Trajectory) -> str | None:
    """Name of a field, time apart, in which two are not the same bits; None if none."""
    parts = (_parts(outcome) for outcome in (one, other))
    for (name, mine), (_, others) in zip(*(part.items() for part in parts), strict=True):
        if mine != others:
            return name
    return None


def _parts(trajectory: Trajectory) -> dict[str, object]:
    """Fields whose values can be compared by ``==``."""
    fields = ("particles", "labels", "weights")
    frames = trajectory.frames.items()
    return {
        **{
            field: {step: _bits(getattr(frame, field)) for step, frame in frames}
            for field in fields
        },
        "losses": _bits(trajectory.losses),
        "metrics": trajectory.metrics,
    }


def _bits(tensor) -> tuple | None:
    if tensor is None:
        return None
    return tensor.dtype, tuple(tensor.shape), tensor.cpu().numpy().tobytes()


def _run(method: Method, problem: Problem, *, seed: int = SEED, progress=None) -> Trajectory:
    return method.run(problem, RunContext(seed, progress=progress))


def _checked(method: Method, problem: Problem, context: RunContext) -> Trajectory:
    outcome = method.run(problem, context)
    check_trajectory(method, outcome, problem, context)
    return outcome


def _seed_globally(seed: int) -> None:
    import torch

    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)


def _random_states() -> dict[str, object]:
    import torch

    name, keys, *rest = np.random.get_state()  # noqa: NPY002
    return {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "NumPy": (name, keys.tobytes(), *rest),
        "the standard library": random.getstate(),
    }


@contextmanager
def _threads_that_switch_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextmanager
def _kept_random_states() -> Iterator[None]:
    import torch

    legacy, standard = np.random.get_state(), random.getstate()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            np.random.set_state(legacy)  # noqa: NPY002
            random.setstate(standard)
