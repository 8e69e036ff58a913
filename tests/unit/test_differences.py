"""Differences of means and their errors, against textbook values and other libraries."""

import math

import pandas as pd
import pytest
from scipy import stats

from wowbench.results.cell_values import Cell
from wowbench.results.differences import Difference, combined, difference, holm

A = {"d1": 0.50, "d2": 0.56, "d3": 0.48, "d4": 0.61}
B = {"d1": 0.47, "d2": 0.55, "d3": 0.41, "d4": 0.57}


def cell_of(series):
    return Cell(("transfer",) * 11, "mmdsw", {}, series, series.mean())


def test_runs_on_the_same_draws_are_compared_draw_by_draw():
    found = difference(cell_of(pd.Series(A)), cell_of(pd.Series(B)[["d3", "d1", "d4", "d2"]]))
    reference = stats.ttest_rel(list(A.values()), list(B.values()))
    assert found.value / found.error == pytest.approx(reference.statistic)
    assert found.p_value == pytest.approx(reference.pvalue)
    assert found.note == "paired on 4 draws"


def test_of_more_draws_those_of_both_are_compared():
    more = pd.Series(B | {"d5": 0.9, "d6": 0.1})
    found = difference(cell_of(pd.Series(A)), cell_of(more))
    assert found.p_value == pytest.approx(stats.ttest_rel([*A.values()], [*B.values()]).pvalue)
    assert found.note == "paired on 4 draws of 6"


def test_runs_on_other_draws_are_compared_as_by_welch():
    other = pd.Series([*B.values(), 0.3], [f"e{i}" for i in range(5)])
    found = difference(cell_of(pd.Series(A)), cell_of(other))
    reference = stats.ttest_ind([*A.values()], [*other], equal_var=False)
    assert found.value / found.error == pytest.approx(reference.statistic)
    assert found.freedom == pytest.approx(reference.df)
    assert found.p_value == pytest.approx(reference.pvalue)


def test_flows_that_share_a_draw_count_as_one_on_it():
    twice = pd.Series(
        [0.49, 0.51, 0.55, 0.57, 0.48, 0.48, 0.60, 0.62], [d for d in A for _ in "ab"]
    )
    other = pd.Series(B.values(), [f"e{i}" for i in range(4)])
    once = difference(cell_of(pd.Series(A)), cell_of(other))
    assert difference(cell_of(twice), cell_of(other)).p_value == pytest.approx(once.p_value)


@pytest.mark.parametrize(
    ("a", "b", "note"),
    [
        ({"d1": 0.5}, B, "A has a single flow, and no error"),
        (A, {"e1": 0.5}, "B has a single flow, and no error"),
    ],
)
def test_a_single_flow_has_no_error(a, b, note):
    found = difference(cell_of(pd.Series(a)), cell_of(pd.Series(b)))
    assert found.value == pytest.approx(sum(a.values()) / len(a) - sum(b.values()) / len(b))
    assert math.isnan(found.error)
    assert math.isnan(found.p_value)
    assert found.note == note


def test_flows_that_all_share_one_draw_do_not_know_its_luck():
    shared = pd.Series([0.50, 0.52, 0.51], ["d1"] * 3)
    found = difference(cell_of(shared), cell_of(pd.Series(B).rename(lambda d: f"e{d}")))
    assert math.isnan(found.p_value)
    assert found.note == "all flows of A share one draw, which is luck too"
    same = difference(cell_of(shared), cell_of(shared + pd.Series([0.0, 0.01, 0.02], shared.index)))
    assert same.error > 0


def test_a_single_flow_that_is_repeated_exactly_agrees():
    found = difference(cell_of(pd.Series({"d1": 0.5})), cell_of(pd.Series({"d1": 0.5})))
    assert (found.value, found.p_value) == (0, 1)
    other = difference(cell_of(pd.Series({"d1": 0.5})), cell_of(pd.Series({"d1": 0.501})))
    assert math.isnan(other.p_value)


def test_without_spread_any_difference_is_one():
    assert Difference(0.1, 0.0, 3).p_value == 0
    assert Difference(0.0, 0.0, 3).p_value == 1


def test_freedoms_combine_as_satterthwaite_says():
    # Equal variances with equal freedoms f: their sum is known with 2 f.
    assert combined((4.0, 5), (4.0, 5)) == pytest.approx((8**0.5, 10))
    # A part of no variance adds nothing.
    assert combined((4.0, 5), (0.0, 1)) == pytest.approx((2.0, 5))


def test_p_values_are_adjusted_as_in_holms_paper():
    # Holm (1979): 0.01, 0.04, 0.03, 0.005 in four tests.
    adjusted = holm(pd.Series([0.01, 0.04, 0.03, 0.005, float("nan")]))
    assert adjusted[:4].tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert math.isnan(adjusted[4])
    assert holm(pd.Series([0.6, 0.9])).tolist() == [1, 1]
