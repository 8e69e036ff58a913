"""The verb `distance`: what it measures, on which pairs, and what it refuses before any of it."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from wowbench.cli import BAD_INPUT, main
from wowbench.datasets.prepared import read_prepared
from wowbench.datasets.subsets import Subsets
from wowbench.distances.otdd import OTDD
from wowbench.distances.sotdd import SlicedOTDD
from wowbench.errors import InputError
from wowbench.parameters import FromRegistry
from wowbench.registry import DISTANCES
from wowbench.results.records import read_record
from wowbench.results.scores import gather_scores
from wowbench.seeding import derive_seed

DIGITS = {"name": "digits"}
WITHIN = {
    "task": "distance",
    "datasets": [DIGITS],
    "sizes": [60, 90],
    "pairs": 3,
    "directions": [5],
    "distances": ["sotdd", "energy"],
}
BETWEEN = {
    "task": "distance",
    "id": "between",
    "mode": "between",
    "datasets": [DIGITS, {"name": "digits", "id": "others"}],
    "per_class": 4,
    "pairs": 2,
    "diagonal": True,
    "units": "own",
    "distances": ["energy"],
}


def config(*experiments):
    return {"name": "tiny", "experiments": list(experiments)}


@pytest.fixture(scope="module")
def finished(tmp_path_factory, run_by_hand):
    """A run of both modes, in the folder where it is; not to be changed."""
    folder = tmp_path_factory.mktemp("distances")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run = run_by_hand(config(WITHIN, BETWEEN))
        run.run()
    return folder, run


@pytest.fixture
def run(finished, monkeypatch):
    monkeypatch.chdir(finished[0])
    return finished[1]


def record_of(run, name):
    return read_record(Path(run.plan.record("distance", name)))


def measured(record, metric):
    return {m.pair: m.value for m in record.measurements if m.metric == metric}


def classes_of(job, number):
    """Both sides of a pair, as the spec of a job says."""
    sides = [read_prepared(Path(job.inputs[side])).train for side in ("source", "target")]
    same = job.spec["inputs"]["source"] == job.spec["inputs"]["target"]
    drawn = Subsets(**job.spec["subsets"]).members(number, *sides, disjoint=same)
    return [
        [torch.tensor(side.particles[m]).flatten(1) / 255 for m in classes]
        for side, classes in zip(sides, drawn, strict=True)
    ]


def test_each_pair_has_the_distance_of_its_subsets_with_seeds_of_its_own(run):
    for name, distance in (
        ("distance/digits-digits/otdd", OTDD()),
        ("distance/digits-digits/sotdd-directions5", SlicedOTDD(n_directions=5)),
    ):
        job, record = run.plan.job("distance", name), record_of(run, name)
        assert FromRegistry(DISTANCES).build(job.spec["distance"]) == distance
        values, errors = (measured(record, m) for m in ("squared_distance", "distance_error"))
        assert list(values) == [0, 1, 2]
        assert len(set(values.values())) == 3
        for pair, value in values.items():
            generator = torch.Generator().manual_seed(derive_seed(job.spec["seed"], pair))
            estimate = distance.measure(*classes_of(job, pair), generator)
            assert value == pytest.approx(estimate.value, rel=1e-6)
            assert errors.get(pair, 0.0) == pytest.approx(estimate.error or 0.0, rel=1e-6)
        assert len(errors) == (3 if distance.stochastic else 0)
        assert min(measured(record, "seconds").values()) > 0


def test_all_distances_see_the_same_pairs_and_no_two_pairs_are_the_same(run):
    seen = {}
    for name in run.plan.jobs["distance"]:
        if name.startswith("distance/"):
            record = record_of(run, name)
            seen[name] = {(m.pair, m.draw, m.source_size) for m in record.measurements}
            assert all(m.source_size == m.target_size for m in record.measurements)
            assert all(60 <= m.source_size <= 90 for m in record.measurements)
    assert len(seen) == 3
    (pairs,) = set(map(frozenset, seen.values()))
    assert len({draw for _, draw, _ in pairs}) == 3


def test_own_units_are_standardised_by_each_side(run):
    name = "between/digits-others/energy"
    job = run.plan.job("distance", name)
    sides = [read_prepared(Path(job.inputs[s])).train for s in ("source", "target")]
    a, b = (torch.cat(classes).double() for classes in classes_of(job, 0))
    moments = (
        [(s.particles / 255.0).mean() for s in sides],
        [(s.particles / 255.0).std() for s in sides],
    )
    a, b = ((x - m) / s for x, m, s in zip((a, b), *moments, strict=True))
    energy = 2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()
    found = measured(record_of(run, name), "squared_distance")[0]
    assert found == pytest.approx(float(energy), rel=1e-5)


def test_scores_have_a_row_for_each_number_with_its_pair_and_parameters(run):
    scores = gather_scores(run.plan)
    assert set(scores.task) == {"distance"}
    assert set(scores.metric) == {"squared_distance", "distance_error", "seconds"}
    rows = scores[(scores.method == "sotdd") & (scores.metric == "distance_error")]
    assert rows.pair.tolist() == [0, 1, 2]
    assert set(rows["method.n_directions"]) == {"5"}
    assert set(rows["task.sizes"]) == {"[60, 90]"}
    assert set(rows.departures) == {"sizes 60, 90, not 5000, 10000"}
    between = scores[scores.experiment == "between"]
    assert set(zip(between.source, between.target, strict=True)) == {
        *(("digits", "others"), ("digits", "digits"), ("others", "others"))
    }
    assert set(between.k) == {4}
    assert set(between.source_size) == set(between.target_size) == {40}
    assert set(between["task.per_class"]) == {"4"}
    # What failed is a row with its reason.
    failed = gather_scores(run.plan, {("distance", "between/digits-others/energy"): "no"})
    assert failed[failed.metric == "distance"].message.tolist() == ["no"]
    assert (failed[failed.metric != "distance"].status == "ok").all()


def refused(run, capsys, name, spec, **changes):
    assert (
        run.job("distance", name, spec=json.dumps(spec), out="other.json", **changes) == BAD_INPUT
    )
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert not Path("other.json").exists()
    return message


def test_more_points_than_there_are_are_refused_in_one_line(run, capsys):
    name = "distance/digits-digits/energy"
    spec = run.plan.job("distance", name).spec
    sizes = spec["subsets"] | {"sizes": [900, 900]}
    message = refused(run, capsys, name, spec | {"subsets": sizes})
    assert "digits, train split has 1438 images, and 1800 are needed" in message


def test_a_class_of_too_few_points_is_refused_before_any_pair_is_measured(run, capsys, monkeypatch):
    name = "distance/digits-digits/otdd"
    spec = run.plan.job("distance", name).spec
    monkeypatch.setattr(OTDD, "estimate", lambda *_: pytest.fail("it was measured"))
    subsets = spec["subsets"] | {"sizes": [15, 15]}
    message = refused(run, capsys, name, spec | {"subsets": subsets})
    assert "pair 0 of digits, train split: distance 'otdd': class" in message
    assert message.endswith("expected at least 2\n")


def test_datasets_of_unlike_shapes_are_refused_beside_the_reason(run, capsys, tmp_path):
    name = "between/digits-others/energy"
    spec = run.plan.job("distance", name).spec
    wide = {"dataset": {"name": "digits", "image_size": 9}, "axes": {}}
    paths = ("--out", tmp_path / "wide.safetensors", "--record", tmp_path / "wide.json")
    assert main(["prepare", "--spec", json.dumps(wide), *map(str, paths)]) == 0
    spec = spec | {"inputs": spec["inputs"] | {"target": wide}}
    message = refused(run, capsys, name, spec, target=tmp_path / "wide.safetensors")
    assert "points of the second dataset have shape (1, 9, 9); expected (1, 8, 8)" in message


def test_a_file_of_another_job_is_refused(run, capsys):
    name = "distance/digits-digits/energy"
    spec = run.plan.job("distance", name).spec
    other = run.plan.job("distance", "between/digits-others/energy").inputs["target"]
    message = refused(run, capsys, name, spec, target=other)
    assert "others" in message


def test_a_negative_estimate_is_kept_as_it_is(run, monkeypatch):
    from wowbench.distances.base import Estimate
    from wowbench.distances.energy import Energy

    monkeypatch.setattr(Energy, "estimate", lambda *_: Estimate(-0.25, 0.5))
    assert run.job("distance", "distance/digits-digits/energy", out="negative.json") == 0
    record = read_record(Path("negative.json"))
    assert set(measured(record, "squared_distance").values()) == {-0.25}
    assert set(measured(record, "distance_error").values()) == {0.5}


def test_the_digest_of_a_pair_is_that_of_its_particles(run):
    from wowbench.jobs.distance import _digest

    one = [np.zeros((2, 3), np.float32)]
    assert _digest([one, one]) != _digest([one, [np.ones((2, 3), np.float32)]])
    assert _digest([one, one]) == _digest([list(one), one])


@pytest.mark.parametrize(
    ("metric", "value", "reason"),
    [
        ("distance_error", -1.0, "distance_error is -1; expected a number from 0 to inf"),
        ("accuracy", 0.5, "metric 'accuracy' is none of this distance job's"),
    ],
)
def test_a_record_of_a_distance_holds_nothing_else(run, tmp_path, metric, value, reason):
    record = record_of(run, "distance/digits-digits/energy")
    record.measure(metric, value, pair=0)
    path = tmp_path / "record.json"
    path.write_text(record.model_dump_json())
    with pytest.raises(InputError, match=re.escape(reason)):
        read_record(path)
