"""The squared SWBG distance between samples that carry Gaussians and a labelled target."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from wowbench.distances.sliced import PROJECTIONS_PER_BLOCK, blocks
from wowbench.distances.swbg import SlicedBusemannGaussian, busemann_functions
from wowbench.functionals.sliced import DistanceFunctional, line_gaps
from wowbench.geometry.bures import check_gaussians, check_positive_definite
from wowbench.geometry.sorting import sort_rows, sort_values, unsort_rows
from wowbench.geometry.validation import check_classes, check_same_kind, check_same_space
from wowbench.state import BURES, EUCLIDEAN, Parts, State


class SlicedBusemannGaussians(DistanceFunctional):
    r"""F(P) = SWBG^2(P, Q), for samples that each carry a Gaussian.

    Sample :math:`(x_i, m_i, \Sigma_i)` of N is, along direction l, at

    .. math:: z_i = \psi_1 \langle\theta_\ell, x_i\rangle + \psi_2 B_\ell(m_i, \Sigma_i) ,

    with the Busemann functions of `wowbench.distances.swbg.SlicedBusemannGaussian`, and F is the
    mean over L of :math:`W_2^2` to the z of the M target samples. With :math:`\bar z_i` the mean of
    what transport on the line sends :math:`z_i` to, and :math:`g_i = 2 (z_i - \bar z_i) / L`,

    .. math::

        N \nabla_{x_i} F = \sum_\ell g_i \psi_1 \theta_\ell , \qquad
        N \nabla_{m_i} F = -\sum_\ell g_i \psi_2 m_1 , \qquad
        N \nabla_{\Sigma_i} F = -\frac{1}{2} \sum_\ell g_i \psi_2
            S (S \Sigma_i S)^{-1/2} S

    (Bonet, Cazelles, Drumetz and Courty 2025, arXiv:2510.04579, whose flow moves images, means and
    covariances together). The last two are by automatic differentiation of B.

    Parameters
    ----------
    target : Tensor (C', m, d)
        Target samples by class.
    target_mean, target_cov : Tensor
        Gaussian of each target class, ``(C', p)`` and ``(C', p, p)``, positive semidefinite.
    distance : SlicedBusemannGaussian
        Draws directions and rays, in p dimensions.

    Raises
    ------
    ValueError
        For tensors of the wrong shape, dtype, device or value.
    """

    parts: ClassVar[Parts] = {"x": EUCLIDEAN, "mean": EUCLIDEAN, "cov": BURES}

    def __init__(
        self,
        target: Tensor,
        target_mean: Tensor,
        target_cov: Tensor,
        distance: SlicedBusemannGaussian,
    ):
        super().__init__(target, distance)
        check_gaussians("target_mean", target_mean, "target_cov", target_cov, axes=(len(target),))
        check_same_kind("target_mean", target_mean, "target", target)
        self.mean = target_mean
        self.cov = target_cov

    def start(self, **parts: Tensor) -> State:
        """Return the state that a flow from samples and Gaussians starts from.

        Parameters
        ----------
        **parts : Tensor
            `x`, `mean` and `cov`, as in `evaluate`; copied.

        Raises
        ------
        ValueError
            If a covariance is not positive definite: its index and smallest eigenvalue are named.
        """
        state = super().start(**parts)
        check_positive_definite("cov", state["cov"])
        return state

    def evaluate(
        self, x: Tensor, drawn: Any, mean: Tensor, cov: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return F(P), and N times its gradients at samples, means and covariances.

        Parameters
        ----------
        x : Tensor (C, n, d)
            Samples by class. Values are not checked to be finite here.
        drawn : NamedTuple
            What `draw` returned.
        mean, cov : Tensor
            Their Gaussians, ``(C, n, p)`` and ``(C, n, p, p)``, positive definite.

        Returns
        -------
        value : Tensor ()
            Not a number where a covariance is not finite, as all gradients.
        x, mean, cov : Tensor
            Gradients, of the shape of each part.

        Raises
        ------
        ValueError
            For shapes, dtypes or devices that do not fit.
        """
        x = check_classes("x", x, finite=False, ragged=False)
        check_gaussians("mean", mean, "cov", cov, axes=tuple(x.shape[:2]), values=False)
        check_same_kind("mean", mean, "x", x)
        check_same_space("x", x, "target", self.target)
        check_same_space("mean", mean, "target_mean", self.mean)
        if not cov.isfinite().all():  # A flow that diverged, which decompositions cannot say.
            return x.new_tensor(torch.nan), *(part * torch.nan for part in (x, mean, cov))
        parts = tuple(part.flatten(0, 1) for part in (x, mean, cov))
        total = x.new_zeros((), dtype=torch.float64)
        slopes = [torch.zeros_like(part) for part in parts]
        n_points = len(parts[0]) + self.target.shape[:2].numel()
        for block in blocks(drawn, max(1, PROJECTIONS_PER_BLOCK // n_points)):
            value, *grads = self._on_lines(*parts, block)
            total += value * (len(block.theta) / len(drawn.theta))
            for slope, grad in zip(slopes, grads, strict=True):
                slope.add_(grad, alpha=2 / len(drawn.theta))
        return total.to(x.dtype), *(
            slope.view_as(part) for slope, part in zip(slopes, (x, mean, cov), strict=True)
        )

    def _on_lines(
        self, x: Tensor, mean: Tensor, cov: Tensor, drawn: Any
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Mean value along some directions, and N L'/2 times its gradients at N samples."""
        of_features, of_class = drawn.psi.split(1, 1)
        mean, cov = (part.detach().requires_grad_() for part in (mean, cov))
        with torch.enable_grad():
            labels = of_class * busemann_functions(mean, cov, drawn)
        target_labels = of_class * busemann_functions(self.mean, self.cov, drawn)
        z = torch.addcmul(labels.detach(), of_features, drawn.theta @ x.T)
        goal = torch.addcmul(
            target_labels.repeat_interleave(self.target.shape[1], 1),
            of_features,
            drawn.theta @ self.target.flatten(0, 1).T,
        )
        ordered, order = sort_rows(z)
        value, gaps = line_gaps(ordered, sort_values(goal))
        gaps = unsort_rows(gaps, order)
        grad_mean, grad_cov = torch.autograd.grad(labels, (mean, cov), gaps)
        return value, (gaps * of_features).T @ drawn.theta, grad_mean, grad_cov
