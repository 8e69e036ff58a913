"""Cells: what is kept apart, and how people are told what differs."""

import pandas as pd
import pytest

from wowbench.results.cells import method_names, problem_names, settings_text
from wowbench.results.summary import summarise

BUNDLED = {"name": "MNIST", "bundled": True}
CLOTHES = {"name": "FashionMNIST", "bundled": True}


def transfer(**changes):
    experiment = {"task": "transfer", "source": "MNIST", "targets": ["FashionMNIST"]}
    experiment |= {"shots": [5], "flows": 2, "trainings": 2, "methods": ["mmdsw"]}
    return experiment | changes


@pytest.fixture
def summary_of(scores_of):
    def summary(*experiments):
        """Summarise a run in which the accuracy is 0.1 times the number of its experiment."""
        numbers = {e.get("id", e["task"]): i for i, e in enumerate(experiments)}
        scores = scores_of(*experiments, value=lambda row: 0.1 * numbers[row["experiment"]])
        table = summarise(scores, "accuracy")
        return table.assign(problem=problem_names(table), name=method_names(table))

    return summary


@pytest.mark.parametrize(
    ("changes", "problems", "names"),
    [
        ({"images_per_class": 100}, ["; images_per_class 200", "; images_per_class 100"], ["", ""]),
        ({"training": {"epochs": 2}}, ["; training.epochs 50", "; training.epochs 2"], ["", ""]),
        ({"spread": "fixed"}, ["; spread per_flow", "; spread fixed"], ["", ""]),
        ({"source": BUNDLED}, ["", " (source bundled)"], ["", ""]),
        ({"targets": [CLOTHES]}, ["", " (target bundled)"], ["", ""]),
        ({"source": BUNDLED, "targets": [CLOTHES]}, ["", " (bundled)"], ["", ""]),
        (
            {"methods": [{"name": "mmdsw", "steps": 9}]},
            ["", ""],
            [" (steps 5000)", " (steps 9)"],
        ),
        (
            {"methods": [{"name": "mmdsw", "augmentation": ["crop", "flip"]}]},
            ["", ""],
            [" (augmentation none)", " (augmentation crop, flip)"],
        ),
        ({}, ["", ""], [" (experiment transfer)", " (experiment other)"]),
        ({"flows": 1}, ["", ""], [" (experiment transfer)", " (experiment other)"]),
    ],
)
def test_two_experiments_are_two_rows_that_say_what_differs(summary_of, changes, problems, names):
    table = summary_of(transfer(), transfer(id="other", **changes))
    assert table["mean"].tolist() == [0, 0.1]
    assert table.problem.tolist() == [f"MNIST to FashionMNIST{text}" for text in problems]
    assert table.name.tolist() == [f"mmdsw{text}" for text in names]


def test_nothing_is_said_of_what_does_not_differ(summary_of):
    table = summary_of(
        transfer(shots=[1]),
        transfer(id="other", shots=[10], methods=["otdd", "train_on_target"]),
        transfer(id="third", source="KMNIST", images_per_class=200),
    )
    assert table.problem.tolist() == ["MNIST to FashionMNIST"] * 3 + ["KMNIST to FashionMNIST"]
    assert table.name.tolist() == ["mmdsw", "otdd", "train_on_target", "mmdsw"]


def test_a_parameter_of_a_dataset_is_named_beside_the_same_dataset_alone(scores_of):
    small = {"source": {"name": "MNIST", "image_size": 32}, "targets": [{"name": "USPS"}]}
    small["targets"][0]["image_size"] = 32
    runs = [scores_of(transfer(targets=["USPS", "FashionMNIST"])), scores_of(transfer(**small))]
    assert problem_names(summarise(pd.concat(runs), "accuracy")).tolist() == [
        "MNIST to USPS; source image_size none; target image_size 28",
        "MNIST to FashionMNIST; source image_size none",
        "MNIST to USPS; source image_size 32; target image_size 32",
    ]


def test_the_experiment_is_named_for_a_whole_curve_and_no_other(summary_of):
    table = summary_of(
        transfer(shots=[1, 5], methods=["mmdsw", "otdd"]),
        transfer(id="other", shots=[5]),
        transfer(id="third", source="KMNIST", shots=[1]),
    ).set_index(["experiment", "k", "method"])
    assert table.name["transfer", 1, "mmdsw"] == "mmdsw (experiment transfer)"
    assert table.name["other", 5, "mmdsw"] == "mmdsw (experiment other)"
    assert table.name["transfer", 5, "otdd"] == "otdd"
    assert table.name["third", 1, "mmdsw"] == "mmdsw"


def test_the_experiment_stands_beside_parameters_that_differ(summary_of):
    slow = {"name": "mmdsw", "steps": 9}
    table = summary_of(
        transfer(), transfer(id="b", methods=[slow]), transfer(id="c", methods=[slow])
    )
    assert table.name.tolist() == [
        "mmdsw (steps 5000)",
        "mmdsw (steps 9; experiment b)",
        "mmdsw (steps 9; experiment c)",
    ]


def test_two_budgets_are_two_cells_and_the_matched_one_is_named(scores_of):
    both = transfer(methods=["train_on_target", "mmdsw"], budgets=["own", "matched"])
    table = summarise(
        scores_of(both, value=lambda row: {"own": 0.25, "matched": 0.75}[row["budget"]]), "accuracy"
    )
    assert table["mean"].tolist() == [0.25, 0.75, 0.25]
    assert table.budget.tolist() == ["own", "matched", "own"]
    names = ["train_on_target", "train_on_target (matched steps)", "mmdsw"]
    assert method_names(table).tolist() == names
    assert problem_names(table).tolist() == ["MNIST to FashionMNIST"] * 3


def test_matched_steps_stand_beside_what_differs(scores_of):
    alone = {"methods": ["train_on_target"], "budgets": ["own", "matched"]}
    scores = scores_of(transfer(**alone), transfer(id="other", **alone))
    assert method_names(summarise(scores, "accuracy")).tolist() == [
        "train_on_target (experiment transfer)",
        "train_on_target (matched steps; experiment transfer)",
        "train_on_target (experiment other)",
        "train_on_target (matched steps; experiment other)",
    ]


def test_two_sources_onto_one_target_are_two_cells(summary_of):
    table = summary_of(transfer(), transfer(id="other", source="KMNIST"))
    assert table["mean"].tolist() == [0, 0.1]
    assert table.problem.tolist() == ["MNIST to FashionMNIST", "KMNIST to FashionMNIST"]


def test_two_protocols_are_two_cells(scores_of):
    experiment = {"task": "distillation", "datasets": ["MNIST"], "images_per_class": [1]}
    experiment |= {"flows": 1, "trainings": 1, "methods": ["random"]}
    experiment |= {"protocols": ["paper", {"name": "dm", "epochs": 2}]}
    other = experiment | {"id": "other", "protocols": [{"name": "paper", "epochs": 3}]}
    scores = scores_of(experiment, other, value=lambda row: 1 / float(row["protocol.epochs"]))
    table = summarise(scores, "accuracy")
    assert table["mean"].tolist() == [1 / 1000, 1 / 2, 1 / 3]
    assert problem_names(table).tolist() == ["MNIST; epochs 1000", "MNIST", "MNIST; epochs 3"]


def test_the_text_of_all_parameters_is_sorted_and_leaves_out_what_is_empty(summary_of):
    table = summary_of(transfer(methods=["train_on_target"], images_per_class=3))
    (text,) = settings_text(table)
    assert text == (
        "source.bundled=False; target.bundled=False; task.images_per_class=3; "
        "task.spread=per_flow; task.training.batch_size=64; task.training.epochs=50; "
        "task.training.lr=0.0003; task.training.network=lenet5; task.training.weight_decay=0.0001"
    )
