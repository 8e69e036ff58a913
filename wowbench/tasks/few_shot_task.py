"""Tasks of few labelled target images, helped by a flowed source dataset."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from wowbench.datasets.base import Dataset, DatasetEntry
from wowbench.errors import shown
from wowbench.names import unique
from wowbench.parameters import Count
from wowbench.seeding import derive_seed
from wowbench.tasks.base import Cell, Draw, FlowTask, require_one_shape


def require_different(values: list) -> list:
    """Return a list of a config whose entries differ.

    Raises
    ------
    ValueError
        If two are equal.
    """
    if len(set(values)) < len(values):
        raise ValueError(f"got {shown(values)}; expected different ones")
    return values


class FewShotTask(FlowTask):
    """Base of tasks in which k labelled images per class of a target are known.

    Parameters
    ----------
    source : dataset
        Dataset that is moved.
    targets : list of datasets
        Datasets that it is moved onto.
    shots : list of int
        Numbers k of labelled target images per class.
    images_per_class : int
        Number n of source images per class.
    spread : {"per_flow", "fixed"}
        Whether each flow draws its own source images and shots, or all share the first flow's
        (as the paper's standard deviations do).
    """

    has_published_scores: ClassVar[bool] = True
    takes_target_alone: ClassVar[bool] = True
    axis_fields: ClassVar[frozenset[str]] = FlowTask.axis_fields | {"source", "targets", "shots"}

    source: DatasetEntry
    targets: list[DatasetEntry] = Field(min_length=1)
    shots: list[Count] = Field([1, 5, 10, 100], min_length=1)
    images_per_class: Count = 200
    spread: Literal["per_flow", "fixed"] = "per_flow"

    @field_validator("shots")
    @classmethod
    def _check_shots(cls, shots: list[int]) -> list[int]:
        return require_different(shots)

    @model_validator(mode="after")
    def _check_shapes(self) -> FewShotTask:
        unique("targets", [target.slug for target in self.targets])
        for target in self.targets:
            require_one_shape(self.source, target)
        return self

    def cells(self, seed: int) -> list[Cell]:
        """One cell for each target and k; shots of a smaller k are among those of a larger.

        Tasks that share the root seed, the datasets and n have the same draws.
        """
        return [self._cell(target, k, seed) for target in self.targets for k in self.shots]

    def cell_counts(self) -> list[tuple[int, int]]:
        """All methods solve each of them."""
        return [(len(self.targets) * len(self.shots), len(self.methods))]

    def _cell(self, target: Dataset, k: int, seed: int) -> Cell:
        draws = []
        for flow in range(self.flows):
            number = flow if self.spread == "per_flow" else 0
            draws.append(
                Draw(
                    source=self.source,
                    n=self.images_per_class,
                    source_seed=derive_seed(seed, "source", self.source.slug, number),
                    target=target,
                    k=k,
                    target_seed=derive_seed(seed, "shots", target.slug, number),
                )
            )
        axes = {
            "task": self.name,
            "source": self.source.label,
            "target": target.label,
            "k": k,
        }
        return Cell(
            f"{self.source.slug}-{target.slug}/k{k}", axes, tuple(draws), tuple(self.methods)
        )

    @classmethod
    def published_settings(cls) -> dict[str, Any]:
        """All defaults but the spread: scores take account of either."""
        settings = super().published_settings()
        del settings["spread"]
        return settings

    def test_dataset(self, draw: Draw) -> Dataset:
        """Return the target."""
        return draw.target
