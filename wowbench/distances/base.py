"""What a distance is: two labelled datasets in, a number with its Monte Carlo error out."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from wowbench.errors import InputError
from wowbench.parameters import Component, FromRegistry
from wowbench.registry import DISTANCES

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class Estimate:
    """Value of a distance.

    Attributes
    ----------
    value : float
        Squared distance. It is not clipped: by chance or by rounding it may be negative.
    error : float or None
        Monte Carlo standard error of `value`; None where there is none, as nothing was drawn.
    """

    value: float
    error: float | None = None


class Distance(Component):
    """Base of all distances between labelled datasets: one subclass per file.

    Attributes
    ----------
    name : str
        Name in configs.
    summary : str
        One line for ``wowbench list distances``.
    stochastic : bool
        Whether it draws: then it has a field `n_directions`, and an error of order
        ``n_directions ** -0.5``.
    equal_classes : bool
        Whether it is defined between as many classes only.
    bias : str
        Why a dataset may be at another distance than 0 from itself, in one line; empty where it is
        at 0.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    stochastic: ClassVar[bool]
    equal_classes: ClassVar[bool] = False
    bias: ClassVar[str] = ""

    @property
    def minimum_per_class(self) -> int:
        """Smallest number of points of a class."""
        return 1

    @property
    def minimum_dimension(self) -> int:
        """Smallest number of features."""
        return 1

    def check(
        self,
        sizes_a: Sequence[int],
        sizes_b: Sequence[int],
        shape_a: Sequence[int],
        shape_b: Sequence[int],
    ) -> None:
        """Refuse datasets that the distance is not defined for, before anything is computed.

        Parameters
        ----------
        sizes_a, sizes_b : sequence of int
            Numbers of points of each class of both datasets.
        shape_a, shape_b : sequence of int
            Shapes of a point of each.

        Raises
        ------
        InputError
            In one line.
        """
        for which, sizes in (("first", sizes_a), ("second", sizes_b)):
            if not sizes:
                raise self._refusal(f"the {which} dataset has no class; expected at least one")
            least = min(sizes)
            if least < self.minimum_per_class:
                number, points = list(sizes).index(least), "point" if least == 1 else "points"
                raise self._refusal(
                    f"class {number} of the {which} dataset has {least} {points}; expected at "
                    f"least {self.minimum_per_class}"
                )
        if tuple(shape_a) != tuple(shape_b):
            raise self._refusal(
                f"points of the second dataset have shape {tuple(shape_b)}; expected "
                f"{tuple(shape_a)}, that of the first"
            )
        if math.prod(shape_a) < self.minimum_dimension:
            raise self._refusal(
                f"points have {math.prod(shape_a)} features; expected at least "
                f"{self.minimum_dimension}"
            )
        if self.equal_classes and len(sizes_a) != len(sizes_b):
            raise self._refusal(
                f"the second dataset has {len(sizes_b)} classes; expected {len(sizes_a)}, as many "
                "as the first"
            )

    def measure(
        self, a: Sequence[Tensor], b: Sequence[Tensor], generator: torch.Generator
    ) -> Estimate:
        """Measure the squared distance of two datasets.

        Parameters
        ----------
        a, b : sequence of C and C' tensors (n_c, d)
            Points of each class, float32 or float64, on one device.
        generator : torch.Generator
            Source of randomness, on that device. The same state gives the same directions whatever
            the points are.

        Returns
        -------
        Estimate

        Raises
        ------
        InputError
            As `check`, or for points that are not finite, or so large that the result is not.
        """
        from wowbench.geometry.validation import check_classes, check_same_space

        a, b = list(a), list(b)
        sizes = [[len(points) for points in side] for side in (a, b)]
        shapes = [side[0].shape[1:] if side else () for side in (a, b)]
        self.check(*sizes, *shapes)
        if generator.device.type != a[0].device.type:
            raise self._refusal(
                f"the generator is on {generator.device}; expected {a[0].device}, where points are"
            )
        try:
            # Classes of one size come back as one tensor, which is a sequence of them too.
            a, b = list(check_classes("a", a)), list(check_classes("b", b))
            check_same_space("b", b, "a", a)
        except ValueError as error:
            raise self._refusal(str(error)) from None
        estimate = self.estimate(a, b, generator)
        if not math.isfinite(estimate.value):
            raise self._refusal(f"the result is {estimate.value}; expected features of order 1")
        return estimate

    @abstractmethod
    def estimate(self, a: list[Tensor], b: list[Tensor], generator: torch.Generator) -> Estimate:
        """Measure the squared distance of datasets that are fit for it: see `measure`."""

    def _refusal(self, reason: str) -> InputError:
        return InputError(f"distance {self.name!r}: {reason}")


DistanceEntry = Annotated[Distance, FromRegistry(DISTANCES)]
"""A field that holds a distance: in a config its name, or a mapping with name and parameters."""
