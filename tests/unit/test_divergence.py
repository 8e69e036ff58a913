import math

import pytest
import torch

from wowbench.errors import DivergedError
from wowbench.flows import descend, iterate
from wowbench.functionals import ParticleFunctional
from wowbench.schemes.momentum import Momentum


class HalfSquare(ParticleFunctional):
    """1/2 mean |x|^2, of WoW gradient x."""

    def evaluate(self, x):
        return x.square().sum(-1).mean() / 2, x


def losing(values):
    """Return a step whose losses are the given ones, one after the other."""
    values = iter(values)
    return lambda state, generator: torch.tensor(next(values))


def run(values, **arguments):
    return iterate(losing(values), {"x": torch.ones(2)}, steps=len(values), **arguments)


@pytest.mark.parametrize("check_every", [1, 3, 100])
@pytest.mark.parametrize("bad_step", [2, 4, 10])
@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_the_first_loss_that_is_not_finite_is_named(check_every, bad_step, bad):
    losses = [bad if step >= bad_step else 1.0 for step in range(1, 11)]
    with pytest.raises(DivergedError) as error:
        run(losses, lr=0.25, check_every=check_every)
    assert (error.value.step, error.value.lr) == (bad_step, 0.25)
    assert str(error.value) == (
        f"the flow diverged: the loss is not finite after step {bad_step} at learning rate 0.25; "
        "a smaller learning rate is needed"
    )


@pytest.mark.parametrize("check_every", [1, 3, 100])
@pytest.mark.parametrize("size", [1.1e20, -1.1e20])
def test_a_loss_of_absurd_size_is_a_divergence(check_every, size):
    with pytest.raises(DivergedError) as error:
        run([-2.0, 3.0, 0.0, 2 * size, 1.0], lr=0.25, check_every=check_every)
    assert error.value.step == 4
    assert f"the loss grew from -2 to {2 * size:g} after step 4 at learning rate 0.25" in str(
        error.value
    )


def test_a_loss_may_grow_below_that():
    losses = [2.0, 1.9e20, -1.9e20, 1.0]
    assert run(losses).losses.tolist() == pytest.approx(losses)


def test_a_flow_that_starts_at_a_loss_of_zero_may_have_others():
    assert run([0.0, 9e7, 1.0]).losses[1] == 9e7
    with pytest.raises(DivergedError, match=r"grew from 0 to 1\.1e\+08"):
        run([0.0, 1.1e8, 1.0])


def test_each_of_several_flows_has_its_own_scale():
    state, losses = {"x": torch.ones(2)}, iter([[1e-9, 1e3], [1e12, 1e12], [1.0, 1.0]])
    with pytest.raises(DivergedError, match=r"grew from 1e-09 to 1e\+12 after step 2"):
        iterate(lambda *_: torch.tensor(next(losses)), state, steps=3)


def test_too_large_a_learning_rate_diverges():
    scheme = Momentum(lr=1e3, momentum=0)
    with pytest.raises(DivergedError) as error:
        descend(HalfSquare(), torch.ones(1, 1, 1), scheme, steps=200, check_every=50)
    # |x| grows 999 times per step, and its square 1e20 times the first at step k + 1 with
    # 999^(2k) > 1e20, that is k = 4.
    assert error.value.step == 5


@pytest.mark.parametrize("lr", [None, 0.25])
@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_a_loss_that_is_not_finite_at_the_start_is_no_fault_of_the_step(lr, bad):
    with pytest.raises(DivergedError) as error:
        run([bad] * 4, lr=lr)
    assert error.value.step == 1
    assert str(error.value) == (
        f"the flow diverged: the loss is {bad} at the start, where nothing has moved yet; the "
        "functional has no finite value there: look at its parameters, as that of a kernel, and "
        "at the data"
    )


def test_a_state_that_is_not_finite_at_the_start_is_no_fault_of_the_step():
    state = {"x": torch.ones(2), "cov": torch.tensor([1.0, math.nan])}
    with pytest.raises(
        DivergedError, match=r"'cov' is not finite at the start, .*look at the data$"
    ):
        iterate(losing([1.0]), state, steps=1, lr=0.25)


@pytest.mark.parametrize(
    ("lr", "also"), [(None, ""), (0.25, ", or the learning rate 0.25 far too large")]
)
@pytest.mark.parametrize("check_every", [1, 100])
def test_a_first_step_out_of_the_finite_numbers_may_be_the_gradients_fault(lr, also, check_every):
    def step(state, generator):
        state["x"] -= math.nan
        return torch.tensor(1.0)

    with pytest.raises(DivergedError) as error:
        iterate(step, {"x": torch.ones(2)}, steps=9, lr=lr, check_every=check_every)
    assert error.value.step == 1
    assert str(error.value) == (
        "the flow diverged: 'x' is not finite after the first step; the gradient at the start is "
        f"not finite{also}"
    )


def test_a_state_that_is_not_finite_later_is_found():
    def step(state, generator):
        state["x"] *= 1e30
        return torch.tensor(1.0)

    with pytest.raises(DivergedError, match=r"'x' is not finite after step 2$") as error:
        iterate(step, {"x": torch.ones(2)}, steps=5, check_every=2)
    assert error.value.lr is None


def test_a_scheme_without_a_learning_rate_is_told_of_none():
    with pytest.raises(DivergedError, match=r"the loss is not finite after step 2$"):
        run([1.0, math.nan])
