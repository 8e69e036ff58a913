"""Methods compared draw by draw, against SciPy, from scores made up for it."""

import numpy as np
import pytest
from scipy import stats

from wowbench.results.tables.distillation_paired import DistillationPaired
from wowbench.results.tables.transfer_paired import TransferPaired

FLOWS, TRAININGS = 4, 3
RNG = np.random.default_rng(0)
VALUES = {
    name: RNG.uniform(0.5, 0.9, (FLOWS, TRAININGS))
    for name in ("mmdsw", "otdd", "dm", "random", "both", "dm_both")
}


def value(row):
    return VALUES[row["method"]][row["flow_seed"], row["training_seed"]]


def transfer(**changes):
    experiment = {"task": "transfer", "source": "MNIST", "targets": ["USPS"], "shots": [5]}
    experiment |= {"methods": ["mmdsw", "otdd"], "flows": FLOWS, "trainings": TRAININGS}
    return experiment | changes


def compared(scores):
    table = TransferPaired().make(scores)
    return table, TransferPaired().readable(table)


def test_the_interval_is_that_of_students_t_over_draws(scores_of):
    table, readable = compared(scores_of(transfer(), value=value))
    (row,) = table.itertuples()
    first, second = VALUES["mmdsw"].mean(1), VALUES["otdd"].mean(1)
    interval = stats.ttest_rel(first, second).confidence_interval(0.95)
    assert (row.method, row.reference, row.draws) == ("otdd", "mmdsw", FLOWS)
    assert row.difference == pytest.approx((first - second).mean())
    assert (row.low, row.high) == pytest.approx((interval.low, interval.high))
    span = (first - second).min(), (first - second).max()
    assert (row.lowest_draw, row.highest_draw) == pytest.approx(span)
    assert readable["draws"].tolist() == [FLOWS]


def test_one_draw_has_a_difference_and_no_more(scores_of):
    table, readable = compared(scores_of(transfer(flows=1), value=value))
    (row,) = table.itertuples()
    assert row.difference == pytest.approx((VALUES["mmdsw"][0] - VALUES["otdd"][0]).mean())
    assert np.isnan([row.low, row.high, row.lowest_draw, row.highest_draw]).all()
    assert readable.columns.tolist() == [
        "datasets",
        "k",
        "MMDSW minus",
        "difference (points)",
        "draws",
    ]


def test_a_preset_stands_for_the_reference_only_where_that_was_not_run(scores_of):
    VALUES["mmdsw_sprint"] = VALUES["both"]
    alone = scores_of(transfer(methods=["otdd", "mmdsw_sprint"]), value=value)
    (row,) = compared(alone)[0].itertuples()
    assert (row.method, row.reference) == ("otdd", "mmdsw_sprint")
    differences = VALUES["mmdsw_sprint"].mean(1) - VALUES["otdd"].mean(1)
    assert row.difference == pytest.approx(differences.mean())
    beside = scores_of(transfer(methods=["otdd", "mmdsw_sprint", "mmdsw"]), value=value)
    table, _ = compared(beside)
    assert list(zip(table.method, table.reference, strict=True)) == [
        ("otdd", "mmdsw"),
        ("mmdsw_sprint", "mmdsw"),
    ]


def test_draws_that_only_one_method_has_are_left_out(scores_of):
    scores = scores_of(
        transfer(),
        value=value,
        status=lambda axes: (
            ("diverged", "") if axes["method"] == "otdd" and axes["flow_seed"] < 2 else ("ok", "")
        ),
    )
    (row,) = compared(scores)[0].itertuples()
    assert row.draws == 2
    differences = VALUES["mmdsw"][2:].mean(1) - VALUES["otdd"][2:].mean(1)
    assert row.difference == pytest.approx(differences.mean())


def test_pairs_are_of_one_draw_whatever_the_number_of_the_flow(scores_of):
    scores = scores_of(transfer(), value=value)
    same, _ = compared(scores)
    others = (scores.method == "otdd") & (scores.flow_seed < 2)
    scores.loc[others, "flow_seed"] = 1 - scores.flow_seed[others]
    renumbered, _ = compared(scores)
    assert renumbered.difference[0] == same.difference[0]
    assert renumbered.low[0] == pytest.approx(same.low[0])


def test_flows_of_the_same_number_on_other_draws_are_no_pairs(scores_of):
    scores = scores_of(transfer(), value=value)
    scores.loc[scores.method == "otdd", "draw"] = "elsewhere" + scores.flow_seed.map(str)
    assert compared(scores)[0].empty


def test_flows_of_a_fixed_draw_are_one_observation(scores_of):
    (row,) = compared(scores_of(transfer(spread="fixed"), value=value))[0].itertuples()
    assert row.draws == 1
    assert row.difference == pytest.approx((VALUES["mmdsw"] - VALUES["otdd"]).mean())
    assert np.isnan(row.low)


def test_methods_of_one_config_are_compared_across_experiments(scores_of):
    scores = scores_of(
        transfer(methods=["mmdsw"]), transfer(id="others", methods=["otdd"], flows=2), value=value
    )
    (row,) = compared(scores)[0].itertuples()
    assert (row.experiment, row.reference_experiment, row.draws) == ("others", "transfer", 2)
    differences = VALUES["mmdsw"][:2].mean(1) - VALUES["otdd"][:2].mean(1)
    assert row.difference == pytest.approx(differences.mean())


@pytest.mark.parametrize(
    "changes",
    [
        {"training": {"epochs": 3}},
        {"images_per_class": 100},
        {"targets": ["KMNIST"]},
        {"shots": [1]},
        {"source": {"name": "MNIST", "bundled": True}},
    ],
)
def test_what_is_evaluated_or_drawn_otherwise_is_not_compared(scores_of, changes):
    other = transfer(id="others", methods=["otdd"], **changes)
    assert compared(scores_of(transfer(methods=["mmdsw"]), other, value=value))[0].empty


def test_a_method_keeps_to_the_reference_of_its_own_experiment(scores_of):
    slow = {"name": "mmdsw", "steps": 9}
    experiments = transfer(), transfer(id="slow", methods=[slow, "otdd"])
    table, readable = compared(scores_of(*experiments, value=value))
    assert table.experiment.tolist() == table.reference_experiment.tolist() == ["transfer", "slow"]
    assert readable["MMDSW"].tolist() == ["mmdsw (steps 5000)", "mmdsw (steps 9)"]


def test_each_reference_with_other_parameters_is_a_row_that_names_it(scores_of):
    scores = scores_of(
        transfer(id="a", methods=["mmdsw"], flows=2),
        transfer(id="b", methods=["mmdsw"]),
        transfer(id="c", methods=[{"name": "mmdsw", "steps": 9}]),
        transfer(id="d", methods=["otdd"]),
        value=value,
    )
    table, readable = compared(scores)
    # Of two references that are alike, the one with more draws in common.
    assert table.reference_experiment.tolist() == ["b", "c"]
    assert table.draws.tolist() == [FLOWS, FLOWS]
    assert readable["MMDSW minus"].tolist() == ["otdd", "otdd"]
    assert readable["MMDSW"].tolist() == [
        "mmdsw (steps 5000; experiment b)",
        "mmdsw (steps 9)",
    ]


def test_a_second_variant_is_compared_with_the_first_of_its_experiment(scores_of):
    fast = {"name": "mmdsw", "id": "few", "n_directions": 50}
    scores = scores_of(transfer(methods=["mmdsw", fast]), value=lambda row: 0.5)
    (row,) = compared(scores)[0].itertuples()
    assert (row.method, row.reference) == ("few", "mmdsw")


def test_each_budget_of_the_target_alone_is_compared_with_the_flow(scores_of):
    def shifted(row):
        shift = {"train_on_target": {"own": 0.3, "matched": 0.1}}
        return value(row | {"method": "mmdsw"}) - shift.get(row["method"], {}).get(row["budget"], 0)

    methods = ["train_on_target", "mmdsw"]
    scores = scores_of(transfer(methods=methods, budgets=["own", "matched"]), value=shifted)
    table, readable = compared(scores)
    assert table.budget.tolist() == ["own", "matched"]
    assert table.difference.tolist() == pytest.approx([0.3, 0.1])
    assert table.draws.tolist() == [FLOWS, FLOWS]
    names = ["train_on_target", "train_on_target (matched steps)"]
    assert readable["MMDSW minus"].tolist() == names


def test_without_mmdsw_or_accuracies_nothing_is_compared(scores_of):
    assert compared(scores_of(transfer(methods=["otdd"]), value=value))[0].empty
    diverged = scores_of(transfer(), status=lambda axes: ("diverged", ""))
    table, readable = compared(diverged)
    assert table.empty
    assert readable.empty


BOTH = {"augmentation": True, "embedding": True}
DISTILLATION = {
    "task": "distillation",
    "datasets": ["MNIST"],
    "images_per_class": [10],
    "flows": FLOWS,
    "trainings": TRAININGS,
    "methods": [
        "random",
        "mmdsw",
        "dm",
        {"name": "mmdsw", "id": "both", **BOTH},
        {"name": "dm", "id": "dm_both", **BOTH},
    ],
}


def test_methods_of_distillation_are_compared_within_their_scenario(scores_of):
    made = DistillationPaired().make(scores_of(DISTILLATION, value=value))
    table = made.set_index("method")
    assert table.embedding.to_dict() == {"random": "no", "dm": "no", "dm_both": "yes"}
    for method, reference in {"dm": "mmdsw", "random": "mmdsw", "dm_both": "both"}.items():
        test = stats.ttest_rel(VALUES[reference].mean(1), VALUES[method].mean(1))
        interval = test.confidence_interval(0.95)
        row = table.loc[method]
        assert row.reference == reference
        assert (row.low, row.high, row.draws) == pytest.approx((interval.low, interval.high, FLOWS))
    # The scenario says which reference is meant.
    assert "MMDSW" not in DistillationPaired().readable(made)


def test_each_protocol_is_compared_with_itself(scores_of):
    shift = {"paper": 0.0, "dm": 1.0}
    made = (
        DistillationPaired()
        .make(
            scores_of(
                DISTILLATION | {"protocols": ["paper", "dm"], "methods": ["mmdsw", "dm"]},
                value=lambda row: value(row) + shift[row["protocol"]] * (row["method"] == "dm"),
            )
        )
        .set_index("protocol")
    )
    assert made.difference["paper"] - made.difference["dm"] == pytest.approx(1)
