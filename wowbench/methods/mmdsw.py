"""MMDSW: the paper's flow of the MMD with a sliced-Wasserstein kernel."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from wowbench.kernels.base import Kernel
from wowbench.kernels.riesz import Riesz
from wowbench.methods.flow_method import Composition, SchemeField
from wowbench.methods.image_flow import ImageFlow
from wowbench.methods.problem import Pairing, Problem
from wowbench.parameters import Count, FromRegistry, Steps
from wowbench.registry import KERNELS, METHODS
from wowbench.schemes.polyak import Polyak

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.functionals.base import Functional

DirectionKind = Literal["gaussian", "orthogonal", "frame"]
"""See `wowbench.geometry.sample_directions`."""

DirectionCount = Count | Literal["frame"]
"""Number of directions of a step."""


@METHODS.register
class MMDSW(ImageFlow):
    """Flow of 1/2 MMD^2 with a kernel on the sliced-Wasserstein distance.

    Bonet, Vauthier and Korba (2025), Section 5; the defaults are those of Table 2 at k <= 10.

    Parameters
    ----------
    kernel : Kernel
        K(mu, nu) as a function of SW(mu, nu), with its parameters.
    quantiles : {"exact", "linear"}
        Exact one-dimensional optimal transport, or 100 interpolated percentiles.
    n_directions : int or "frame"
        Number L of directions drawn anew at each step; as many as dimensions for a whole frame.
    n_directions_end : int or "frame", optional
        Number of directions of the last of `steps` steps, to which that of the first one,
        `n_directions`, changes geometrically; all steps have as many by default. Such a flow is
        not captured as a CUDA graph, and takes longer a step on a GPU.
    directions : {"gaussian", "orthogonal", "frame"}
        Independent directions, blocks of orthonormal ones, or such blocks that in many dimensions
        take no factorisation: see `wowbench.geometry.sample_directions`.
    hull : bool
        Whether source images start from the nearest points of the affine hull of the target's
        images, where all of them are once the MMD is 0, and flow in coordinates of the hull: see
        `wowbench.geometry.AffineHull`.
    center : bool
        Whether the part of the classes' means of SW_2^2 is computed exactly, and directions see
        centred classes alone: see `wowbench.geometry.centred`. It takes exact quantiles and a
        kernel of SW_2.
    precision : {"tf32", "bf16"}, optional
        What the factors of products with the directions are rounded to, which is faster where the
        device multiplies such numbers: TF32 (a GPU alone) or bfloat16. By default nothing: the
        rounding is far below the noise between directions until a flow is close to its minimum,
        where it holds up the loss.
    """

    name: ClassVar[str] = "mmdsw"
    summary: ClassVar[str] = "flow of the MMD with a sliced-Wasserstein kernel (the paper's)"
    pairings: ClassVar[frozenset[Pairing]] = frozenset({"free", "by_number"})

    kernel: Annotated[Kernel, FromRegistry(KERNELS)] = Riesz()
    quantiles: Literal["exact", "linear"] = "exact"
    n_directions: DirectionCount = 500
    n_directions_end: DirectionCount | None = None
    directions: DirectionKind = "gaussian"
    hull: bool = False
    center: bool = False
    precision: Literal["tf32", "bf16"] | None = None

    @model_validator(mode="after")
    def _check_hull(self) -> MMDSW:
        if self.hull and (self.augmentation or self.embedding):
            given = "embedding" if self.embedding else "augmentation"
            raise ValueError(f"hull is true, and so is {given}, which leaves the hull; choose one")
        return self

    @model_validator(mode="after")
    def _check_center(self) -> MMDSW:
        if self.center and self.kernel.p != 2:
            raise ValueError(
                f"center is true, and kernel is {self.kernel.name!r}, which is one of "
                f"SW_{self.kernel.p}; choose a kernel of SW_2, or center false"
            )
        if self.center and self.quantiles != "exact":
            raise ValueError(
                f"center is true, and quantiles is {self.quantiles!r}; choose quantiles 'exact', "
                "or center false"
            )
        return self

    @property
    def concurrent(self) -> bool:
        """Not where products are in TF32, which torch switches on for a whole process."""
        return self.precision != "tf32"

    @classmethod
    def published_settings(cls, task: str, k: int) -> dict[str, Any]:
        """As of all flows of images, with 20,000 steps above k = 10 (Table 2).

        The quantiles are left out: the paper's are "linear", a documented difference.
        """
        settings = super().published_settings(task, k)
        del settings["quantiles"]
        return settings | ({"steps": 20000} if k > 10 else {})

    def functional(self, target: Tensor, ambient_dim: int | None = None) -> Functional:
        """MMD to `target` along directions drawn at each step."""
        from wowbench.functionals import CountSchedule, SlicedMMD

        n_directions = _or_frame(self.n_directions)
        if self.n_directions_end is not None:
            last = _or_frame(self.n_directions_end)
            n_directions = CountSchedule(n_directions, last, self.steps)
        return SlicedMMD(
            target,
            self.kernel,
            n_directions=n_directions,
            directions=self.directions,
            quantiles=self.quantiles,
            ambient_dim=ambient_dim,
            center=self.center,
            precision=self.precision,
        )

    def compose(self, problem: Problem) -> Composition:
        """Return the functional, for flat images or for their coordinates in the hull."""
        if not self.hull:
            return super().compose(problem)
        from wowbench.functionals.embedded import Embedded
        from wowbench.geometry import AffineHull

        source, target = problem.source.flatten(2), problem.target.flatten(2)
        hull = AffineHull.of(target.flatten(0, 1))
        functional = partial(self.functional, ambient_dim=target.shape[-1])
        if problem.batch_size is None:
            inside = functional(hull.enter(target))
        else:
            inside = Embedded(functional, hull.enter(target), batch_size=problem.batch_size)
        return Composition(inside, {"x": hull.enter(source)}, {"x": target}, hull.leave)


def _or_frame(count: int | str) -> int | None:
    """Return a number of directions, None for a whole frame."""
    return None if count == "frame" else count


@METHODS.register
class MMDSWFast(MMDSW):
    """MMDSW with 50 orthogonal directions per step in place of 500 independent ones.

    A direction of an orthonormal block is as uniform on the sphere as an independent one, so that
    the gradient of Bonet et al. (2025) keeps its mean; momentum averages over ten steps anyway. Its
    gain is the tenth of the directions; 50 of 784 vary no less for being orthogonal. Accuracies are
    those of MMDSW, but the loss ends higher, at a level of ten times the noise.
    """

    name: ClassVar[str] = "mmdsw_fast"
    summary: ClassVar[str] = "MMDSW with a tenth of the directions, orthogonal ones"
    published_as: ClassVar[str | None] = "mmdsw"

    n_directions: DirectionCount = 50
    directions: DirectionKind = "orthogonal"


@METHODS.register
class MMDSWSprint(MMDSW):
    """MMDSW to its end in some hundred steps: in the hull, by Polyak's rule, until it is there.

    The functional is that of Bonet et al. (2025); what differs is the way to its minimum, which is
    0 where source images can be shared out evenly among the target's. The flow starts from the
    source's projection on the affine hull of the target's images, of dimension 99 for ten images of
    each of ten classes, where a whole orthonormal frame takes as many directions. In the whole
    space particles that are blends of target images keep noise across the hull, which makes up for
    the variance that a blend lacks, and settle late; within the hull they cannot. Frames make
    quadratic forms exact, so that steps may be long; Polyak's rule says how long, and shortens them
    as particles settle. The decay is for other targets, where the MMD stays above 0: such a flow
    takes all steps.
    """

    name: ClassVar[str] = "mmdsw_sprint"
    summary: ClassVar[str] = "MMDSW in the target's affine hull, by Polyak's rule, until converged"
    published_as: ClassVar[str | None] = "mmdsw"

    n_directions: DirectionCount = "frame"
    directions: DirectionKind = "frame"
    hull: bool = True
    scheme: SchemeField = Polyak(decay="linear")
    steps: Steps = 3000
    until: Annotated[float, Field(gt=0, lt=1)] | None = 1e-4
