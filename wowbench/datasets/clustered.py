"""Datasets with labels by clustering, as for who has images and no labels."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import Field, model_validator

from wowbench.datasets.base import Dataset, LabelledParticles, Split, check_split
from wowbench.errors import InputError
from wowbench.parameters import FromRegistry, Seed, check_id
from wowbench.registry import DATASETS

if TYPE_CHECKING:
    from sklearn.cluster import KMeans


class _Inner(FromRegistry):
    """Any dataset; its JSON schema leaves out their parameters, or it would hold itself."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict:
        named = {"enum": self.registry.names()}
        mapping = {"type": "object", "properties": {"name": named}, "required": ["name"]}
        return {"anyOf": [named, mapping]}


@DATASETS.register
class Clustered(Dataset):
    """Another dataset whose labels are numbers of clusters, found by k-means.

    Clusters are those of the training particles, compared by their values; a test particle has the
    label of the nearest centre. The given labels play no part but in the metric "purity": the
    share of particles that are of the commonest given class in their cluster.

    Parameters
    ----------
    of : dataset
        The dataset; where it is bundled, this one is.
    n_clusters : int
        Number of clusters.
    seed : int
        Seed of the centres that k-means starts from (k-means++, once).
    """

    name: ClassVar[str] = "clustered"
    summary: ClassVar[str] = "another dataset whose labels are numbers of k-means clusters"
    licence: ClassVar[str] = "that of the clustered dataset"
    metrics: ClassVar[dict[str, tuple[float, float]]] = {"purity": (0.0, 1.0)}

    of: Annotated[Dataset, _Inner(DATASETS)]
    n_clusters: Annotated[int, Field(ge=2, le=10**4)] = 10
    seed: Seed = 0

    @model_validator(mode="after")
    def _check_id_and_bundled(self) -> Clustered:
        check_id(self.id, self.name, DATASETS)
        if self.bundled and not self.of.bundled:
            raise ValueError("bundled is true and that of `of` is not; set it there")
        object.__setattr__(self, "bundled", self.of.bundled)
        return self

    @property
    def label(self) -> str:
        """Name in results: `id` where given, else that of the dataset with "-clusters"."""
        return self.id or f"{self.of.label}-clusters"

    @property
    def has_one_split(self) -> bool:
        """As of the dataset."""
        return self.of.has_one_split

    @property
    def shape(self) -> tuple[int, ...] | None:
        """As of the dataset."""
        return self.of.shape

    @property
    def n_classes(self) -> int:
        """One per cluster."""
        return self.n_clusters

    def load(self, split: Split, data_root: Path | None = None) -> LabelledParticles:
        """Read a split, and label it by the clusters of the training particles."""
        check_split(split)
        train = self.of.load("train", data_root)
        part = train if split == "train" else self.of.load(split, data_root)
        labels = self._clusters(train, part)
        return LabelledParticles(
            particles=part.particles,
            labels=labels,
            classes=tuple(f"cluster {i}" for i in range(self.n_clusters)),
            dataset=self.label,
            split=split,
            bundled=self.bundled,
            measured={"purity": purity(labels, part.labels)},
        )

    def fingerprint(self, data_root: Path | None = None) -> str:
        """As of the dataset."""
        return self.of.fingerprint(data_root)

    def _clusters(self, train: LabelledParticles, part: LabelledParticles) -> np.ndarray:
        """Cluster of each particle of `part`, int64, shape (N,)."""
        from threadpoolctl import threadpool_limits

        if len(train) < self.n_clusters:
            raise InputError(
                f"{self.label}: {train} has {len(train)} {train.noun}; expected at least "
                f"{self.n_clusters}, its `n_clusters`"
            )
        # With more threads, sums depend on their number.
        with threadpool_limits(1):
            centres = self._fit(_vectors(train))
            sizes = np.bincount(centres.labels_, minlength=self.n_clusters)
            if sizes.min() == 0:
                raise InputError(
                    f"{self.label}: cluster {sizes.argmin()} of {self.n_clusters} is empty, "
                    f"k-means found {np.count_nonzero(sizes)} in {train}; choose fewer `n_clusters`"
                )
            return centres.predict(_vectors(part)).astype(np.int64)

    def _fit(self, vectors: np.ndarray) -> KMeans:
        from sklearn.cluster import KMeans
        from sklearn.exceptions import ConvergenceWarning

        bits = np.random.MT19937(np.random.SeedSequence(self.seed))
        means = KMeans(self.n_clusters, n_init=1, random_state=np.random.RandomState(bits))
        with warnings.catch_warnings():
            # Of fewer different vectors than clusters, which leave some of these empty.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return means.fit(vectors)


def purity(clusters: np.ndarray, labels: np.ndarray) -> float:
    """Share of particles that are of the commonest class in their cluster.

    ``sum_c max_j N_cj / N`` with the number ``N_cj`` of particles of class j in cluster c
    (Manning, Raghavan and Schütze 2008, Section 16.3).

    Parameters
    ----------
    clusters, labels : numpy.ndarray, int64, shape (N,)
        Cluster and class of each particle.

    Examples
    --------
    >>> purity(np.array([0, 0, 0, 1]), np.array([5, 5, 3, 3]))
    0.75
    """
    counts = np.zeros((clusters.max() + 1, labels.max() + 1), np.int64)
    np.add.at(counts, (clusters, labels), 1)
    return float(counts.max(1).sum() / len(labels))


def _vectors(labelled: LabelledParticles) -> np.ndarray:
    """Particles as vectors of float32, shape (N, d)."""
    return labelled.particles.reshape(len(labelled), -1).astype(np.float32)
