"""The train job: what it is trained on, what it writes, and what it refuses."""

import json
from pathlib import Path

import pytest
import torch

from wowbench.cli import BAD_INPUT
from wowbench.errors import InputError
from wowbench.evaluation.classifier import ClassifierTraining, read_classifier
from wowbench.evaluation.networks import NETWORKS
from wowbench.jobs.drawn import read_draw
from wowbench.results.records import read_record

CONFIG = {
    "name": "tiny",
    "experiments": [
        {
            "task": "adaptation",
            "sources": [{"name": "digits", "id": "others"}],
            "target": "digits",
            "images_per_class": 3,
            "flows": 1,
            "snapshot_every": 1,
            "methods": [{"name": "mmdsw", "steps": 2, "n_directions": 3}],
            "classifier": {"network": "convnet", "steps": 2, "batch_size": 7},
        }
    ],
}


@pytest.fixture
def run(run_of):
    """A run whose datasets are prepared."""
    run = run_of(CONFIG)
    run.run("prepare")
    return run


@pytest.fixture
def trainings(monkeypatch):
    """What each training is given, and the networks that it gives."""
    seen, train = [], ClassifierTraining.train

    def seeing(self, particles, labels, n_classes, **options):
        trained = train(self, particles, labels, n_classes, **options)
        seen.append((particles, labels, trained.networks))
        return trained

    monkeypatch.setattr(ClassifierTraining, "train", seeing)
    return seen


def changed(run, verb, training=None, **changes):
    """Run the only job of a verb with some of its spec changed; its exit status."""
    name = run.name(verb)
    spec = json.loads(run.plan.spec(verb, name)) | changes
    if training is not None:
        spec["training"] |= training
    return run.job(verb, name, spec=json.dumps(spec))


def classifier_of(run):
    return Path(run.plan.job("train", run.name("train")).outputs["classifier"])


@pytest.mark.parametrize("units", ["natural", "target", "own"])
@pytest.mark.parametrize("k", [2, None])
def test_it_is_trained_on_the_target_particles_of_a_draw_of_the_same_numbers(
    run, trainings, k, units
):
    assert changed(run, "train", k=k, units=units) == 0
    assert changed(run, "draw", k=k, units=units) == 0
    ((particles, labels, _),) = trainings
    drawn = read_draw(Path(run.plan.job("draw", run.name("draw")).outputs["draw"]))
    target = drawn.space.enter(drawn.target)
    assert particles.equal(target.flatten(0, 1))
    assert labels.tolist() == [c for c in range(10) for _ in range(target.shape[1])]


@pytest.mark.parametrize("network", ["convnet", "adaptation_cnn"])
def test_the_file_read_back_gives_the_same_logits(run, trainings, network):
    assert changed(run, "train", {"network": network}) == 0
    ((particles, _, (trained,)),) = trainings
    classifier = read_classifier(classifier_of(run))
    assert isinstance(classifier.network, NETWORKS[network])
    assert classifier.image_shape == (1, 8, 8)
    with torch.no_grad():
        assert classifier.network(particles).equal(trained.eval()(particles))
    record = read_record(Path(run.plan.record("train", run.name("train"))))
    assert record.outputs == {"classifier": classifier.digest}
    assert record.inputs.keys() == {"target"}


def test_a_seed_fixes_the_file(run):
    digests = []
    for seed in (1, 1, 2):
        assert changed(run, "train", seed=seed) == 0
        digests.append(read_classifier(classifier_of(run)).digest)
    assert digests[0] == digests[1] != digests[2]


def test_the_file_of_another_job_is_refused(run):
    spec = run.plan.job("train", run.name("train")).spec
    run.run("train")
    assert read_classifier(classifier_of(run), spec)
    with pytest.raises(InputError, match=r"made with k = 3, expected 4; remove it and run its tra"):
        read_classifier(classifier_of(run), spec | {"k": 4})


@pytest.mark.parametrize(
    ("training", "changes", "message"),
    [
        (
            {"network": "lenet5"},
            {},
            "target digits has images of 8 x 8 pixels, and network 'lenet5' needs at least 28 x 28",
        ),
        ({}, {"k": 10**5}, "and 100000 per class are"),
        (
            {"lr": 1e38, "steps": 50},
            {},
            "network 'convnet': the training with seed 1 diverged: its loss is not finite at step",
        ),
    ],
)
def test_what_it_cannot_be_trained_on_or_with_is_named(run, capsys, training, changes, message):
    assert changed(run, "train", training, seed=1, **changes) == BAD_INPUT
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not classifier_of(run).exists()
    assert not Path(run.plan.record("train", run.name("train"))).exists()
