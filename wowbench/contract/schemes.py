"""What every scheme keeps to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from wowbench.contract import descriptions
from wowbench.contract.checks import Check, require
from wowbench.schemes.base import Scheme
from wowbench.state import BURES, EUCLIDEAN

if TYPE_CHECKING:
    from wowbench.state import State

PARTS = {"x": EUCLIDEAN, "cov": BURES}
"""What is moved here: particles, and a covariance for each."""

STEPS = 20

DESCRIPTIONS = (
    descriptions.has_a_summary,
    descriptions.cites_its_source,
    descriptions.documents_its_parameters,
    descriptions.keeps_its_parameters_through_json,
    descriptions.imports_no_torch,
)


def decreases_a_quadratic(scheme: Scheme) -> None:
    """Require it of ``1/2 mean |x|^2``, of gradient x, over a hundred steps."""
    import torch

    x = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    state, parts = {"x": x.clone()}, {"x": EUCLIDEAN}
    state |= scheme.start(state, parts, 100)
    for _ in range(100):
        value = state["x"].square().mean() / 2
        scheme.step(state, {"x": state["x"].clone()}, parts, value)
    before, after = (points.square().mean().item() / 2 for points in (x, state["x"]))
    require(after < before, f"100 steps take 1/2 mean |x|^2 from {before:g} to {after:g}")


def moves_every_part_in_place(scheme: Scheme) -> None:
    """Require new values in the same tensors, of the same dtypes, and gradients left alone."""
    import torch

    for dtype in (torch.float32, torch.float64):
        state = _start(scheme, dtype)
        before = dict(state)
        values = {name: tensor.clone() for name, tensor in state.items()}
        grads = _grads(state)
        copies = {name: tensor.clone() for name, tensor in grads.items()}
        scheme.step(state, grads, PARTS, _value(state))
        require(
            state.keys() == before.keys(), f"its state then has {sorted(state)}; expected no others"
        )
        for name, tensor in before.items():
            require(state[name] is tensor, f"it replaces {name!r}; expected an update in place")
        for name in PARTS:
            require(not state[name].equal(values[name]), f"it does not move the part {name!r}")
            require(grads[name].equal(copies[name]), f"it changes the gradient of {name!r}")
            found = state[name].dtype
            require(found == dtype, f"the part {name!r} is {found} then; expected {dtype}")


def keeps_covariances_positive(scheme: Scheme) -> None:
    """Require symmetric matrices without negative eigenvalues, also by large gradients."""
    import torch

    generator = torch.Generator().manual_seed(0)
    for scale in (1e-2, 1.0, 1e2):
        state = _start(scheme, torch.float64)
        for _ in range(STEPS):
            grad = scale * torch.randn(2, 5, 2, 2, generator=generator, dtype=torch.float64)
            grads = _grads(state) | {"cov": grad + grad.mT}
            scheme.step(state, grads, PARTS, _value(state))
            cov = state["cov"]
            require(cov.equal(cov.mT), "it leaves covariances that are not symmetric")
            least = (torch.linalg.eigvalsh(cov)[..., 0] / cov.abs().amax((-2, -1))).min().item()
            require(least > -1e-9, f"it leaves covariances with negative eigenvalues ({least:g})")


def keeps_its_memory_in_the_state(scheme: Scheme) -> None:
    """Require that a copy of the state goes on as the state itself does."""
    import torch

    state, expected = (_start(scheme, torch.float64) for _ in range(2))
    _advance(scheme, expected, STEPS)
    _advance(scheme, state, STEPS // 2)
    resumed = type(scheme).parse(scheme.model_dump(), scheme.name)
    state = {name: tensor.clone() for name, tensor in state.items()}
    _advance(resumed, state, STEPS - STEPS // 2)
    for name, tensor in expected.items():
        require(
            state[name].equal(tensor),
            f"resumed after {STEPS // 2} of {STEPS} steps, it leaves another {name!r}",
        )


def has_an_outcome_for_every_part(scheme: Scheme) -> None:
    """Require finite parts of their shapes and dtypes, and a state that is as it was."""
    import torch

    state = _start(scheme, torch.float64)
    for steps in (0, 1, STEPS - 1):
        _advance(scheme, state, steps)
        before = {name: tensor.clone() for name, tensor in state.items()}
        outcome = scheme.outcome(state, PARTS)
        found = ", ".join(map(str, outcome))
        require(outcome.keys() == PARTS.keys(), f"its outcome has {found}; expected x, cov")
        for name, tensor in before.items():
            require(state[name].equal(tensor), f"its outcome changes {name!r} in the state")
        for part, points in outcome.items():
            like = state[part]
            fits = points.shape == like.shape and points.dtype == like.dtype
            require(fits, f"its outcome has {part!r} of another shape or dtype than the state")
            require(points.isfinite().all(), f"its outcome has a {part!r} that is not finite")


ON_STATES: tuple[Callable[[Scheme], None], ...] = (
    decreases_a_quadratic,
    moves_every_part_in_place,
    keeps_covariances_positive,
    keeps_its_memory_in_the_state,
    has_an_outcome_for_every_part,
)


def scheme_checks(scheme: Scheme) -> list[Check]:
    """List all checks of a scheme.

    Parameters
    ----------
    scheme : Scheme
        What to check, with its parameters.

    Returns
    -------
    list of Check
    """
    return [Check.of(check, partial(check, scheme)) for check in (*DESCRIPTIONS, *ON_STATES)]


def _start(scheme: Scheme, dtype) -> State:
    import torch

    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 5, 3, generator=generator, dtype=dtype)
    root = torch.randn(2, 5, 2, 2, generator=generator, dtype=dtype)
    cov = root @ root.mT + 0.1 * torch.eye(2, dtype=dtype)
    state = {"x": x, "cov": (cov + cov.mT) / 2}
    return state | scheme.start(state, PARTS, STEPS)


def _grads(state: State) -> State:
    """Gradients of ``1/2 mean |x|^2 + 1/2 mean |S - I|^2 / 10``."""
    import torch

    identity = torch.eye(2, dtype=state["cov"].dtype)
    return {"x": state["x"].clone(), "cov": (state["cov"] - identity) / 10}


def _value(state: State):
    """Value whose gradients those of `_grads` are."""
    import torch

    x, cov = state["x"], state["cov"]
    identity = torch.eye(2, dtype=cov.dtype)
    squares = (x.square().sum(-1), (cov - identity).square().sum((-2, -1)) / 10)
    return sum(square.mean() for square in squares) / 2


def _advance(scheme: Scheme, state: State, steps: int) -> None:
    for _ in range(steps):
        scheme.step(state, _grads(state), PARTS, _value(state))
