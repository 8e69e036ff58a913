"""Tables and figures of distances, from scores whose correlations are known by hand."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from wowbench.figures.distance_correlation import DistanceCorrelation as CorrelationFigure
from wowbench.figures.distance_cost import DistanceCost
from wowbench.figures.distance_gain import DistanceGain as GainFigure
from wowbench.figures.distance_heatmap import DistanceHeatmap
from wowbench.plan import Plan
from wowbench.results import scores as module
from wowbench.results.correlation import correlations
from wowbench.results.records import Record
from wowbench.results.scores import gather_scores, read_scores, write_scores
from wowbench.results.tables.distance_correlation import DistanceCorrelation
from wowbench.results.tables.distance_gain import DistanceGain
from wowbench.results.tables.distance_values import DistanceValues

MNIST = {"name": "MNIST", "bundled": True}
CLOTHES = {"name": "FashionMNIST", "bundled": True}
WITHIN = {
    "task": "distance",
    "datasets": ["MNIST"],
    "pairs": 6,
    "distances": ["sotdd", "swb1dg", "energy"],
    "directions": [10, 1000],
}
BETWEEN = {
    "task": "distance",
    "id": "between",
    "mode": "between",
    "datasets": [MNIST, CLOTHES],
    "pairs": 2,
    "diagonal": True,
    "distances": ["sotdd"],
}
KNOWN = [1.0, 2.0, 4.0, 5.0, 7.0, 11.0]
SHUFFLED = [2.0, 1.0, 3.0, 4.0, 6.0, 5.0]
# The ranks of SHUFFLED differ from those of KNOWN by 1 at four places: 1 - 6 * 4 / (6 * 35).
SPEARMAN = 1 - 24 / 210


@pytest.fixture
def measured(monkeypatch):
    """Return a function that gives plan and scores of experiments of distances.

    ``value(job, pair)`` is a squared distance, or that and its error.
    """

    def gather(*experiments, value):
        plan = Plan.load({"name": "made_up", "experiments": list(experiments)})
        records = {}
        for name, job in plan.jobs["distance"].items():
            rows = []
            for pair in range(job.spec["subsets"]["pairs"]):
                found, error = (*np.atleast_1d(value(job, pair)), None)[:2]
                place = {"pair": pair, "source_size": 50 + pair, "target_size": 50}
                place["draw"] = f"{job.spec['axes']['source']}{job.spec['axes']['target']}{pair}"
                numbers = {"squared_distance": found, "seconds": 0.5 + pair}
                numbers |= {} if error is None else {"distance_error": error}
                rows += [{"metric": k, "value": float(v), **place} for k, v in numbers.items()]
            records["distance", name] = Record(
                job="distance",
                spec=job.spec,
                measurements=rows,
                provenance={"device": "cpu", "commit": "0" * 40},
            )
        monkeypatch.setattr(module, "read_run", lambda plan, *, partial=False: records)
        return plan, gather_scores(plan)

    return gather


def made_up(job, pair):
    """KNOWN for the reference and for swb1dg, its reverse for energy, SHUFFLED for sotdd."""
    name = job.spec["distance"]["name"]
    if name == "sotdd":
        return SHUFFLED[pair], 0.1 * SHUFFLED[pair]
    if name == "swb1dg":
        return 3 * KNOWN[pair] + 1, 0.5
    return 7 - KNOWN[pair] if name == "energy" else KNOWN[pair]


def table_of(scores):
    table = DistanceCorrelation().make(scores)
    return table.set_index(["method", table.n_directions.fillna(0)]).sort_index()


def test_correlations_are_those_of_the_same_pairs_with_the_reference(measured):
    _, scores = measured(WITHIN, value=made_up)
    table = table_of(scores)
    assert table.spearman["sotdd", 10] == pytest.approx(SPEARMAN)
    assert table.pearson["sotdd", 10] == pytest.approx(np.corrcoef(KNOWN, SHUFFLED)[0, 1])
    assert table.spearman["swb1dg", 1000] == pytest.approx(1)
    assert table.pearson["swb1dg", 1000] == pytest.approx(1)
    assert table.spearman["energy", 0] == pytest.approx(-1)
    assert table.pearson["energy", 0] == pytest.approx(-1)
    assert table.pearson_low["energy", 0] == pytest.approx(-1)
    assert table.is_reference["otdd", 0]
    assert pd.isna(table.spearman["otdd", 0])
    assert table.is_reference.sum() == 1
    assert set(table.pairs) == {6}


def test_errors_seconds_and_negative_values_are_reported(measured):
    _, scores = measured(WITHIN, value=made_up)
    table = table_of(scores)
    assert table.relative_error["sotdd", 10] == pytest.approx(0.1)
    assert pd.isna(table.relative_error["energy", 0])
    assert table.seconds["sotdd", 10] == pytest.approx(np.mean([0.5 + i for i in range(6)]))
    # 7 minus 11 is the one below 0; 7 minus 7 is not.
    assert table.negative["energy", 0] == 1
    assert table.negative["sotdd", 10] == 0


def test_published_correlations_stand_beside_those_of_their_directions(measured):
    _, scores = measured({**WITHIN, "sizes": [50, 60]}, value=made_up)
    table = table_of(scores)
    assert table.published_spearman["sotdd", 10] == 0.444
    assert table.published_spearman["swb1dg", 1000] == 0.896
    assert pd.isna(table.published_spearman["energy", 0])
    assert table.unlike_published["swb1dg", 10] == "sizes 50, 60, not 5000, 10000"
    assert table.unlike_published["sotdd", 10].endswith(
        "; rates 1.0, 2.0, 3.0, 4.0, 5.0, not 0.0, 1.0, 2.0, 3.0, 4.0"
    )
    assert table.unlike_published["energy", 0] == ""
    _, scores = measured({**WITHIN, "distances": [{"name": "swbg", "dim": 5}]}, value=made_up)
    assert (
        table_of(scores)
        .unlike_published["swbg", 10]
        .endswith("5 principal components, not 10 dimensions of t-SNE")
    )
    port = {"name": "sotdd", "rates": [0, 1, 2, 3, 4]}
    _, scores = measured({**WITHIN, "distances": [port]}, value=made_up)
    assert table_of(scores).unlike_published["sotdd", 10] == ""


def test_pairs_are_joined_by_their_draw_and_not_by_their_number(measured):
    _, scores = measured(WITHIN, value=made_up)
    other = (scores.method == "swb1dg") & (scores["method.n_directions"] == "10")
    moved = scores.copy()
    moved.loc[other, "pair"] = 5 - moved.pair[other]
    assert table_of(moved).spearman["swb1dg", 10] == pytest.approx(1)
    moved.loc[other & (moved.draw == "MNISTMNIST0"), "draw"] = "unknown"
    assert table_of(moved).pearson["swb1dg", 10] == pytest.approx(1)
    moved.loc[other, "draw"] = "unknown"
    assert pd.isna(table_of(moved).spearman["swb1dg", 10])


def test_a_reference_is_told_from_the_same_distance_with_other_parameters(measured):
    exact = {"name": "otdd", "inner": "exact"}
    experiment = {**WITHIN, "reference": exact, "distances": ["otdd"], "directions": []}
    _, scores = measured(experiment, value=made_up)
    table = DistanceCorrelation().make(scores).set_index("method.inner")
    assert table.is_reference.to_dict() == {"exact": True, "gaussian": False}
    assert table.spearman["gaussian"] == pytest.approx(1)
    text = DistanceCorrelation().to_markdown(scores)
    assert "otdd (inner exact)" in text
    assert "otdd (inner gaussian)" in text


def test_a_reader_sees_intervals_directions_and_published_values(measured):
    _, scores = measured(WITHIN, value=made_up)
    readable = DistanceCorrelation().readable(DistanceCorrelation().make(scores))
    rows = readable.set_index("distance")
    assert rows.Spearman["otdd"] == "reference"
    assert rows.Spearman["energy"] == "-1.000 [-1.00, -1.00]"
    assert list(rows.directions["sotdd"]) == ["10", "1,000"]
    assert "published Spearman" in readable
    assert rows["below 0"]["energy"] == "1"


def test_the_bootstrap_covers_what_it_should_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(60):
        x, y = rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], size=60).T
        found = correlations(x, y)
        assert found["pearson"] == pytest.approx(np.corrcoef(x, y)[0, 1])
        assert found["pearson_low"] < found["pearson"] < found["pearson_high"]
        covered += found["pearson_low"] < 0.7 < found["pearson_high"]
    # Binomial of 0.95: 51 of 60 or fewer come once in a thousand times.
    assert covered >= 51


def test_few_pairs_have_no_interval_and_constant_sides_no_correlation():
    few = correlations(np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 2, 4]))
    assert few["spearman"] == pytest.approx(0.8)
    assert np.isnan(few["spearman_low"])
    assert np.isnan(correlations(np.array([1.0, 2]), np.array([1.0, 2]))["spearman"])
    constant = correlations(np.ones(8), np.arange(8.0))
    assert all(np.isnan(value) for value in constant.values())


def between(job, pair):
    """Values by the datasets; the errors of sotdd are 3 and 4."""
    axes = job.spec["axes"]
    value = 2.0 if axes["source"] == axes["target"] else 16.0 + 4 * pair
    return (value, 3.0 + pair) if axes["method"] == "sotdd" else -value


def test_values_are_means_over_pairs_with_both_kinds_of_error(measured):
    _, scores = measured(BETWEEN, value=between)
    table = DistanceValues().make(scores).set_index(["method", "source", "target"])
    row = table.loc["sotdd", "MNIST", "FashionMNIST"]
    assert row.squared_distance == 18
    assert row["std"] == pytest.approx(8**0.5)
    assert row.error == pytest.approx(5 / 2)
    assert row.distance == pytest.approx(18**0.5)
    assert (row.n_directions, row.pairs) == (1000, 2)
    exact = table.loc["otdd", "MNIST", "FashionMNIST"]
    assert exact.squared_distance == -18
    assert pd.isna(exact.error)
    assert pd.isna(exact.distance)
    assert table.loc["sotdd", "MNIST", "MNIST"].squared_distance == 2
    assert len(table) == 6
    assert "MNIST to FashionMNIST (bundled)" in DistanceValues().to_markdown(scores)


def test_other_tasks_leave_tables_empty_and_nothing_to_draw(scores_of, measured, tmp_path):
    transfer = {"task": "transfer", "source": MNIST, "targets": [CLOTHES], "methods": ["mmdsw"]}
    scores = scores_of(transfer)
    for table in (DistanceCorrelation(), DistanceValues(), DistanceGain()):
        assert table.make(scores).empty
        table.write(scores, tmp_path / "t.csv")
    for figure in (CorrelationFigure(), DistanceHeatmap(), DistanceCost(), GainFigure()):
        assert figure.draw(scores, None) is None
    _, scores = measured(BETWEEN, value=between)
    assert DistanceCorrelation().make(scores).empty
    assert CorrelationFigure().draw(scores, None) is None


def test_the_scatter_has_a_panel_for_each_distance_and_a_colour_for_its_directions(measured):
    plan, scores = measured(WITHIN, value=made_up)
    figure = CorrelationFigure().draw(scores, plan)
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles == ["MNIST: sotdd", "MNIST: swb1dg", "MNIST: energy"]
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert legend == [f"{n} directions, {SPEARMAN:.2f}" for n in ("10", "1,000")]
    (line, *_) = figure.axes[0].containers[0]
    assert sorted(zip(*line.get_data(), strict=True)) == sorted(zip(KNOWN, SHUFFLED, strict=True))
    assert figure.axes[0].get_xlabel() == "squared distance, otdd"
    plt.close(figure)


def test_the_heat_map_is_symmetric_and_empty_where_a_square_is_negative(measured):
    plan, scores = measured(BETWEEN, value=between)
    figure = DistanceHeatmap().draw(scores, plan)
    panels = {axis.get_title(): axis for axis in figure.axes if axis.get_title()}
    assert list(panels) == ["otdd", "sotdd"]
    texts = [text.get_text() for text in panels["sotdd"].texts]
    assert texts == ["1.41", "4.24", "4.24", "1.41"]
    assert not panels["otdd"].texts
    plt.close(figure)


def test_the_cost_is_shown_against_directions_and_points(measured):
    plan, scores = measured(WITHIN, value=made_up)
    figure = DistanceCost().draw(scores, plan)
    by_directions, by_size = (axis for axis in figure.axes if axis.get_title())
    curves = [line.get_data() for line in by_directions.lines]
    assert any(np.array_equal(x, [10, 1000]) and np.allclose(y, 3) for x, y in curves)
    assert sorted(by_size.lines[0].get_xdata()) == [100 + i for i in range(6)]
    plt.close(figure)


THREE = [MNIST, CLOTHES, {"name": "digits", "image_size": 28}]


def closeness(job, pair):
    axes = job.spec["axes"]
    return {"FashionMNIST": 9.0, "digits": 4.0}[axes["target"]] + (axes["source"] != "MNIST")


def gains_of(scores_of, measured, accuracies):
    """Scores of both tasks; accuracies by source and target, 0.5 for the target alone."""
    methods = ["train_on_target", {"name": "mmdsw", "steps": 2}]
    transfers = [
        {
            **{"task": "transfer", "id": f"from{i}", "shots": [1], "flows": 2, "trainings": 2},
            **{"budgets": ["own", "matched"], "methods": methods, "source": source},
            "targets": [target for target in THREE if target != source],
        }
        for i, source in enumerate(THREE)
    ]

    def value(row):
        if row["algorithm"] == "train_on_target":
            return 0.5 if row["budget"] == "matched" else 0.1
        return accuracies[row["source"], row["target"]] + 0.1 * row["flow_seed"]

    transfer = scores_of(*transfers, value=value)
    _, distances = measured({**BETWEEN, "datasets": THREE, "diagonal": False}, value=closeness)
    return transfer, distances


def test_gains_are_over_the_matched_target_alone_and_rank_with_distances(
    scores_of, measured, tmp_path
):
    names = ("MNIST", "FashionMNIST", "digits")
    accuracies = {(a, b): 0.6 for a in names for b in names}
    accuracies |= {("MNIST", "digits"): 0.9, ("FashionMNIST", "digits"): 0.8}
    accuracies |= {("digits", "MNIST"): 0.9, ("digits", "FashionMNIST"): 0.8}
    transfer, distances = gains_of(scores_of, measured, accuracies)
    paths = [tmp_path / f"{i}.csv" for i in range(2)]
    for scores, path in zip((transfer, distances), paths, strict=True):
        write_scores(scores, path)
    both = read_scores(*paths)
    table = DistanceGain().make(both)
    rows = table[table.distance == "otdd"].set_index(["source", "target"])
    assert len(rows) == 6
    assert rows.gain["MNIST", "digits"] == pytest.approx(0.45)
    assert rows.gain["FashionMNIST", "MNIST"] == pytest.approx(0.15)
    # Two draws whose accuracies differ by 0.1.
    assert rows.gain_error.tolist() == pytest.approx([0.05] * 6)
    assert set(rows.draws) == {2}
    # Either way round the distance is the same: 4, 5 and 9.
    assert rows.squared_distance["digits", "MNIST"] == 4
    assert rows.squared_distance["FashionMNIST", "digits"] == 5
    # The largest gains are at 4, the next at 5, the least at 9.
    assert rows.spearman.tolist() == pytest.approx([-1] * 6)
    assert set(rows.problems) == {6}
    shown = DistanceGain().readable(table).set_index("datasets")
    assert list(shown) == [
        *("k", "method", "gain (points)", "s.e.", "draws", "otdd", "sotdd, 1,000 directions")
    ]
    assert len(shown) == 7
    assert shown.loc["MNIST to digits (source bundled)"].tolist() == [
        1,
        "mmdsw",
        "+45.0",
        "5.0",
        "2",
        "4",
        "4",
    ]
    again = distances.assign(experiment="again", value=2 * distances.value)
    twice = DistanceGain().to_markdown(read_back(pd.concat([transfer, distances, again])))
    assert twice.count("| MNIST to digits (source bundled) ") == 2
    last = shown.loc["Spearman's correlation"]
    assert last.tolist() == [1, "mmdsw", "", "", "", "-1.00", "-1.00"]
    figure = GainFigure().draw(both, None)
    assert [axis.get_title() for axis in figure.axes if axis.get_title()] == [
        "otdd",
        "sotdd, 1,000 directions",
    ]
    assert sorted(legend_of(figure)) == [
        f"to {target}: mmdsw, k = 1" for target in ("FashionMNIST", "MNIST", "digits")
    ]
    assert not any(axis.texts for axis in figure.axes)
    plt.close(figure)
    few = both[(both.task == "distance") | (both.target == "digits")]
    figure = GainFigure().draw(few, None)
    assert legend_of(figure) == ["mmdsw, k = 1"]
    assert {text.get_text() for text in figure.axes[0].texts} == {
        "MNIST to digits",
        "FashionMNIST to digits",
    }
    plt.close(figure)


def legend_of(figure):
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def test_two_pairs_of_datasets_or_no_matched_baseline_tell_no_correlation(scores_of, measured):
    names = ("MNIST", "FashionMNIST", "digits")
    accuracies = {(a, b): 0.6 for a in names for b in names}
    transfer, distances = gains_of(scores_of, measured, accuracies)
    one = pd.concat([transfer[transfer.source == "MNIST"], distances], ignore_index=True)
    table = DistanceGain().make(read_back(one))
    assert set(table.problems) == {2}
    assert table.spearman.isna().all()
    assert DistanceGain().readable(table).otdd.tolist() == ["9", "4", ""]
    own = pd.concat([transfer[transfer.budget != "matched"], distances], ignore_index=True)
    none = DistanceGain().make(read_back(own))
    assert none.empty
    assert DistanceGain().readable(none).empty


def read_back(scores):
    text = [name for name in scores if name not in module.NUMBERS]
    return scores.fillna(dict.fromkeys(text, ""))
