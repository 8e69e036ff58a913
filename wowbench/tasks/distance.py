"""Distances between labelled datasets, measured on the same pairs of subsets."""

from __future__ import annotations

from itertools import combinations
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from wowbench.datasets.base import Dataset, DatasetEntry
from wowbench.datasets.subsets import Sizes
from wowbench.distances.base import Distance as LabelledDistance
from wowbench.distances.base import DistanceEntry
from wowbench.distances.otdd import OTDD
from wowbench.distances.sliced import Directions
from wowbench.errors import InputError
from wowbench.graph import Graph
from wowbench.names import unique
from wowbench.parameters import Count, Repeats
from wowbench.registry import TASKS
from wowbench.seeding import derive_seed
from wowbench.settings import distance_columns
from wowbench.tasks.base import Size, Task, require_one_shape

MOST = 100
"""Datasets, distances and numbers of directions of an experiment, each."""


@TASKS.register
class Distance(Task):
    """Measure distances between pairs of labelled datasets, the same pairs for all distances.

    "within" compares disjoint subsets of one dataset with each other, for the correlation of
    distances with a reference; "between" compares the datasets with each other.

    Parameters
    ----------
    datasets : list of datasets
        Datasets whose training particles are compared.
    mode : {"within", "between"}
        Subsets of each dataset, or all pairs of datasets.
    distances : list of distances
        What is measured.
    reference : distance
        What all others are compared with; it is measured too.
    directions : list of int
        Numbers of directions, with each of which all `distances` that draw are measured; where
        there is none, each has its own.
    pairs : int
        Number of pairs of subsets of each dataset, or of each two.
    sizes : (int, int)
        Smallest and largest number of particles of a subset "within", in all; as in the papers of
        s-OTDD and SWB by default. Classes are as large as it falls.
    per_class : int
        Number of particles of each class of a subset "between".
    diagonal : bool
        Whether "between" compares disjoint subsets of each dataset as well.
    units : {"natural", "own"}
        Pixels in [0, 1], or standardised by each dataset's own training particles.
    """

    name: ClassVar[str] = "distance"
    summary: ClassVar[str] = "distances between labelled datasets, and how they agree"
    tables: ClassVar[tuple[str, ...]] = (
        "wowbench.results.tables.distance_correlation:DistanceCorrelation",
        "wowbench.results.tables.distance_values:DistanceValues",
    )
    figures: ClassVar[tuple[str, ...]] = (
        "wowbench.figures.distance_correlation:DistanceCorrelation",
        "wowbench.figures.distance_heatmap:DistanceHeatmap",
        "wowbench.figures.distance_cost:DistanceCost",
    )
    has_published_scores: ClassVar[bool] = True
    axis_fields: ClassVar[frozenset[str]] = Task.axis_fields | {
        *("datasets", "distances", "directions", "pairs", "diagonal")
    }

    datasets: list[DatasetEntry] = Field(min_length=1, max_length=MOST)
    mode: Literal["within", "between"] = "within"
    distances: list[DistanceEntry] = Field(min_length=1, max_length=MOST)
    reference: DistanceEntry = OTDD()
    directions: list[Directions] = Field([], max_length=MOST)
    pairs: Repeats = 20
    sizes: Sizes = (5000, 10_000)
    per_class: Count = 100
    diagonal: bool = False
    units: Literal["natural", "own"] = "natural"

    @field_validator("distances", "directions")
    @classmethod
    def _check_different(cls, values: list) -> list:
        for first, second in combinations(values, 2):
            if first == second:
                said = getattr(first, "name", first)
                raise ValueError(f"{said} comes twice, with equal parameters; leave one out")
        return values

    @model_validator(mode="after")
    def _check_datasets(self) -> Distance:
        unique("datasets", [dataset.slug for dataset in self.datasets])
        for source, target in self.dataset_pairs():
            require_one_shape(source, target)
        return self

    def dataset_pairs(self) -> list[tuple[Dataset, Dataset]]:
        """List the pairs of datasets whose subsets are compared.

        Raises
        ------
        ValueError
            If there is none.
        """
        same = [(dataset, dataset) for dataset in self.datasets]
        if self.mode == "within":
            return same
        pairs = [*combinations(self.datasets, 2), *(same if self.diagonal else ())]
        if not pairs:
            raise ValueError(
                f"datasets has only {self.datasets[0].label}; expected two or more, or `diagonal`"
            )
        return pairs

    def measured(self) -> dict[str, LabelledDistance]:
        """List what is measured: the reference, then `distances`, each with all `directions`.

        Returns
        -------
        dict of str to Distance
            By a name for paths, in which a number follows where one comes again.
        """
        found = {self.reference.name: self.reference}
        for distance in self.distances:
            for one in self._with_directions(distance):
                if one in found.values():
                    continue
                name = one.name
                if one is not distance:
                    name = f"{name}-directions{one.n_directions}"
                number = sum(known == name or known.startswith(f"{name}-v") for known in found)
                found[f"{name}-v{number + 1}" if number else name] = one
        return found

    def _with_directions(self, distance: LabelledDistance) -> list[LabelledDistance]:
        if not (distance.stochastic and self.directions):
            return [distance]
        return [distance.model_copy(update={"n_directions": n}) for n in self.directions]

    def build(self, graph: Graph) -> None:
        """Ask for each distance between each two datasets."""
        for source, target in self.dataset_pairs():
            for name, distance in self.measured().items():
                self._check(distance, source, target)
                graph.distance(
                    f"{self.label}/{source.slug}-{target.slug}/{name}",
                    distance,
                    source,
                    target,
                    axes={
                        "task": self.name,
                        "experiment": self.label,
                        "source": source.label,
                        "target": target.label,
                        "method": distance.name,
                        # Where classes are as large as it falls, there is no number per class.
                        "k": self.per_class if self.mode == "between" else 0,
                        "flow_seed": 0,
                    },
                    # The distance is left out of all seeds: all of them see the same subsets.
                    subsets={
                        "pairs": self.pairs,
                        **self._size_of_subsets(),
                        "source_seed": derive_seed(graph.seed, "subsets", source.slug),
                        "target_seed": derive_seed(graph.seed, "subsets", target.slug),
                    },
                    units=self.units,
                    seed=derive_seed(graph.seed, "directions", source.slug, target.slug),
                    columns=distance_columns(self, distance, source, target),
                )

    def _size_of_subsets(self) -> dict[str, Any]:
        if self.mode == "within":
            return {"sizes": list(self.sizes)}
        return {"per_class": self.per_class}

    def _check(self, distance: LabelledDistance, source: Dataset, target: Dataset) -> None:
        """Refuse subsets that the distance is not defined for, where the config tells them."""
        known = (source.n_classes, target.n_classes, source.shape, target.shape)
        if self.mode == "within" or None in known:
            return
        sizes = ([self.per_class] * side.n_classes for side in (source, target))
        try:
            distance.check(*sizes, source.shape, target.shape)
        except InputError as error:
            raise InputError(
                f"experiment {self.label!r}, {source.label} and {target.label}: {error}"
            ) from None

    def listing(self) -> tuple[str, ...]:
        """List the reports of its mode, and costs where what they depend on varies."""
        correlation, values = self.tables
        scatter, heatmap, cost = self.figures
        within = self.mode == "within"
        varies = len(self.directions) > 1 or (within and self.sizes[0] < self.sizes[1])
        matrix = [heatmap] if len(self.dataset_pairs()) > 1 else []
        own = [correlation, scatter] if within else [values, *matrix]
        return (*own, *([cost] if varies else ()), *self.reports)

    def size(self) -> Size:
        """One job for each distance between each two datasets."""
        return Size(distances=len(self.dataset_pairs()) * len(self.measured()))

    def settings(self) -> dict[str, Any]:
        """All parameters but the size of subsets of the other mode."""
        settings = super().settings()
        del settings["per_class" if self.mode == "within" else "sizes"]
        return settings

    @classmethod
    def published_settings(cls) -> dict[str, Any]:
        """Return the sizes of subsets, of which alone published correlations tell."""
        return {"sizes": list(cls.model_fields["sizes"].default)}
