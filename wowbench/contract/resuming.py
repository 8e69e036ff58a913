"""Checks that what was interrupted goes on, to the same bits."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from wowbench.contract.checks import ContractError, require
from wowbench.contract.child import call_in_child
from wowbench.contract.outcomes import different
from wowbench.contract.problems import small_problem
from wowbench.methods.base import Method
from wowbench.methods.problem import Pairing, Problem, RunContext
from wowbench.methods.trajectory import Trajectory

if TYPE_CHECKING:
    from wowbench.flows import Checkpoint

SEED, SNAPSHOTS = 1, (0, 1)
INTERRUPTED_AFTER = 3
"""Steps, of the few that a method takes here, after which it is interrupted."""


class Interruption(BaseException):
    """What ends a run from outside; no method handles it."""


def resumes_where_it_was_interrupted(method: Method, problem: Problem) -> None:
    """Require that an exception between two steps costs only the steps since the last save."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = _checkpoint(folder)
        try:
            _run(method, problem, checkpoint, _interrupt)
        except Interruption:
            _require_the_rest(method, problem, checkpoint)
        else:
            raise ContractError(
                f"it reports no progress after {INTERRUPTED_AFTER} steps and more, where it would "
                "have been interrupted"
            )


def resumes_after_being_killed(method: Method, pairing: Pairing) -> None:
    """Require the same of a SIGKILL, which leaves no time to save anything."""
    with tempfile.TemporaryDirectory() as folder:
        status, message = call_in_child(_run_until_killed, method, pairing, folder)
        require(
            status == -signal.SIGKILL,
            f"it ended before it was killed after {INTERRUPTED_AFTER} steps, with exit status "
            f"{status}: {message}",
        )
        _require_the_rest(method, small_problem(pairing), _checkpoint(folder))


def takes_no_step_when_it_is_complete(method: Method, problem: Problem) -> None:
    """Require that, run again after its last step, it gives the same outcome at once."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = _checkpoint(folder)
        first = _run(method, problem, checkpoint)
        require(
            checkpoint.path.exists(),
            "there is no checkpoint after the last step; expected one with all steps done, which "
            "is left to the caller to remove",
        )
        steps = []
        again = _run(method, problem, checkpoint, lambda done, _: steps.append(done))
        repeated = [done for done in steps if done < method.steps]
        require(not repeated, f"run again after its last step, it repeats steps {repeated}")
        _require_same(again, first, "run again after its last step")


def _run(
    method: Method, problem: Problem, checkpoint: Checkpoint | None = None, progress=None
) -> Trajectory:
    return method.run(problem, RunContext(SEED, checkpoint, progress, SNAPSHOTS))


def _checkpoint(folder: str) -> Checkpoint:
    from wowbench.flows import Checkpoint

    return Checkpoint(Path(folder) / "flow.checkpoint", "contract", every_seconds=0)


def _interrupt(done: int, loss: float) -> None:
    if done >= INTERRUPTED_AFTER:
        raise Interruption


def _kill(done: int, loss: float) -> None:
    if done >= INTERRUPTED_AFTER:
        os.kill(os.getpid(), signal.SIGKILL)


def _run_until_killed(method: Method, pairing: Pairing, folder: str) -> None:
    _run(method, small_problem(pairing), _checkpoint(folder), _kill)


def _require_the_rest(method: Method, problem: Problem, checkpoint: Checkpoint) -> None:
    """Require that the method goes on from a checkpoint that it wrote, to what it had given."""
    saved = checkpoint.load()
    require(
        saved is not None,
        f"it had saved no checkpoint after {INTERRUPTED_AFTER - 1} steps and more; hand "
        "context.checkpoint to wowbench.flows.iterate, or save to it after each step where "
        "is_due() says so",
    )
    steps = []
    resumed = _run(method, problem, checkpoint, lambda done, _: steps.append(done))
    require(
        steps and min(steps) > saved[1],
        f"after step {saved[1]} was saved, it goes on with step {min(steps, default=None)}",
    )
    _require_same(resumed, _run(method, problem), "resumed")


def _require_same(outcome: Trajectory, expected: Trajectory, when: str) -> None:
    field = different(outcome, expected)
    require(field is None, f"{when}, it gives other {field} than without an interruption")
