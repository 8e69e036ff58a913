import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from wowbench.geometry.sorting import sort_rows, sort_values, unsort_rows

finite32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(deadline=None, max_examples=50)
@given(hnp.arrays("float32", hnp.array_shapes(min_dims=2, max_dims=4), elements=finite32))
def test_agrees_with_torch_and_inverts(array):
    values = torch.from_numpy(array)
    ordered, order = sort_rows(values)
    assert torch.equal(ordered, values.sort(dim=-1).values)
    assert torch.equal(values.gather(-1, order), ordered)
    assert torch.equal(unsort_rows(ordered, order), values)
    assert torch.equal(sort_values(values), ordered)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("n", [1, 2, 255, 256, 257, 512, 513, 1500])
def test_short_and_long_rows(monkeypatch, threads, n):
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    values = torch.randn(7, 3, n, generator=torch.Generator().manual_seed(0))
    before = values.clone()
    ordered, order = sort_rows(values)
    assert torch.equal(ordered, values.sort(dim=-1).values)
    assert torch.equal(values.gather(-1, order), ordered)
    assert torch.equal(sort_values(values), ordered)
    assert torch.equal(values, before)


@pytest.mark.parametrize("n", [3, 700])
def test_rows_are_sorted_where_they_are_on_request(n):
    values = torch.randn(5, 2, 2 * n, generator=torch.Generator().manual_seed(0))
    # Rows of more axes than two that are apart have no common stride, and are copied.
    cases = [((...,), True), ((slice(None), 0, slice(n)), True), ((..., slice(n)), False)]
    for place, stays in cases:
        part = values.clone()[place]
        expected = part.sort(dim=-1).values
        found = sort_values(part, overwrite=True)
        assert torch.equal(found, expected)
        assert torch.equal(part, expected) == stays


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_blocks_cover_all_rows(monkeypatch, threads):
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr("wowbench.geometry.sorting.KEYS_PER_BLOCK", 1200)
    for n in (7, 600):
        values = torch.randn(341, n, generator=torch.Generator().manual_seed(0))
        expected = values.sort(dim=-1).values
        assert torch.equal(sort_values(values), expected)
        assert torch.equal(sort_rows(values)[0], expected)


def test_values_too_close_for_short_keys():
    """One far value leaves the others one key: such rows are sorted by the values themselves."""
    near = 1 + torch.arange(300).flip(0) * 2.0**-22
    values = torch.stack([near, torch.cat([near[:-1], torch.tensor([1e6])])])
    ordered, order = sort_rows(values)
    assert torch.equal(ordered, values.sort(dim=-1).values)
    assert torch.equal(values.gather(-1, order), ordered)


def test_ties_and_signed_zeros_stay_a_permutation():
    values = torch.tensor([[0.0, -0.0, 1.0, 1.0, -1.0, 0.0, -1.0]])
    ordered, order = sort_rows(values)
    assert order.sort().values.tolist() == [list(range(7))]
    assert ordered.tolist() == [[-1.0, -1.0, 0.0, 0.0, 0.0, 1.0, 1.0]]


def test_a_value_that_is_not_finite_stays_in_its_row():
    values = torch.tensor([[1.0, float("nan"), -1.0], [3.0, 1.0, 2.0]])
    ordered, order = sort_rows(values)
    assert ordered.isnan().any(dim=-1).tolist() == [True, False]
    assert ordered[1].tolist() == [1.0, 2.0, 3.0]
    assert ((order >= 0) & (order < 3)).all()
    assert sort_values(values).isnan().any(dim=-1).tolist() == [True, False]
    assert sort_values(values)[1].tolist() == [1.0, 2.0, 3.0]


def test_rows_that_are_not_contiguous():
    values = torch.randn(4, 5, generator=torch.Generator().manual_seed(0)).T
    ordered, order = sort_rows(values)
    assert torch.equal(ordered, values.sort(dim=-1).values)
    assert torch.equal(unsort_rows(ordered, order), values)
    assert torch.equal(sort_values(values), ordered)


def test_sorting_is_differentiable():
    values = torch.tensor([[2.0, 1.0]], requires_grad=True)
    sort_rows(values)[0][0, 0].backward()
    sort_values(values)[0, 1].backward()
    assert values.grad.tolist() == [[1.0, 1.0]]
