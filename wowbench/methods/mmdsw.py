"""MMDSW: the paper's flow of the MMD with a sliced-Wasserstein kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import ConfigDict, model_validator

from wowbench.methods.image_flow import ImageFlow
from wowbench.parameters import Bandwidth, Count
from wowbench.registry import METHODS

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from wowbench.methods.image_flow import Objective


@METHODS.register
class MMDSW(ImageFlow):
    """Flow of 1/2 MMD^2 with a kernel on the sliced-Wasserstein distance.

    Bonet, Vauthier and Korba (2025), Section 5; the defaults are those of Table 2 at k <= 10.

    Parameters
    ----------
    kernel : {"riesz", "gaussian", "laplace", "imq"}
        Kernel K(mu, nu) as a function of SW(mu, nu).
    kernel_parameter : float
        Exponent r of the Riesz kernel, in (0, 2); bandwidth h of the others.
    quantiles : {"exact", "linear"}
        Exact one-dimensional optimal transport, or 100 interpolated percentiles.
    n_directions : int
        Number L of directions drawn anew at each step.
    directions : {"gaussian", "orthogonal"}
        Independent directions, or blocks of orthonormal ones.
    augmentation, authors_cutout, embedding, lr, momentum, steps
        As in `wowbench.methods.image_flow.ImageFlow`.
    """

    name: ClassVar[str] = "mmdsw"
    summary: ClassVar[str] = "flow of the MMD with a sliced-Wasserstein kernel (the paper's)"
    tasks: ClassVar[frozenset[str]] = frozenset({"transfer", "distillation"})

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"kernel": {"const": "riesz"}}},
            "then": {"properties": {"kernel_parameter": {"exclusiveMaximum": 2}}},
        }
    )

    kernel: Literal["riesz", "gaussian", "laplace", "imq"] = "riesz"
    kernel_parameter: Bandwidth = 1.0
    quantiles: Literal["exact", "linear"] = "exact"
    n_directions: Count = 500
    directions: Literal["gaussian", "orthogonal"] = "gaussian"

    @model_validator(mode="after")
    def _check_exponent(self) -> MMDSW:
        if self.kernel == "riesz" and self.kernel_parameter >= 2:
            raise ValueError(
                f"kernel_parameter is {self.kernel_parameter:g}; expected a number in (0, 2), "
                "the exponent r of the riesz kernel"
            )
        return self

    @classmethod
    def published_settings(cls, task: str, k: int) -> dict[str, Any]:
        """As of all flows of images, with 20,000 steps above k = 10 (Table 2).

        The quantiles are left out: the paper's are "linear", a documented difference.
        """
        settings = super().published_settings(task, k)
        del settings["quantiles"]
        return settings | ({"steps": 20000} if k > 10 else {})

    def functional(self, target: Tensor) -> Objective:
        """MMD to `target` along directions drawn at each call."""
        from wowbench.functionals import SlicedMMD
        from wowbench.geometry import sample_directions
        from wowbench.kernels import KERNELS

        mmd = SlicedMMD(
            target, KERNELS[self.kernel](self.kernel_parameter), quantiles=self.quantiles
        )

        def objective(x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
            directions = sample_directions(
                self.n_directions,
                x.shape[-1],
                kind=self.directions,
                generator=generator,
                device=x.device,
            )
            return mmd.value_and_grad(x, directions, generator=generator)

        return objective


@METHODS.register
class MMDSWFast(MMDSW):
    """MMDSW with 50 orthogonal directions a step in place of 500 independent ones.

    A direction of an orthonormal block is as uniform on the sphere as an independent one, so that
    the gradient of Bonet et al. (2025) keeps its mean; momentum averages over ten steps anyway.
    """

    name: ClassVar[str] = "mmdsw_fast"
    summary: ClassVar[str] = "MMDSW with a tenth of the directions, orthogonal ones"

    n_directions: Count = 50
    directions: Literal["gaussian", "orthogonal"] = "orthogonal"
