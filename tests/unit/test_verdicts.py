"""Verdicts: what they are called, and how often they raise a false alarm in simulated runs."""

import numpy as np
import pandas as pd
import pytest

from wowbench.results import draws
from wowbench.results.cells import settings_columns
from wowbench.results.differences import holm
from wowbench.results.draws import ESTIMATE, KEY
from wowbench.results.verdict_rows import COLUMNS, VERDICTS
from wowbench.results.verdicts import is_off, verdicts

FLOWS, TRAININGS = 4, 5


def transfer(**changes):
    experiment = {"task": "transfer", "source": "MNIST", "targets": ["FashionMNIST"], "shots": [5]}
    experiment |= {"methods": ["mmdsw"], "flows": FLOWS, "trainings": TRAININGS}
    return experiment | changes


def noisy(seed, shift=0.0):
    """Accuracies whose flows differ, and trainings of one flow less so."""
    rng = np.random.default_rng(seed)
    flows = rng.normal(0.5, 0.02, 1000)
    return lambda row: flows[row["flow_seed"]] + rng.normal(shift, 0.01)


@pytest.fixture
def run(scores_of):
    return scores_of(transfer(), value=noisy(0))


def only(table, metric="accuracy"):
    (row,) = table[table.metric == metric].to_dict("records")
    return row


def on_other_draws(scores):
    return scores.assign(draw="other " + scores.draw)


def test_a_run_agrees_with_itself(run):
    row = only(verdicts(run, run))
    assert (row["verdict"], row["difference"], row["p_adjusted"]) == ("agrees", 0, 1)
    means = run[run.metric == "accuracy"].groupby("flow_seed")["value"].mean()
    assert row["mean_a"] == row["mean_b"] == pytest.approx(means.mean())
    assert row["error_a"] == pytest.approx(means.std() / FLOWS**0.5)
    assert row["flows_a"] == FLOWS


def test_less_accuracy_differs_and_more_is_better_than_it_should_be(run):
    lower = run.assign(value=run.value - 0.3)
    row = only(verdicts(lower, on_other_draws(run)))
    assert row["verdict"] == "differs"
    assert row["detail"].startswith("by -0.3, -")
    higher = only(verdicts(on_other_draws(run), lower))
    assert higher["verdict"] == "better than it should be"
    assert higher["difference"] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("metric", "verdict"),
    [
        ("final_loss", "better than it should be"),
        ("squared_distance", "differs"),
        ("score_of_a_third_party", "differs"),
    ],
)
def test_whether_less_is_better_depends_on_the_metric(run, metric, verdict):
    other = run.assign(metric=run.metric.replace("accuracy", metric))
    assert (
        only(verdicts(other.assign(value=other.value - 0.3), other), metric)["verdict"] == verdict
    )


def test_times_are_not_compared(run):
    assert set(verdicts(run, run.assign(value=2 * run.value)).metric) == {"accuracy"}


def test_a_tolerance_stands_in_for_the_test(scores_of):
    run = scores_of(transfer(flows=1), value=noisy(0))
    other = on_other_draws(run.assign(value=run.value + 0.02))
    assert only(verdicts(run, other))["verdict"] == "untested"
    assert only(verdicts(run, other, tolerance=0.03))["verdict"] == "agrees"
    row = only(verdicts(run, other, tolerance=0.01))
    assert row["verdict"] == "differs"
    assert row["detail"].startswith("by -0.02, more than 0.01")


def test_other_parameters_are_not_comparable_and_named(scores_of, run):
    other = scores_of(transfer(images_per_class=99, methods=["mmdsw", "otdd"]), value=noisy(1))
    table = verdicts(run, other)
    row = only(table[table.method == "mmdsw"])
    assert row["verdict"] == "not comparable"
    assert row["detail"] == "images_per_class 200 against 99"
    assert np.isnan(row["difference"])
    row = only(table[table.method == "otdd"])
    assert (row["verdict"], row["detail"]) == ("not run", "only in B")
    assert not is_off(table).any()


def test_cells_under_other_labels_are_known_by_their_parameters(scores_of, run):
    named = [{"name": "mmdsw", "id": "ours"}]
    other = scores_of(transfer(id="theirs", methods=named), value=noisy(0))
    assert only(verdicts(run, other))["verdict"] == "agrees"


def test_cells_that_nothing_but_labels_tells_apart_are_not_mixed_up(scores_of):
    value = {"transfer": 0.5, "again": 0.9}
    run = scores_of(transfer(), transfer(id="again"), value=lambda row: value[row["experiment"]])
    table = verdicts(run, run)
    assert set(table.verdict) == {"agrees"}
    assert sorted(table.mean_b) == pytest.approx([0.5, 0.9])


def test_what_has_no_result_is_not_run(scores_of, run):
    failed = scores_of(transfer(), status=lambda axes: ("diverged", "at step 3"))
    for table, detail in ((verdicts(failed, run), "A"), (verdicts(run, failed), "B")):
        row = only(table)
        assert (row["verdict"], row["detail"]) == ("not run", f"{detail}: {FLOWS} diverged")
    assert set(verdicts(failed, failed).verdict) == {"not run"}


def test_what_is_left_out_of_a_mean_is_said(scores_of, run):
    status = {0: ("diverged", "at step 3")}
    part = scores_of(
        transfer(), value=noisy(0), status=lambda axes: status.get(axes["flow_seed"], ("ok", ""))
    )
    row = only(verdicts(part, run))
    assert row["flows_a"] == FLOWS - 1
    assert "A: 1 diverged" in row["detail"]


def test_the_table_has_its_columns_and_words(run):
    table = verdicts(run, "published")
    assert [c for c in table if c in COLUMNS] == COLUMNS
    assert set(table.verdict) <= set(VERDICTS)
    assert set(settings_columns(run)) >= set(settings_columns(table))


CELLS = 1500
"""Simulated cells of one comparison: a rate of 0.05 is known to about 0.006."""

FAMILY = 10


def simulated(rng, prototype, flows, seed):
    """Scores of many cells under the null hypothesis: clustered by flow, all with one mean."""
    rows = prototype[prototype.flow_seed < flows]
    luck = rng.normal(0, 0.02, (CELLS, flows)).repeat(TRAININGS, axis=1).ravel()
    return pd.concat([rows] * CELLS, ignore_index=True).assign(
        method=np.char.add("m", np.arange(CELLS).astype(str)).repeat(len(rows)),
        value=luck + rng.normal(0.5, 0.02, CELLS * len(rows)),
        draw=lambda table: f"{seed} " + table.flow_seed.astype(str),
    )


@pytest.fixture
def prototype(scores_of):
    run = scores_of(transfer(flows=6))
    needed = ("method.augmentation", "method.embedding", "source.bundled", "target.bundled")
    return run[run.metric == "accuracy"].drop(
        columns=[column for column in settings_columns(run) if column not in needed]
    )


@pytest.mark.parametrize(("flows_a", "flows_b"), [(3, 3), (6, 3), (6, 6)])
def test_false_alarms_are_as_frequent_as_the_level_says(prototype, flows_a, flows_b):
    rng = np.random.default_rng(0)
    a = simulated(rng, prototype, flows_a, "a")
    b = simulated(rng, prototype, flows_b, "b")
    p = verdicts(a, b).p_value
    assert len(p) == CELLS
    # Welch's test is a little careful with 3 flows.
    assert 0.025 < (p <= 0.05).mean() < 0.07
    # In whole comparisons of 10 cells; more than 26 of 150 has a probability of 0.3 % at 0.1.
    families = [holm(family) for _, family in p.groupby(p.index // FAMILY)]
    assert sum(family.min() <= 0.1 for family in families) <= 26
    # An error that takes trainings for independent would raise three times as many.
    naive = pd.concat([a.assign(side="a"), b.assign(side="b")]).groupby(["method", "side"])["value"]
    means, errors = naive.mean().unstack(), naive.sem().unstack()
    scores = (means.a - means.b).abs() / np.hypot(errors.a, errors.b)
    assert (scores > 1.96).mean() > 0.15


@pytest.fixture
def nothing_archived(monkeypatch):
    kept = [*KEY, *ESTIMATE, "run"]
    monkeypatch.setattr(draws, "archived_estimates", lambda: pd.DataFrame(columns=kept))


def published_as(monkeypatch, mean, std):
    """Let one mean be published: that of the cells here."""
    from wowbench.results import comparison, published_verdicts

    row = {"task": "transfer", "source": "MNIST", "target": "FashionMNIST", "k": 5}
    row |= {"protocol": "", "budget": "own", "published_as": "mmdsw", "augmentation": "no"}
    row |= {"embedding": "no", "published_mean": mean, "published_std": std}
    row |= {"published_source": "made up"}
    table = pd.DataFrame([row])

    def known(task):
        return table[table.task == task]

    monkeypatch.setattr(comparison, "published_accuracies", known)
    monkeypatch.setattr(published_verdicts, "published_accuracies", known)


BETWEEN, WITHIN = 0.02, 0.02


def test_false_alarms_against_a_mean_over_one_draw(prototype, nothing_archived, monkeypatch):
    """The paper's mean is over one draw; each simulated run has another luck than its own."""
    rng = np.random.default_rng(2)
    a = simulated(rng, prototype, 6, "a")
    # The luck of the published mean goes to the other side of the difference, which is the same.
    paper = rng.normal(0, BETWEEN, CELLS) + rng.normal(0, WITHIN / 15**0.5, CELLS)
    a = a.assign(value=a.value + paper.repeat(6 * TRAININGS))
    published_as(monkeypatch, 0.5, WITHIN)
    table = verdicts(a, "published")
    table = table[table.p_value.notna()]
    assert len(table) == CELLS
    assert 0.02 < (table.p_value <= 0.05).mean() < 0.06


def test_against_the_paper(scores_of, nothing_archived, monkeypatch):
    published_as(monkeypatch, 0.5, 0.02)
    methods = ["mmdsw", {"name": "mmdsw", "id": "short", "steps": 10}, "otdd"]
    run = scores_of(transfer(flows=6, methods=methods), value=noisy(0))
    found = verdicts(run, "published").query("task == 'transfer'").set_index("method")
    assert found.verdict.to_dict() == {
        "mmdsw": "agrees",
        "short": "not comparable",
        "otdd": "not published",
    }
    assert found.detail["short"] == "steps 10, not 5000"
    assert "this run, 6 draws" in found.detail["mmdsw"]
    row = found.loc["mmdsw"]
    assert row.mean_b == 0.5
    assert row.difference_se**2 == pytest.approx(row.error_a**2 + row.error_b**2)

    few = scores_of(transfer(flows=3), value=noisy(0))
    row = only(verdicts(few, "published").query("flows_a > 0"))
    assert row["verdict"] == "untested"
    assert "the variance between draws is not known from 4 draws or more" in row["detail"]

    good = scores_of(transfer(flows=6), value=noisy(0, shift=0.3))
    assert (
        only(verdicts(good, "published").query("flows_a > 0"))["verdict"]
        == "better than it should be"
    )
    others = scores_of(transfer(shots=[1]), value=noisy(0))
    row = verdicts(others, "published").query("task == 'transfer' and verdict == 'not run'").iloc[0]
    assert (row.method, row.k, row.mean_b, row.detail) == ("mmdsw", "5", 0.5, "only published")
