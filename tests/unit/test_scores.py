"""Scores: what is gathered from records, and the way through CSV."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wowbench.errors import InputError
from wowbench.results.columns import FIRST, FIRST_COLUMNS, OWN, PARTS
from wowbench.results.scores import read_scores, write_scores

TRANSFER = {
    "task": "transfer",
    "source": "MNIST",
    "targets": ["FashionMNIST"],
    "shots": [1],
    "flows": 2,
    "trainings": 2,
    "methods": ["mmdsw", {"name": "otdd", "steps": 9}],
}
DISTILLATION = {
    "task": "distillation",
    "datasets": [{"name": "MNIST", "bundled": True}],
    "images_per_class": [1],
    "target_images": 50,
    "batch_size": 50,
    "protocols": ["paper", {"name": "dm", "epochs": 7}],
    "flows": 1,
    "trainings": 1,
    "methods": [{"name": "mmdsw", "id": "NA", "augmentation": ["crop", "flip"]}],
}


ARCHIVES = sorted((Path(__file__).parents[2] / "results/measured").glob("*/scores.csv"))


@pytest.mark.parametrize("path", ARCHIVES, ids=lambda path: path.parent.name)
def test_every_column_of_an_archive_has_a_meaning(path):
    known = {column.name for column in (*FIRST, *OWN)}
    columns = pd.read_csv(path, nrows=0).columns
    assert not [c for c in columns if c not in known and c.partition(".")[0] not in PARTS]


def test_a_row_has_its_axes_parameters_and_draw(scores_of):
    scores = scores_of(TRANSFER, value=lambda row: 0.1 * row["training_seed"])
    assert tuple(scores.columns[: len(FIRST_COLUMNS)]) == FIRST_COLUMNS
    rows = scores[(scores.method == "otdd") & (scores.metric == "accuracy")]
    assert rows.value.tolist() == [0.0, 0.1, 0.0, 0.1]
    assert set(rows["method.steps"]) == {"9"}
    assert set(rows["method.n_directions"]) == {""}
    assert set(rows["task.spread"]) == {"per_flow"}
    assert set(rows.algorithm) == {"otdd"}
    assert set(rows.departures) == {"steps 9, not 5000"}
    assert set(rows.experiment) == {"transfer"}
    assert rows.draw.str.fullmatch("[0-9a-f]{16}").all()
    by_flow = scores.groupby("flow_seed").draw.unique()
    assert by_flow.map(len).tolist() == [1, 1]  # the same for both methods
    assert by_flow[0] != by_flow[1]


def test_each_protocol_has_its_own_parameters(scores_of):
    scores = scores_of(DISTILLATION)
    accuracies = scores[scores.metric == "accuracy"].set_index("protocol")
    assert accuracies["protocol.epochs"].to_dict() == {"paper": "1000", "dm": "7"}
    assert set(scores[scores.metric == "seconds_per_step"]["protocol.epochs"]) == {""}


def test_an_accuracy_has_its_budget_and_a_flow_has_none(scores_of):
    alone = TRANSFER | {"methods": ["train_on_target"], "budgets": ["own", "matched"]}
    scores = scores_of(alone, value=lambda row: {"own": 0.25, "matched": 0.75}[row["budget"]])
    by_budget = scores.groupby("budget")["value"].agg(set).to_dict()
    assert by_budget == {"": {0.01}, "own": {0.25}, "matched": {0.75}}
    assert set(scores[scores.budget == ""].metric) == {"seconds_per_step"}


def test_scores_survive_the_way_through_csv(scores_of, tmp_path):
    random = np.random.default_rng(0)
    scores = scores_of(TRANSFER, DISTILLATION, value=lambda row: random.random())
    write_scores(scores, tmp_path / "scores.csv")
    read = read_scores(tmp_path / "scores.csv")
    pd.testing.assert_frame_equal(read, scores, check_exact=True)
    assert "NA" in set(read.method)  # a name is not a missing value
    assert '["crop", "flip"]' in set(read["method.augmentation"])


def test_scores_of_several_runs_are_one_below_the_other(scores_of, tmp_path):
    one, other = scores_of(TRANSFER), scores_of(DISTILLATION)
    paths = tmp_path / "one.csv", tmp_path / "other.csv"
    for scores, path in zip((one, other), paths, strict=True):
        write_scores(scores, path)
    both = read_scores(*paths)
    assert both.task.tolist() == [*one.task, *other.task]
    pd.testing.assert_frame_equal(both[: len(one)][list(one)], one)
    # What the first run has no parameter for is empty there.
    only = next(column for column in other if column not in one)
    assert set(both[: len(one)][only]) == {""}


def test_what_gave_no_value_is_a_row_for_each_of_its_cells(scores_of):
    def status(axes):
        return ("refused", "too few images") if axes["task"] == "distillation" else ("ok", "")

    scores = scores_of(TRANSFER, DISTILLATION, status=status)
    refused = scores[scores.status == "refused"]
    assert refused.value.isna().all()
    assert set(refused.message) == {"too few images"}
    assert refused.metric.tolist() == ["flow", "evaluate", "evaluate"]
    assert refused.protocol.tolist() == ["", "paper", "dm"]


def test_a_run_in_which_all_diverged_has_scores(scores_of, tmp_path):
    scores = scores_of(TRANSFER, status=lambda axes: ("diverged", "at step 3"))
    assert len(scores) == 2 * 2 * 2  # verbs, methods, flows
    assert scores.training_seed.isna().all()
    write_scores(scores, tmp_path / "scores.csv")
    pd.testing.assert_frame_equal(read_scores(tmp_path / "scores.csv"), scores)


def test_a_protocol_that_the_plan_does_not_have_is_named(scores_of, monkeypatch):
    from wowbench.results import scores as module

    scores_of(DISTILLATION)
    plan = module.Plan.load({"name": "made_up", "experiments": [DISTILLATION]})
    records = module.read_run(plan)
    for record in records.values():
        for i, row in enumerate(record.measurements):
            if hasattr(row, "protocol"):
                record.measurements[i] = row.model_copy(update={"protocol": "other"})
    monkeypatch.setattr(module, "read_run", lambda plan, *, partial=False: records)
    with pytest.raises(
        InputError, match=r"measured by the evaluation 'other'; expected one of 'paper', 'dm'"
    ):
        module.gather_scores(plan)


@pytest.mark.parametrize("text", [None, "a,b\n1,2\n", ""])
def test_what_is_no_scores_file_is_named(tmp_path, text):
    path = tmp_path / "scores.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=r"scores\.csv"):
        read_scores(path)


def test_a_number_that_is_none_is_named(scores_of, tmp_path):
    path = tmp_path / "scores.csv"
    write_scores(scores_of(TRANSFER), path)
    path.write_text(path.read_text().replace("0.5", "half", 1))
    with pytest.raises(InputError, match=r"scores\.csv: column 'value': .*half"):
        read_scores(path)
