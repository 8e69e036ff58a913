"""Labels by clustering: what they are, how pure, and clusters that cannot be."""

import doctest
import json
from typing import ClassVar

import numpy as np
import pytest

from wowbench.cli import main
from wowbench.config import load_config
from wowbench.datasets import clustered
from wowbench.datasets.base import Dataset, LabelledParticles
from wowbench.datasets.clustered import Clustered
from wowbench.datasets.digits import Digits
from wowbench.datasets.mnist import MNIST
from wowbench.datasets.prepared import read_prepared
from wowbench.datasets.rings import Rings
from wowbench.datasets.splits import draw_per_class
from wowbench.errors import InputError
from wowbench.parameters import FromRegistry, defining_modules
from wowbench.registry import DATASETS
from wowbench.results.records import read_record


class Heaps(Dataset):
    """Points in heaps far apart; the given class of a point has little to do with its heap."""

    name: ClassVar[str] = "heaps"
    sizes: tuple[int, ...] = (30, 20, 5)
    width: float = 0.1

    @property
    def shape(self):
        return (2,)

    def load(self, split, data_root=None):
        rng = np.random.default_rng(split == "test")
        heaps = np.repeat(np.arange(len(self.sizes)), self.sizes)
        order = rng.permutation(len(heaps))
        points = np.stack([10 * heaps, -3 * heaps], axis=1) + self.width * rng.normal(
            size=(len(heaps), 2)
        )
        labels = np.where(np.arange(len(heaps)) % 5 == 0, 1, 0)
        return LabelledParticles(
            points[order].astype(np.float32), labels[order], ("a", "b"), self.name, split
        )


def heap_of(points):
    return np.rint(points[:, 0] / 10).astype(int)


def same_partition(one, other):
    pairs = set(zip(one.tolist(), other.tolist(), strict=True))
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


@pytest.mark.parametrize("seed", [0, 1])
def test_labels_are_the_heaps_in_both_splits(seed):
    dataset = Clustered(of=Heaps(), n_clusters=3, seed=seed)
    train, test = (dataset.load(split) for split in ("train", "test"))
    assert same_partition(train.labels, heap_of(train.particles))
    points = np.concatenate([train.particles, test.particles])
    assert same_partition(np.concatenate([train.labels, test.labels]), heap_of(points))
    assert train.classes == ("cluster 0", "cluster 1", "cluster 2")
    assert np.array_equal(train.particles, Heaps().load("train").particles)


def test_purity_is_the_share_of_the_commonest_class():
    # Of each heap a fifth is of class b: 6 of 30, 4 of 20, 1 of 5.
    part = Clustered(of=Heaps(), n_clusters=3).load("train")
    assert part.measured == {"purity": pytest.approx(44 / 55)}
    found = doctest.testmod(clustered)
    assert (found.failed, found.attempted) == (0, 1)


def test_a_label_is_that_of_the_nearest_mean_of_the_training_images():
    dataset = Clustered(of=Digits(), n_clusters=10)
    train, test = (dataset.load(split) for split in ("train", "test"))
    vectors = train.particles.reshape(len(train), -1).astype(float)
    means = np.stack([vectors[train.labels == c].mean(0) for c in range(10)])
    for part in (train, test):
        distances = ((part.particles.reshape(len(part), 1, -1) - means) ** 2).sum(2)
        chosen = np.take_along_axis(distances, part.labels[:, None], 1)[:, 0]
        # k-means stops when the means have all but come to rest.
        assert (chosen <= distances.min(1) * 1.02).all()
    # Digits are known to cluster well; a tenth would be guessing.
    assert 0.6 < train.measured["purity"] < 0.95
    assert dataset.shape == train.shape == (1, 8, 8)


def test_a_preparation_records_the_purity_of_both_splits(tmp_path):
    dataset = {"name": "clustered", "of": {"name": "digits"}, "n_clusters": 12}
    spec, out, record = {"dataset": dataset, "axes": {}}, tmp_path / "data", tmp_path / "record"
    arguments = ["--spec", json.dumps(spec), "--out", str(out), "--record", str(record)]
    assert main(["prepare", *arguments]) == 0
    rows = [row.model_dump() for row in read_record(record).measurements]
    assert [(row["metric"], row["split"]) for row in rows] == [
        ("purity", "train"),
        ("purity", "test"),
    ]
    prepared = read_prepared(out)
    given = [Digits().load(split).labels for split in ("train", "test")]
    for row, part, labels in zip(rows, (prepared.train, prepared.test), given, strict=True):
        pure = sum(np.bincount(labels[part.labels == c]).max(initial=0) for c in range(12))
        assert row["value"] == pytest.approx(pure / len(labels))


def test_a_cluster_that_stays_empty_is_one_line():
    dataset = Clustered(of=Heaps(width=0), n_clusters=4)
    with pytest.raises(InputError, match=r"cluster 3 of 4 is empty, k-means found 3 in heaps, tr"):
        dataset.load("test")


def test_more_clusters_than_particles_are_one_line():
    with pytest.raises(InputError, match=r"heaps, train split has 55 points; expected at least 56"):
        Clustered(of=Heaps(), n_clusters=56).load("train")


def test_a_cluster_too_small_for_a_draw_is_one_line():
    part = Clustered(of=Heaps(), n_clusters=3).load("train")
    small = np.bincount(part.labels).argmin()
    with pytest.raises(InputError, match=rf"class {small} \('cluster {small}'\) has 5 points, and"):
        draw_per_class(part, 6, seed=0)


def test_it_says_whose_clusters_it_has_and_whether_these_are_bundled():
    dataset = Clustered(of=MNIST(bundled=True))
    assert (dataset.label, dataset.slug) == ("MNIST-clusters", "MNIST-clusters-bundled")
    assert dataset.bundled
    assert Clustered(of=MNIST()).slug == "MNIST-clusters"
    assert Clustered(of=MNIST(id="mine"), id="other").label == "other"
    assert Clustered(of=Rings()).has_one_split
    assert dataset.fingerprint() == MNIST(bundled=True).fingerprint()
    entry = FromRegistry(DATASETS)
    assert entry.build(entry.dump(dataset)) == dataset
    # A change of either file prepares it anew.
    assert defining_modules(dataset) == (Clustered.__module__, MNIST.__module__)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "of: this key is required and missing"),
        ({"of": "MINST"}, "of: unknown dataset 'MINST'; did you mean 'MNIST'"),
        ({"of": {"name": "MNIST", "sise": 1}}, "of: MNIST: unknown key 'sise'"),
        ({"of": "digits", "n_clusters": 1}, "n_clusters: got 1"),
        ({"of": "MNIST", "bundled": True}, "bundled is true and that of `of` is not"),
        ({"of": "digits", "id": "MNIST"}, "id 'MNIST' is the name of another dataset"),
    ],
)
def test_refuses_bad_parameters(values, message):
    with pytest.raises(InputError, match=f"^clustered: {message}"):
        Clustered.parse(values, "clustered")


def test_a_config_may_have_it():
    source = {"name": "clustered", "of": {"name": "digits", "image_size": 28}}
    experiment = {"task": "transfer", "source": source, "methods": ["train_on_target"]}
    experiment["targets"] = [{"name": "digits", "image_size": 28}]
    (task,) = load_config({"name": "clusters", "experiments": [experiment]}).experiments
    assert task.source.of == Digits(image_size=28)
