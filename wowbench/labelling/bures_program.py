"""Single particles, labelled by the Gaussians that they carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wowbench.errors import InputError
from wowbench.labelling.base import Labeller

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.state import State


class BuresProgram(Labeller):
    """Particles get labels by a linear program on the distances of the Gaussians that they carry.

    Parameters
    ----------
    squared : bool, default False
        As in `label_by_bures_program`.
    """

    rule: ClassVar[str] = "linear program on the Bures-Wasserstein distances of the labels"

    def __init__(self, *, squared: bool = False):
        self.squared = squared

    def check(self, who: str, *, source_classes: int, n: int, target_classes: int) -> None:
        """Refuse a number of particles that the target's classes do not divide."""
        if source_classes * n % target_classes != 0:
            raise InputError(
                f"{who}: {n} images of each of {source_classes} classes are {source_classes * n}; "
                f"expected a multiple of the target's {target_classes} classes, since its label "
                "rule gives each of them equally many (set `images_per_class`)"
            )

    def label(self, moved: State, target: State) -> Tensor:
        """Label the particles by `mean` and `cov`: see `label_by_bures_program`."""
        return label_by_bures_program(
            moved["mean"], moved["cov"], target["mean"], target["cov"], squared=self.squared
        )


def label_by_bures_program(
    mean: Tensor,
    cov: Tensor,
    target_mean: Tensor,
    target_cov: Tensor,
    *,
    squared: bool = False,
) -> Tensor:
    """Label particles by the Gaussians that they carry, with every class equally frequent.

    Parameters
    ----------
    mean, cov : Tensor
        Gaussians carried by the particles, `(C, n, d)` and `(C, n, d, d)`.
    target_mean, target_cov : Tensor
        Gaussians of the target's classes, `(C', d)` and `(C', d, d)`.
    squared : bool, default False
        Whether a particle costs its squared distance to a class, in place of the distance.

    Returns
    -------
    Tensor
        Labels `(C, n)`, int64 in 0..C'-1; each of the C' labels is given to as many particles.

    Raises
    ------
    ValueError
        For Gaussians of the wrong shape, dtype, device or value, or a number of particles that
        C' does not divide.

    Notes
    -----
    The linear program is `min_P sum_ci P_ci BW(nu_c, mu_i)` over couplings `P` of uniform class
    frequencies and uniform particles, `BW` the Bures-Wasserstein distance; each particle takes
    the class that sends it most mass. It is the label rule of OTDD and product-kernel flows in
    the code of Bonet, Vauthier and Korba (2025), after Alvarez-Melis and Fusi, *Dataset dynamics
    via gradient flows in probability space* (2021).
    Where C' divides the number of particles the plan splits no particle.
    """
    import numpy as np

    from wowbench.geometry.bures import bures_wasserstein_squared, check_gaussians
    from wowbench.geometry.exact import solve_transport
    from wowbench.geometry.validation import check_same_space

    check_gaussians("mean", mean, "cov", cov, axes=("C", "n"))
    check_gaussians("target_mean", target_mean, "target_cov", target_cov, axes=("C'",))
    check_same_space("target_mean", target_mean, "mean", mean)
    n_particles, n_classes = mean.shape[:2].numel(), len(target_mean)
    if n_particles % n_classes != 0:
        raise ValueError(
            f"mean has {n_particles} particles; expected a multiple of the {n_classes} classes of "
            "target_mean, as every class gets the same number of particles"
        )
    costs = bures_wasserstein_squared(
        target_mean, target_cov, mean.flatten(0, 1), cov.flatten(0, 1), check=False
    ).detach()
    if not squared:
        costs = costs.sqrt()
    # Masses that are whole numbers keep the arithmetic of the plan exact.
    plan = solve_transport(
        costs.cpu().double().numpy(),
        np.full(n_classes, n_particles / n_classes),
        np.ones(n_particles),
    )
    return plan.to_dense(costs).argmax(0).reshape(mean.shape[:2])
