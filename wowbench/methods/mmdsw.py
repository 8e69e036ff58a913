"""MMDSW: the paper's flow of the MMD with a sliced-Wasserstein kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from wowbench.kernels.base import Kernel
from wowbench.kernels.riesz import Riesz
from wowbench.methods.image_flow import ImageFlow
from wowbench.methods.problem import Pairing
from wowbench.parameters import Count, FromRegistry
from wowbench.registry import KERNELS, METHODS

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.functionals.base import Functional


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
    n_directions : int
        Number L of directions drawn anew at each step.
    directions : {"gaussian", "orthogonal"}
        Independent directions, or blocks of orthonormal ones.
    """

    name: ClassVar[str] = "mmdsw"
    summary: ClassVar[str] = "flow of the MMD with a sliced-Wasserstein kernel (the paper's)"
    pairings: ClassVar[frozenset[Pairing]] = frozenset({"free", "by_number"})

    kernel: Annotated[Kernel, FromRegistry(KERNELS)] = Riesz()
    quantiles: Literal["exact", "linear"] = "exact"
    n_directions: Count = 500
    directions: Literal["gaussian", "orthogonal"] = "gaussian"

    @classmethod
    def published_settings(cls, task: str, k: int) -> dict[str, Any]:
        """As of all flows of images, with 20,000 steps above k = 10 (Table 2).

        The quantiles are left out: the paper's are "linear", a documented difference.
        """
        settings = super().published_settings(task, k)
        del settings["quantiles"]
        return settings | ({"steps": 20000} if k > 10 else {})

    def functional(self, target: Tensor) -> Functional:
        """MMD to `target` along directions drawn at each step."""
        from wowbench.functionals import SlicedMMD

        return SlicedMMD(
            target,
            self.kernel,
            n_directions=self.n_directions,
            directions=self.directions,
            quantiles=self.quantiles,
        )


@METHODS.register
class MMDSWFast(MMDSW):
    """MMDSW with 50 orthogonal directions per step in place of 500 independent ones.

    A direction of an orthonormal block is as uniform on the sphere as an independent one, so that
    the gradient of Bonet et al. (2025) keeps its mean; momentum averages over ten steps anyway.
    """

    name: ClassVar[str] = "mmdsw_fast"
    summary: ClassVar[str] = "MMDSW with a tenth of the directions, orthogonal ones"

    n_directions: Count = 50
    directions: Literal["gaussian", "orthogonal"] = "orthogonal"
