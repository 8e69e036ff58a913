"""What distances that are means over random directions share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

from pydantic import Field

from wowbench.distances.base import Distance, Estimate

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Directions = Annotated[int, Field(ge=2, le=10**6)]
"""Number of directions: one alone says nothing of its error."""

PROJECTIONS_PER_BLOCK = 1 << 22
"""Projections of both datasets that are held at a time: 16 MB in float32."""

CACHED = 1 << 18
"""Numbers that are gone through several times at once: a processor's cache holds them."""


class Sliced(Distance):
    """A distance that averages over directions.

    Parameters
    ----------
    n_directions : int
        Number L of independent directions.
    """

    stochastic: ClassVar[bool] = True

    n_directions: Directions = 1000


class Side(NamedTuple):
    """One dataset, as labelled projections take it."""

    points: Tensor
    """Points ``(N, d)``, class after class."""
    sizes: list[int]
    """Points of each class."""
    extras: Any = None
    """What a distance has found of the classes beforehand."""


class LabelledProjections(Sliced):
    r"""A distance that compares all points of both datasets on lines, each with its label.

    Along direction l the point x of class c is at

    .. math:: z(x) = \psi_1 \langle\theta_l, x\rangle + \lambda_l(\mu_c) ,

    where the number :math:`\lambda_l(\mu_c)` stands for the class, and the distance is the mean
    over L of :math:`W_2^2` between the z of all points of one and of the other dataset, which have
    equal weights. Memory is linear in the number of points.
    """

    @abstractmethod
    def draw(self, dim: int, like: Tensor, generator: torch.Generator) -> NamedTuple:
        """Draw all that the directions have at random, before anything is projected.

        Parameters
        ----------
        dim : int
            Number d of features.
        like : Tensor
            Gives dtype and device.
        generator : torch.Generator

        Returns
        -------
        NamedTuple
            Tensors with a leading axis of `n_directions`, among them `theta`, unit vectors
            ``(L, d)``, and `psi`, ``(L, ...)``, of which the first is the weight of the features.
        """

    @abstractmethod
    def embed(self, projections: Tensor, side: Side, drawn: NamedTuple) -> tuple[Tensor, Tensor]:
        """Find the numbers that stand for the classes.

        Parameters
        ----------
        projections : Tensor
            ``(L', N)``; may be overwritten.
        side : Side
            The dataset.
        drawn : NamedTuple
            As `draw`, of the L' directions.

        Returns
        -------
        projections : Tensor (L', N)
            In any order within each class.
        labels : Tensor (L', C)
        """

    def sides(self, a: list[Tensor], b: list[Tensor]) -> tuple[Side, Side]:
        """Both datasets, with what `embed` needs of the classes."""
        import torch

        return tuple(Side(torch.cat(x), [len(points) for points in x]) for x in (a, b))

    def estimate(  # noqa: D102
        self, a: list[Tensor], b: list[Tensor], generator: torch.Generator
    ) -> Estimate:
        import torch

        from wowbench.geometry.sorting import sort_values

        drawn = self.draw(a[0].shape[1], a[0], generator)
        sides = self.sides(a, b)
        n_points = sum(len(side.points) for side in sides)
        height = max(1, PROJECTIONS_PER_BLOCK // n_points)
        # Blocks share their memory: the pages of new memory take the system some time for each.
        rooms = [a[0].new_empty(min(height, len(drawn.theta)), len(side.points)) for side in sides]
        few = max(1, CACHED // n_points)
        values = []
        for part in blocks(drawn, height):
            x, y = (
                sort_values(self._on_lines(side, part, room[: len(part.theta)]), overwrite=True)
                for side, room in zip(sides, rooms, strict=True)
            )
            values += [line_costs(*rows) for rows in zip(x.split(few), y.split(few), strict=True)]
        return mean_estimate(torch.cat(values))

    def _on_lines(self, side: Side, drawn: NamedTuple, room: Tensor) -> Tensor:
        """Place all points of a dataset on the lines: z, ``(L', N)``, in the memory of `room`."""
        import torch

        torch.mm(drawn.theta, side.points.T, out=room)
        projections, labels = self.embed(room, side, drawn)
        projections.mul_(drawn.psi[:, :1])
        for points, label in zip(projections.split(side.sizes, 1), labels.T, strict=True):
            points.add_(label[:, None])
        return projections


def blocks(drawn: NamedTuple, height: int) -> Iterator[NamedTuple]:
    """Split all tensors of a draw into blocks of at most `height` directions."""
    for parts in zip(*(tensor.split(height) for tensor in drawn), strict=True):
        yield type(drawn)(*parts)


def unit_vectors(n: int, dim: int, like: Tensor, generator: torch.Generator) -> Tensor:
    """Draw n vectors ``(n, dim)``, uniform on the sphere, of the dtype and device of `like`."""
    from wowbench.geometry.directions import sample_directions

    return sample_directions(n, dim, generator=generator, device=like.device, dtype=like.dtype)


def line_costs(x: Tensor, y: Tensor, p: int = 2) -> Tensor:
    """W_p^p between rows of sorted atoms of equal mass, ``(L, N)`` and ``(L, M)``: ``(L,)``."""
    from wowbench.geometry.quantiles import merge_uniform

    n, m = x.shape[1], y.shape[1]
    if n == m:
        gaps, widths = x - y, None
    else:
        widths, i, j = merge_uniform(n, m, x.device)
        gaps = x[:, i] - y[:, j]
    powers = gaps.square_() if p == 2 else gaps.abs_()
    return powers.mean(1) if widths is None else powers @ widths.to(x.dtype)


def mean_estimate(values: Tensor) -> Estimate:
    """Mean of independent values ``(L,)``, with its standard error."""
    values = values.double()
    return Estimate(float(values.mean()), float(values.std()) / len(values) ** 0.5)
