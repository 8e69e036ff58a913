"""The task `distance`: which jobs it asks for, and what it refuses with the config."""

import pytest

from wowbench.config import load_config
from wowbench.errors import InputError
from wowbench.plan import Plan

MNIST = {"name": "MNIST", "bundled": True}
CLOTHES = {"name": "FashionMNIST", "bundled": True}


def experiment(**changes):
    return {"task": "distance", "datasets": [MNIST, CLOTHES], "distances": ["energy"], **changes}


def plan(*experiments, seed=0):
    return Plan.load({"name": "test", "seed": seed, "experiments": list(experiments)})


def jobs(**changes):
    return plan(experiment(**changes)).jobs["distance"]


def test_within_compares_each_dataset_with_itself_by_each_distance():
    found = jobs(distances=["energy", "sotdd"], directions=[10, 100])
    assert list(found) == [
        f"distance/{dataset}-bundled-{dataset}-bundled/{name}"
        for dataset in ("MNIST", "FashionMNIST")
        for name in ("otdd", "energy", "sotdd-directions10", "sotdd-directions100")
    ]
    for name, job in found.items():
        assert job.inputs["source"] == job.inputs["target"]
        assert job.spec["subsets"]["sizes"] == [5000, 10_000]
        assert job.spec["axes"]["k"] == 0
        assert job.spec["axes"]["method"] == name.rpartition("/")[2].partition("-")[0]


def test_between_compares_all_pairs_and_disjoint_subsets_of_one_if_asked():
    three = [MNIST, CLOTHES, {"name": "digits", "image_size": 28}]

    def pairs(**changes):
        found = jobs(mode="between", datasets=three, **changes)
        axes = [job.spec["axes"] for job in found.values()]
        assert {job.spec["subsets"]["per_class"] for job in found.values()} == {100}
        return list(dict.fromkeys((one["source"], one["target"]) for one in axes))

    across = [("MNIST", "FashionMNIST"), ("MNIST", "digits"), ("FashionMNIST", "digits")]
    assert pairs() == across
    assert pairs(diagonal=True) == across + [(x, x) for x in ("MNIST", "FashionMNIST", "digits")]


def test_subsets_and_directions_are_drawn_alike_for_all_distances():
    found = jobs(distances=["energy", "sotdd", "wow"], datasets=[MNIST]).values()
    assert len({str(job.spec["subsets"]) for job in found}) == 1
    assert len({job.spec["seed"] for job in found}) == 1
    (other, *_) = plan(experiment(), seed=1).jobs["distance"].values()
    (one, *_) = found
    assert other.spec["subsets"] != one.spec["subsets"]
    assert other.spec["seed"] != one.spec["seed"]
    # A dataset has one draw, with whatever it is compared, in either mode.
    between = jobs(mode="between", datasets=[CLOTHES, MNIST])
    (job, *_) = between.values()
    assert job.spec["subsets"]["target_seed"] == one.spec["subsets"]["source_seed"]


def test_the_reference_is_measured_once_and_variants_have_names_of_their_own():
    port = {"name": "sotdd", "rates": [0, 1, 2, 3, 4]}
    names = [name.rpartition("/")[2] for name in jobs(distances=["otdd", "sotdd", port],
                                                     datasets=[MNIST])]  # fmt: skip
    assert names == ["otdd", "sotdd", "sotdd-v2"]
    names = [n.rpartition("/")[2] for n in jobs(distances=["sotdd", port], datasets=[MNIST],
                                               directions=[10])]  # fmt: skip
    assert names == ["otdd", "sotdd-directions10", "sotdd-directions10-v2"]


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, ["correlation", "correlation", "cost"]),
        ({"sizes": [50, 50]}, ["correlation", "correlation"]),
        ({"mode": "between"}, ["values"]),
        ({"mode": "between", "diagonal": True}, ["values", "heatmap"]),
        ({"mode": "between", "directions": [10, 20]}, ["values", "cost"]),
    ],
)
def test_only_the_reports_that_a_mode_fills_are_listed(changes, names):
    listed = plan(experiment(distances=["energy", "sotdd"], **changes)).reports
    assert [report.name.removeprefix("distance_") for report in listed] == names


def test_jobs_depend_on_the_files_of_their_distance():
    found = plan(experiment(datasets=[MNIST], distances=["energy", "mmdsw"]))
    modules = {name.rpartition("/")[2]: job.modules for name, job in found.jobs["distance"].items()}
    assert modules["energy"] == ("wowbench.distances.energy",)
    assert modules["mmdsw"] == ("wowbench.distances.mmdsw", "wowbench.kernels.riesz")
    digests = {found.sources("distance", name) for name in found.jobs["distance"]}
    assert len(digests) == len(modules)


def test_columns_hold_all_parameters_and_those_of_the_reference():
    job = jobs(distances=["sotdd"], datasets=[MNIST])["distance/MNIST-bundled-MNIST-bundled/sotdd"]
    (columns,) = job.columns
    assert columns["algorithm"] == "sotdd"
    assert columns["method.n_directions"] == "1000"
    assert columns["task.reference.name"] == "otdd"
    assert columns["task.reference.outer"] == "emd"
    assert columns["task.mode"] == "within"
    assert "task.per_class" not in columns
    assert columns["departures"] == "bundled"


def test_the_jobs_are_counted_before_they_are_listed():
    for changes in ({}, {"mode": "between", "diagonal": True}, {"distances": ["otdd", "sotdd"]}):
        task = load_config({"name": "t", "experiments": [experiment(**changes)]}).experiments[0]
        assert task.size().jobs == task.size().distances == len(jobs(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reference": "otd"}, "reference: unknown distance 'otd'; did you mean 'otdd'"),
        ({"distances": ["sodtt"]}, "unknown distance 'sodtt'; did you mean 'sotdd'"),
        ({"distances": []}, "distances"),
        ({"distances": ["energy", "energy"]}, "energy comes twice, with equal parameters"),
        ({"directions": [10, 10]}, "10 comes twice"),
        ({"directions": [1]}, "directions"),
        ({"directions": list(range(2, 200))}, "directions"),
        ({"sizes": [9, 5]}, r"got \[9, 5\]; expected the smallest size, then the largest"),
        ({"datasets": [MNIST, MNIST]}, "two datasets are called 'MNIST-bundled'"),
        ({"mode": "between", "datasets": [MNIST]}, "datasets has only MNIST; expected two or more"),
        (
            {"mode": "between", "datasets": [MNIST, "digits"]},
            r"MNIST has particles of shape \(1, 28, 28\) and digits of shape \(1, 8, 8\)",
        ),
        ({"methods": ["mmdsw"]}, "unknown key 'methods'"),
        ({"units": "target"}, "units"),
    ],
)
def test_a_bad_config_is_one_line(changes, message):
    with pytest.raises(InputError, match=message) as refusal:
        jobs(**changes)
    assert "\n" not in str(refusal.value)


def test_a_class_of_one_point_is_refused_with_the_config_where_that_tells():
    message = (
        "experiment 'distance', MNIST and FashionMNIST: distance 'otdd': class 0 of the first "
        "dataset has 1 point; expected at least 2"
    )
    with pytest.raises(InputError, match=message):
        jobs(mode="between", per_class=1)
