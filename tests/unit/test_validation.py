"""Argument checks: what passes comes back in one form, what does not is named in one line."""

import re

import pytest
import torch

from wowbench.geometry.validation import (
    check_choice,
    check_classes,
    check_finite,
    check_particle_weights,
    check_positive,
    check_same_space,
    check_weights,
)


def test_classes_of_one_size_are_stacked():
    x = torch.rand(2, 3, 4)
    assert check_classes("x", x) is x
    torch.testing.assert_close(check_classes("x", [x[0], x[1]]), x, rtol=0, atol=0)


def test_classes_of_different_sizes_stay_a_list():
    x = [torch.rand(3, 2), torch.rand(1, 2)]
    checked = check_classes("x", x)
    assert isinstance(checked, list)
    assert all(a is b for a, b in zip(checked, x, strict=True))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(3, 2), "x has shape (3, 2); expected (C, n, d)"),
        (torch.zeros(2, 0, 3), "x has shape (2, 0, 3); expected no empty axis"),
        (torch.zeros(2, 3, 3, dtype=torch.int64), "x has dtype torch.int64; expected"),
        ([[1.0]], "x[0] is of type list; expected a tensor (n_c, d)"),
        ("abc", "x is of type str; expected a tensor (C, n, d) or a list"),
        ([], "x is an empty list; expected at least one class"),
        ([torch.zeros(3)], "x[0] has shape (3,); expected (n_c, d)"),
        (
            [torch.zeros(3, 2), torch.zeros(0, 2)],
            "x[1] has shape (0, 2); expected at least one particle",
        ),
        (
            [torch.zeros(3, 2), torch.zeros(3, 1)],
            "x[1] has dimension 1; expected 2, that of x[0]",
        ),
        (
            [torch.zeros(3, 2), torch.zeros(3, 2).double()],
            "x[1] has dtype torch.float64; expected torch.float32, that of x[0]",
        ),
        (torch.tensor([[[0.0, torch.nan]]]), "x[0, 0, 1] is nan; expected finite values"),
        (
            [torch.zeros(1, 2), torch.tensor([[0.0, 0.0], [torch.inf, 0.0]])],
            "x[1][1, 0] is inf; expected finite values",
        ),
    ],
)
def test_bad_classes_are_named(x, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        check_classes("x", x)


def test_batches_are_classes_only_where_asked():
    x = torch.zeros(2, 3, 4, 5)
    assert check_classes("x", x, batched=True) is x
    with pytest.raises(ValueError, match=re.escape("(2, 3, 4, 5); expected (C, n, d)")):
        check_classes("x", x)


def test_finiteness_is_checked_on_request():
    x = torch.full((1, 1, 1), torch.nan)
    assert check_classes("x", x, finite=False) is x
    with pytest.raises(ValueError, match="lr is nan; expected finite values"):
        check_finite("lr", torch.tensor(torch.nan))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (torch.zeros(1, 1, 3), "y has dimension 3; expected 2, that of x"),
        (torch.zeros(1, 1, 2).double(), "y has dtype torch.float64; expected torch.float32"),
        (torch.zeros(1, 1, 2, device="meta"), "y has device meta; expected cpu, that of x"),
    ],
)
def test_different_spaces_are_named(other, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        check_same_space("y", other, "x", torch.zeros(1, 1, 2))


def test_weights_default_to_uniform():
    uniform = check_weights("w", None, torch.zeros(4, 2, 3).double())
    torch.testing.assert_close(uniform, torch.full((4,), 0.25, dtype=torch.float64))
    assert check_particle_weights("w", None, torch.zeros(4, 2, 3)) is None


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([0.5, 0.5], "w is of type list; expected a tensor (2,)"),
        (torch.full((3,), 1 / 3), "w has shape (3,); expected (2,)"),
        (torch.tensor([0.5, 0.5]).double(), "w has dtype torch.float64; expected torch.float32"),
        (torch.tensor([0.0, 1.0]), "w[0] is 0; expected positive weights"),
        (torch.tensor([1.5, -0.5]), "w[1] is -0.5; expected positive weights"),
        (torch.tensor([0.5, torch.inf]), "w[1] is inf; expected finite values"),
        (torch.tensor([0.5, 0.25]), "w sums to 0.75; expected weights of sum 1"),
    ],
)
def test_bad_weights_are_named(weights, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        check_weights("w", weights, torch.zeros(2, 3, 1))


def test_particle_weights_take_the_form_of_the_classes():
    uniform = torch.full((2, 4), 0.25)
    x = torch.zeros(2, 4, 1)
    torch.testing.assert_close(check_particle_weights("w", list(uniform), x), uniform)
    ragged = [torch.zeros(2, 1), torch.zeros(1, 1)]
    weights = [torch.tensor([0.5, 0.5]), torch.tensor([1.0])]
    assert isinstance(check_particle_weights("w", weights, ragged), list)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (torch.full((2, 3), 1 / 3), "w has shape (2, 3); expected (2, 4), one weight per particle"),
        ([torch.full((4,), 0.25)], "w is a list of 1; expected 2 tensors (n_c,), one per class"),
        (
            torch.tensor([[0.25] * 4, [0.5] * 4]),
            "w[1] sums to 2; expected weights of sum 1",
        ),
        (
            [torch.full((4,), 0.25), torch.full((3,), 1 / 3)],
            "w[1] has shape (3,); expected (4,)",
        ),
    ],
)
def test_bad_particle_weights_are_named(weights, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        check_particle_weights("w", weights, torch.zeros(2, 4, 1))


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), "1", True, None])
def test_numbers_that_are_not_positive_are_named(value):
    with pytest.raises(ValueError, match=r"tau is .*; expected a .*"):
        check_positive("tau", value)
    assert check_positive("tau", 2) == 2.0


def test_unknown_choices_name_the_closest():
    assert check_choice("ground", "exact", ["exact", "sliced"]) == "exact"
    with pytest.raises(ValueError, match="ground is 'slice'; did you mean 'sliced'"):
        check_choice("ground", "slice", ["exact", "sliced"])
