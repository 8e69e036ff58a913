"""The variance between draws, against statsmodels' mixed model, and whose estimate is taken."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from wowbench.errors import InputError
from wowbench.results import draws
from wowbench.results.draws import (
    KEY,
    archived_estimates,
    best_estimates,
    cell_variances,
    estimate_archives,
    variance_between,
    write_estimates,
)
from wowbench.results.scores import write_scores

MEASURED = Path(__file__).parents[2] / "results" / "measured"


@pytest.mark.parametrize(("flows", "trainings"), [(12, 2), (6, 5), (3, 5)])
def test_the_variance_between_is_that_of_a_mixed_model(flows, trainings):
    rng = np.random.default_rng(0)
    values = rng.normal(0, 2.0, (flows, 1)) + rng.normal(0, 1.0, (flows, trainings))
    rows = [(i, value) for i, group in enumerate(values) for value in group]
    table = pd.DataFrame(rows, columns=["draw", "value"])
    # Restricted maximum likelihood of a balanced design is the analysis of variance.
    fit = smf.mixedlm("value ~ 1", table, groups=table.draw).fit(reml=True)
    between, of_means = variance_between(list(values))
    assert between == pytest.approx(float(fit.cov_re.iloc[0, 0]), rel=1e-3)
    assert of_means == pytest.approx(values.mean(1).var(ddof=1))


def test_it_is_unbiased_for_unequal_numbers_of_trainings():
    rng = np.random.default_rng(0)
    sizes = [1, 2, 5, 9]
    found = [
        variance_between([rng.normal(0, 3.0) + rng.normal(0, 1.0, size) for size in sizes])[0]
        for _ in range(4000)
    ]
    # 9, and a standard error of some 9 sqrt(2 / 3 / 4000); few are cut at zero.
    assert np.mean(found) == pytest.approx(9, rel=0.05)


def test_it_is_zero_where_trainings_explain_more_and_missing_for_one_draw():
    assert variance_between([np.array([0.0, 1.0]), np.array([1.0, 0.0])]) == (0, 0)
    assert np.isnan(variance_between([np.array([0.0, 1.0])])).all()
    assert np.isnan(variance_between([np.array([0.0]), np.array([1.0])])).all()


def transfer(**changes):
    experiment = {"task": "transfer", "source": "MNIST", "targets": ["USPS"], "shots": [5]}
    experiment |= {"methods": ["mmdsw"], "flows": 4, "trainings": 3}
    return experiment | changes


def test_flows_that_share_a_draw_tell_nothing_of_it(scores_of):
    fixed = scores_of(transfer(spread="fixed"), value=lambda row: row["flow_seed"])
    (row,) = cell_variances(fixed[fixed.metric == "accuracy"]).itertuples()
    assert np.isnan(row.variance)
    assert row.draws == 1


OWN, MATCHED = ("train_on_target", "own"), ("train_on_target", "matched")
MMDSW = ("mmdsw", "own")
SIZES = {MMDSW: 0.1, OWN: 0.2, MATCHED: 0.3}


@pytest.fixture
def archives(scores_of, tmp_path):
    """Two runs of four and two draws, in which the accuracy varies with the draw alone."""

    def value(row):
        noise = 1e-3 * (row["training_seed"] - 1)
        size = SIZES[row["algorithm"], row["budget"]]
        return 0.5 + size * (-1) ** row["flow_seed"] + noise

    wide = transfer(methods=["train_on_target"], budgets=["own", "matched"])
    odd = transfer(id="odd", methods=[{"name": "mmdsw", "steps": 9}], flows=9)
    bundled = transfer(id="bundled", source={"name": "MNIST", "bundled": True}, flows=9)
    runs = {"wide": (wide, odd, bundled), "narrow": (transfer(flows=2),)}
    for name, experiments in runs.items():
        path = tmp_path / "archives" / name / "scores.csv"
        path.parent.mkdir(parents=True)
        write_scores(scores_of(*experiments, value=value), path)
    return tmp_path / "archives"


def test_estimates_are_of_runs_with_the_published_settings(archives):
    table = estimate_archives(archives).set_index(["algorithm", "budget"])
    assert table.run.to_dict() == {MMDSW: "narrow", OWN: "wide", MATCHED: "wide"}
    assert table.draws.to_dict() == {MMDSW: 2, OWN: 4, MATCHED: 4}
    # Means at 0.5 ± s: their variance is s^2 times draws / (draws - 1).
    expected = {MMDSW: 0.01 * 2, OWN: 0.04 * 4 / 3, MATCHED: 0.09 * 4 / 3}
    assert table.variance.to_dict() == pytest.approx(expected, rel=1e-3)


def cell(algorithm, budget="own", **changes):
    values = {"task": "transfer", "source": "MNIST", "target": "USPS", "k": 5, "protocol": ""}
    values |= {"algorithm": algorithm, "budget": budget, "augmentation": "no", "embedding": "no"}
    return pd.DataFrame([values | changes])[KEY]


def chosen(cells, variance=float("nan"), draws=0):
    own = pd.DataFrame({"variance": [variance], "variance_of_means": [variance], "draws": [draws]})
    (row,) = best_estimates(cells, own).itertuples(index=False)
    return row.draw_variance, row.draw_variance_from


@pytest.fixture
def kept(archives, monkeypatch):
    write_estimates(archives, archives / draws.ESTIMATES)
    monkeypatch.setattr(draws, "MEASURED", archives)


@pytest.mark.parametrize(
    ("method", "own_draws", "origin"),
    [
        (MMDSW, 0, "wide, train_on_target, matched steps, 4 draws"),
        (("otdd", "own"), 0, "wide, train_on_target, matched steps, 4 draws"),
        (MATCHED, 0, "wide, train_on_target, matched steps, 4 draws"),
        (OWN, 0, "wide, train_on_target, 4 draws"),
        (OWN, 4, "wide, train_on_target, 4 draws"),
        (MMDSW, 5, "this run, 5 draws"),
    ],
)
def test_the_estimate_from_the_most_draws_is_taken(kept, method, own_draws, origin):
    variance = 0.5 if own_draws else float("nan")
    value, said = chosen(cell(*method), variance, own_draws)
    assert said == origin
    assert (value == 0.5) == origin.startswith("this run")


def test_the_few_steps_on_the_target_alone_borrow_from_no_other_method(kept, monkeypatch):
    known = archived_estimates()
    lender = known[known.budget == "matched"]
    monkeypatch.setattr(draws, "archived_estimates", lambda: lender)
    value, said = chosen(cell(*OWN))
    assert np.isnan(value)
    assert said == ""
    assert chosen(cell("mmdsw"))[1].startswith("wide")


@pytest.mark.parametrize("changes", [{"k": 1}, {"target": "KMNIST"}, {"source": "USPS"}])
def test_another_problem_lends_nothing(kept, changes):
    value, said = chosen(cell("mmdsw", **changes))
    assert np.isnan(value)
    assert said == ""


def test_without_the_repository_the_run_has_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(draws, "MEASURED", tmp_path)
    assert chosen(cell("mmdsw"), 0.25, 4) == (0.25, "this run, 4 draws")


def test_few_draws_do_not_say_how_far_draws_scatter(tmp_path, monkeypatch):
    monkeypatch.setattr(draws, "MEASURED", tmp_path)
    value, said = chosen(cell("mmdsw"), 0.0, 3)
    assert np.isnan(value)
    assert said == ""


def test_the_kept_estimates_are_those_of_the_archives(tmp_path):
    write_estimates(MEASURED, tmp_path / "made.csv")
    made, kept = (pd.read_csv(p) for p in (tmp_path / "made.csv", MEASURED / draws.ESTIMATES))
    pd.testing.assert_frame_equal(made, kept, rtol=1e-4)


def test_a_folder_without_archives_is_named(tmp_path):
    with pytest.raises(InputError, match=r"archives .*scores\.csv; expected results/measured"):
        write_estimates(tmp_path, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
