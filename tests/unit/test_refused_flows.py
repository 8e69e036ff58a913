"""What generation and adaptation refuse in one line before any flow, and what they allow."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wowbench.cli import BAD_INPUT
from wowbench.errors import InputError
from wowbench.jobs.flowed import read_flow
from wowbench.plan import Plan
from wowbench.results.records import read_record
from wowbench.results.scores import gather_scores, write_scores
from wowbench.results.tables.adaptation_accuracy import AdaptationAccuracy

METHOD = {"name": "mmdsw", "steps": 6, "n_directions": 3}
CLASSIFIER = {"network": "convnet", "steps": 2, "batch_size": 16}


def adaptation(**changes):
    experiment = {"task": "adaptation", "sources": [{"name": "digits", "id": "one"}]}
    experiment |= {"target": "digits", "images_per_class": 2, "snapshot_every": 3, "flows": 1}
    experiment |= {"methods": [METHOD], "classifier": CLASSIFIER}
    return {"name": "tiny", "experiments": [experiment | changes]}


def generation(**changes):
    experiment = {"task": "generation", "source": {"name": "digits", "id": "one"}}
    experiment |= {"targets": ["digits"], "images_per_class": 2, "flows": 1, "methods": [METHOD]}
    return {"name": "tiny", "experiments": [experiment | changes]}


def noise(classes, size=8):
    return {
        "name": "gaussian",
        "id": "noise",
        "dimensions": [1, size, size],
        "n_blocks": classes,
        "per_class": 4,
    }


def folder(path, size=None, classes="abcdefghij"):
    """A class folder of grey images of 8 x 8 pixels."""
    for split in ("train", "test"):
        for label in classes:
            place = path / split / label
            place.mkdir(parents=True, exist_ok=True)
            for i in range(3):
                Image.fromarray(np.full((8, 8), 9 * i, np.uint8)).save(place / f"{i}.png")
    found = {"name": "folder", "id": path.name, "path": str(path), "channels": 1}
    return found if size is None else found | {"image_size": size}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            generation(snapshots=[0, 7]),
            "snapshots has 7, and method 'mmdsw' takes 6 steps; expected at most 6",
        ),
        (
            adaptation(snapshot_every=7),
            "snapshot_every is 7, and the longest flow takes 6 steps; expected at most 6",
        ),
        (
            adaptation(sources=[noise(10, size=9)]),
            "noise has particles of shape (1, 9, 9) and digits of shape (1, 8, 8); they must be "
            "equal",
        ),
        (
            generation(source=noise(10, size=9)),
            "noise has particles of shape (1, 9, 9) and digits of shape (1, 8, 8); they must be "
            "equal",
        ),
        (
            adaptation(test={"name": "digits", "id": "other", "image_size": 9}),
            "other has particles of shape (1, 9, 9) and digits of shape (1, 8, 8); they must be "
            "equal",
        ),
        (
            adaptation(classifier={"network": "lenet5"}),
            "target digits has images of 8 x 8 pixels, and the evaluation needs at least 28 x 28",
        ),
        (
            adaptation(
                sources=[{"name": "gaussian", "id": "spot"}],
                target={"name": "gaussian", "id": "points"},
            ),
            "target points has points of shape (2,), and the evaluation needs images of at least "
            "8 x 8 pixels",
        ),
        (
            generation(methods=[METHOD | {"kernel": {"name": "gaussian", "h": -1}}]),
            "kernel: gaussian: h: got -1 (int); Input should be greater than or equal to 1e-20",
        ),
        (
            generation(methods=[METHOD | {"kernel": {"name": "riesz", "r": 2}}]),
            "kernel: riesz: r: got 2 (int); Input should be less than 2",
        ),
    ],
)
def test_a_config_that_tells_it_is_refused_when_the_run_is_planned(config, message):
    with pytest.raises(InputError) as caught:
        Plan.load(config)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def refused(run, verb, capsys):
    """Run the jobs before a verb's; the one line with which the verb's first job ends."""
    if verb != "prepare":
        run.run("prepare")
    capsys.readouterr()
    name = next(iter(run.plan.jobs[verb]))
    assert run.job(verb, name) == BAD_INPUT
    assert not Path(run.plan.record(verb, name)).exists()
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_a_test_set_of_another_shape_is_refused_at_the_draw(run_of, tmp_path, capsys):
    target, test = folder(tmp_path / "target"), folder(tmp_path / "test", size=9)
    run = run_of(adaptation(target=target, test=test))
    line = refused(run, "draw", capsys)
    assert "test test has images of shape (1, 9, 9) and target target of shape (1, 8, 8)" in line


def test_a_test_set_of_other_classes_is_refused_at_the_draw(run_of, tmp_path, capsys):
    run = run_of(adaptation(test=folder(tmp_path / "test", classes="abc")))
    assert "test test has 3 classes and target digits has 10" in refused(run, "draw", capsys)


def test_images_that_are_too_small_for_the_network_are_refused_at_the_draw(
    run_of, tmp_path, capsys
):
    # Where only the files tell their size.
    source, target = folder(tmp_path / "source"), folder(tmp_path / "target")
    classifier = {"network": "lenet5"}
    run = run_of(adaptation(sources=[source], target=target, classifier=classifier))
    line = refused(run, "draw", capsys)
    assert "target target has images of 8 x 8 pixels, and the evaluation needs at" in line


def test_a_cluster_that_is_too_small_is_refused_at_the_draw(run_of, capsys):
    clusters = {"name": "clustered", "of": "digits", "n_clusters": 100}
    line = refused(run_of(adaptation(sources=[clusters], images_per_class=9)), "draw", capsys)
    found = re.search(r"class \d+ \('cluster \d+'\) has (\d+) images, and 9 per class are", line)
    assert int(found[1]) < 9


def test_a_clustering_that_leaves_a_cluster_empty_is_refused_when_it_is_prepared(
    run_of, tmp_path, capsys
):
    # Images of three kinds, which do not make four clusters.
    clusters = {"name": "clustered", "of": folder(tmp_path / "few"), "n_clusters": 4}
    line = refused(run_of(adaptation(sources=[clusters])), "prepare", capsys)
    assert re.search(r"cluster \d of 4 is empty, k-means found 3 in", line)


@pytest.mark.parametrize("classes", [5, 10, 12])
def test_any_number_of_source_classes_goes_through_adaptation(run_of, classes):
    run = run_of(adaptation(sources=[noise(classes)]))
    run.run()
    (flow,) = run.plan.jobs["flow"].values()
    trajectory, _ = read_flow(Path(flow.outputs["flow"]))
    assert list(trajectory.frames) == [0, 1, 4, 6]
    for frame in trajectory.frames.values():
        of_classes = frame.labels.reshape(classes, 2)
        assert (of_classes[:, 0] == of_classes[:, 1]).all()
        assert set(frame.labels.tolist()) <= set(range(10))
        if classes <= 10:
            assert len(of_classes[:, 0].unique()) == classes
    (name,) = run.plan.jobs["evaluate"]
    record = read_record(Path(run.plan.record("evaluate", name)))
    assert record.status == "ok"
    steps = [row.step for row in record.measurements if row.metric == "accuracy_at_step"]
    assert steps == [0, 1, 4, 6]


def test_what_was_scored_without_trainings_has_means_over_flows(run_of):
    run = run_of(adaptation(flows=2))
    run.run()
    scores = gather_scores(run.plan)
    write_scores(scores, Path("scores.csv"))
    assert scores.training_seed.isna().all()
    last = scores[scores.metric == "accuracy"].value
    table = AdaptationAccuracy().make(scores)
    assert table.step.tolist() == [6]
    assert table.flows.tolist() == [2]
    assert table["mean"].item() == pytest.approx(last.mean())
    assert table.error.item() == pytest.approx(np.ptp(last) / 2)


def test_fewer_and_more_source_classes_go_through_generation(run_of):
    for classes in (3, 12):
        run = run_of(generation(source=noise(classes)))
        run.run()
        scores = gather_scores(run.plan).set_index("metric").value
        assert scores["source_classes"] == classes
        assert 0 <= scores["whole_classes"] <= classes


def test_only_classes_that_stand_for_each_other_have_to_be_as_many():
    distillation = {"task": "distillation", "datasets": ["digits"], "images_per_class": [1]}
    distillation |= {"target_images": 4, "batch_size": 2, "methods": [METHOD], "flows": 1}
    config = {"name": "tiny", "experiments": [distillation]}
    jobs = Plan.load(config).jobs["draw"].values()
    assert all(job.spec["equal_classes"] for job in jobs)
    for free in (adaptation(), generation()):
        assert not any(j.spec["equal_classes"] for j in Plan.load(free).jobs["draw"].values())
