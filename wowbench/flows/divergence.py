"""When a flow has diverged, and what is at fault."""

from torch import Tensor

from wowbench.errors import DivergedError

GROWTH = 1e20
"""How many times its first size a loss may have: beyond it is no descent of anything."""

SMALLEST = 1e-12
"""Size that a first loss counts as, at least: one of 0 would allow no other."""


def check_start(state: dict[str, Tensor]) -> None:
    """Raise a `DivergedError` if a state is not finite before the first step."""
    name = _not_finite(state)
    if name is not None:
        raise DivergedError(
            1, f"{name!r} is not finite at the start, where nothing has moved yet; look at the data"
        )


def check_step(
    losses: Tensor, state: dict[str, Tensor], since: int, done: int, lr: float | None
) -> None:
    """Raise a `DivergedError` if a loss or the state shows that a flow has diverged.

    Parameters
    ----------
    losses : Tensor (steps, ...)
        Losses by step.
    state : dict of str to Tensor
        State after the last step.
    since, done : int
        Steps checked, and steps done.
    lr : float or None
        Learning rate, if the scheme has one.

    Raises
    ------
    DivergedError
        For the first step whose loss is not finite or exceeds `GROWTH` times the size of the
        first one, or else the last step, if the state after it is not finite.
    """
    first, losses = (
        part.flatten(1).cpu().double() for part in (losses[:1, None], losses[since:done, None])
    )
    bad = ~losses.isfinite() | (losses.abs() > GROWTH * first.abs().clamp_min(SMALLEST))
    if bad.any():
        row = int(bad.any(1).int().argmax())
        flow = int(bad[row].int().argmax())
        raise _bad_loss(float(losses[row, flow]), float(first[0, flow]), since + row + 1, lr)
    name = _not_finite(state)
    if name is not None:
        raise _bad_state(name, done, lr)


def _not_finite(state: dict[str, Tensor]) -> str | None:
    return next((name for name, tensor in state.items() if not tensor.isfinite().all()), None)


def _bad_loss(loss: float, first: float, step: int, lr: float | None) -> DivergedError:
    if step == 1:
        reason = (
            f"the loss is {loss:g} at the start, where nothing has moved yet; the functional has "
            "no finite value there: look at its parameters, as that of a kernel, and at the data"
        )
        return DivergedError(step, reason, lr)
    finite = abs(loss) < float("inf")
    found = f"the loss grew from {first:g} to {loss:g}" if finite else "the loss is not finite"
    return DivergedError(step, _blame(found, step, lr), lr)


def _bad_state(name: str, step: int, lr: float | None) -> DivergedError:
    found = f"{name!r} is not finite"
    if step > 1:
        return DivergedError(step, _blame(found, step, lr), lr)
    gradient = "the gradient at the start is not finite"
    cause = gradient if lr is None else f"{gradient}, or the learning rate {lr:g} far too large"
    return DivergedError(step, f"{found} after the first step; {cause}", lr)


def _blame(found: str, step: int, lr: float | None) -> str:
    if lr is None:
        return f"{found} after step {step}"
    return f"{found} after step {step} at learning rate {lr:g}; a smaller learning rate is needed"
