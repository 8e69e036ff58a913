"""Differences from published means, against simulated runs, and what a table says of them."""

import numpy as np
import pandas as pd
import pytest

from wowbench.results import draws
from wowbench.results.comparison import (
    PUBLISHED_RUNS,
    compare_with_published,
    difference_in_errors,
    readable_comparison,
)
from wowbench.results.draws import ESTIMATE, KEY
from wowbench.results.published import PUBLISHED, published, published_heading
from wowbench.results.scores import read_scores
from wowbench.results.tables.transfer_accuracy import TransferAccuracy

MEASURED = PUBLISHED.parent / "measured"
NOTHING_KEPT = [*KEY, *ESTIMATE, "run"]


@pytest.fixture
def nothing_archived(monkeypatch):
    monkeypatch.setattr(draws, "archived_estimates", lambda: pd.DataFrame(columns=NOTHING_KEPT))


BETWEEN_DRAWS, BETWEEN_FLOWS, WITHIN = 2.0, 0.5, 1.5
"""Standard deviations of a simulated experiment: draws, flows of one draw, trainings."""


def simulated(rng, runs, flows, trainings, *, shared):
    """Accuracies (runs, flows, trainings), of which each run has one draw, or each flow."""
    drawn = rng.normal(0, BETWEEN_DRAWS, (runs, 1 if shared else flows, 1))
    flowed = rng.normal(0, BETWEEN_FLOWS, (runs, flows, 1))
    return drawn + flowed + rng.normal(0, WITHIN, (runs, flows, trainings))


@pytest.mark.parametrize(("flows", "shared"), [(6, False), (3, False), (3, True)])
def test_scores_of_two_runs_of_one_law_have_variance_one(flows, shared):
    rng, runs = np.random.default_rng(0), 20_000
    own = simulated(rng, runs, flows, 5, shared=shared)
    paper = simulated(rng, runs, 3, 5, shared=True).reshape(runs, -1)
    assert paper.shape[1] == PUBLISHED_RUNS
    means = own.mean(2)
    table = pd.DataFrame(
        {
            "mean": means.mean(1),
            "error": means.std(1, ddof=1) / flows**0.5,
            "flows": flows,
            "draws": 1 if shared else flows,
            "draw_variance": BETWEEN_DRAWS**2,
            "published_mean": paper.mean(1),
            "published_std": paper.std(1, ddof=1),
            "departures": "",
        }
    )
    scores = difference_in_errors(table)
    assert abs(scores.mean()) < 0.03
    # A little above one: the error of few flows is known from these alone.
    assert 0.97 < scores.std() < 1.12


ALL = {"mmdsw": 0.40, "train_on_target": 0.26, "otdd": 0.30}


def transfer(**changes):
    experiment = {"task": "transfer", "source": "MNIST", "targets": ["FashionMNIST"]}
    experiment |= {"shots": [1], "flows": 4, "trainings": 2, "methods": ["mmdsw"]}
    return experiment | changes


def value(row):
    """Accuracies whose flows lie apart, and whose trainings do a little."""
    return ALL[row["algorithm"]] + 0.03 * row["flow_seed"] + 0.01 * row["training_seed"]


def table_of(scores):
    table = compare_with_published(scores, "transfer")
    return table, pd.DataFrame(readable_comparison(table))


def test_the_published_value_stands_beside_by_registered_name(scores_of, nothing_archived):
    methods = [{"name": "mmdsw", "id": "mine"}, {"name": "otdd", "id": "theirs"}]
    table, _ = table_of(scores_of(transfer(methods=methods), value=value))
    by_label = table.set_index("method")
    # Table 2 of the paper, MNIST to FashionMNIST, k = 1: 40.5 ± 4.7 for MMDSW, 30.5 ± 4.2 for OTDD.
    assert by_label.published_mean.to_dict() == pytest.approx({"mine": 0.405, "theirs": 0.305})
    assert by_label.published_std.to_dict() == pytest.approx({"mine": 0.047, "theirs": 0.042})
    assert set(by_label.published_source) == {"arXiv:2506.07534 Table 2"}
    assert by_label.difference_se.notna().all()


def test_training_for_more_steps_is_not_what_was_published(scores_of, nothing_archived):
    both = transfer(methods=["train_on_target"], budgets=["own", "matched"])
    table, readable = table_of(scores_of(both, value=value))
    by_budget = table.set_index("budget")
    # Table 2 of the paper, MNIST to FashionMNIST, k = 1: 26.0 ± 5.3 for training on the target.
    assert by_budget.published_mean["own"] == pytest.approx(0.26)
    assert np.isnan(by_budget.published_mean["matched"])
    assert by_budget.difference_se.notna().to_dict() == {"own": True, "matched": False}
    assert readable["published (%)"].tolist()[1] == ""


@pytest.mark.parametrize(
    ("changes", "departure"),
    [
        ({"methods": [{"name": "mmdsw", "steps": 1500}]}, "steps 1500, not 5000"),
        ({"source": {"name": "MNIST", "bundled": True}}, "source bundled"),
        ({"training": {"epochs": 1}}, "training.epochs 1, not 50"),
    ],
)
def test_a_run_that_departs_from_the_paper_says_so_and_has_no_score(
    scores_of, nothing_archived, changes, departure
):
    table, readable = table_of(scores_of(transfer(**changes), value=value))
    assert table.published_mean.tolist() == [0.405]
    assert table.difference_se.isna().all()
    assert readable["not as published"].tolist() == [departure]
    assert "difference / s.e." not in readable


def test_another_scenario_has_no_published_value(scores_of, nothing_archived):
    methods = [{"name": "mmdsw", "augmentation": True}]
    table, readable = table_of(scores_of(transfer(methods=methods), value=value))
    assert table.published_mean.isna().all()
    assert not any("published" in column for column in readable)


def test_the_score_names_where_the_variance_between_draws_is_from(scores_of, nothing_archived):
    table, readable = table_of(scores_of(transfer(), value=value))
    assert table.draw_variance_from.tolist() == ["this run, 4 draws"]
    # Means of flows 0.03 apart: a variance of 15e-4; trainings 0.01 apart take off 0.25e-4.
    assert table.draw_variance.tolist() == pytest.approx([14.75e-4])
    assert readable["s.d. between draws"].tolist() == ["3.8 (this run, 4 draws)"]
    assert readable["difference / s.e."].tolist() == [f"{table.difference_se[0]:+.1f}"]


def test_flows_of_a_fixed_draw_have_no_score_without_another_estimate(scores_of, nothing_archived):
    table, readable = table_of(scores_of(transfer(spread="fixed"), value=value))
    assert table.error.notna().all()
    assert table.difference_se.isna().all()
    assert "s.d. between draws" not in readable


def test_a_fixed_draw_counts_its_luck_on_both_sides(scores_of, monkeypatch):
    problem = ["transfer", "MNIST", "FashionMNIST", 1, ""]
    row = [*problem, "mmdsw", "own", "no", "no", 0.01, 0.01, 9, 18, "kept"]
    kept = pd.DataFrame([row], columns=NOTHING_KEPT)
    monkeypatch.setattr(draws, "archived_estimates", lambda: kept)
    found = {}
    for spread in ("per_flow", "fixed"):
        table, _ = table_of(scores_of(transfer(spread=spread), value=value))
        assert table.draw_variance_from.tolist() == ["kept, mmdsw, 9 draws"]
        found[spread] = table.difference_se[0] ** -2
    difference = np.mean([0.40, 0.43, 0.46, 0.49]) + 0.005 - 0.405
    assert found["fixed"] - found["per_flow"] == pytest.approx(0.01 / difference**2)


def test_a_single_flow_has_a_mean_and_its_number_of_trainings(scores_of):
    table, readable = table_of(scores_of(transfer(flows=1), value=value))
    assert table.difference_se.isna().all()
    assert readable.iloc[0].to_dict() == {
        "accuracy (%)": "40.5",
        "published (%)": "40.5 ± 4.7",
        "flows x trainings": "1 x 2",
    }


def test_what_failed_is_said_beside_the_runs(scores_of, nothing_archived):
    def status(axes):
        return ("diverged", "at step 3") if axes["flow_seed"] == 1 else ("ok", "")

    _, readable = table_of(scores_of(transfer(), value=value, status=status))
    assert readable["flows x trainings"].tolist() == ["3 x 2 (1 diverged)"]


def test_usps_at_ten_shots_lies_two_errors_above_the_published_mean():
    scores = read_scores(MEASURED / "usps" / "scores.csv")
    table = TransferAccuracy().make(scores).set_index(["method", "k"])
    row = table.loc["mmdsw", 10]
    assert row.draw_variance_from == "usps_draws, train_on_target, matched steps, 12 draws"
    # Twelve draws with a standard deviation of 1.7 to 1.9 points, and 3.7 points of difference.
    assert 1.8 < row.difference_se < 2.1


@pytest.mark.parametrize("name", sorted(path.stem for path in PUBLISHED.glob("*.csv")))
def test_every_published_number_says_where_it_is_from(name):
    table = published(name)
    assert len(table) > 0
    assert table.source.str.len().min() > 0


def test_second_hand_values_are_called_so():
    known = {name: published(name).source for name in ("transfer_accuracy", "transfer_runtime")}
    assert published_heading(known["transfer_accuracy"]) == "published"
    assert published_heading(known["transfer_runtime"]) == "published, second-hand"
