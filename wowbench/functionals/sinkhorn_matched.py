"""Sinkhorn divergences of matched classes."""

import torch
from torch import Tensor

from wowbench.functionals.base import ParticleFunctional
from wowbench.geometry.sinkhorn import ANNEALING, matched_sinkhorn_divergences
from wowbench.geometry.validation import (
    check_classes,
    check_matched,
    check_positive,
)


class SinkhornMatched(ParticleFunctional):
    r"""F(P) = (1/2C) sum_c S(mu_c, nu_c), for classes that are matched by number.

    S is the debiased Sinkhorn divergence on the scale of W_2^2 (Feydy et al., *Interpolating
    between optimal transport and MMD using Sinkhorn divergences*, 2019), to which F tends as half
    the squared WoW distance of matched classes as `blur` tends to 0. Its gradient is that at the
    fixed point which the iterations approach, by automatic differentiation of their last step.

    Parameters
    ----------
    target : Tensor (C, m, d)
        The classes nu_c.
    blur : float, default 0.05
        Length, in units of the particles, under which detail is blurred.
    annealing : float, default 0.9
        Ratio of successive blurs, from the diameter to `blur`, with one iteration at each.

    Raises
    ------
    ValueError
        For a target of the wrong shape, dtype or value, or a blur that is not positive.
    """

    def __init__(self, target: Tensor, *, blur: float = 0.05, annealing: float = ANNEALING):
        self.target = check_classes("target", target, ragged=False)
        self.blur = check_positive("blur", blur)
        self.annealing = annealing

    def evaluate(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return F(P) and its WoW gradient ``n C dF/dx``.

        Parameters
        ----------
        x : Tensor (C, n, d)
            The classes mu_c. Values are not checked to be finite here.

        Returns
        -------
        value : Tensor ()
        grad : Tensor (C, n, d)

        Raises
        ------
        ValueError
            For shapes, dtypes or devices that do not fit.
        """
        x = check_matched(x, self.target).detach().requires_grad_()
        divergences = matched_sinkhorn_divergences(
            x, self.target, blur=self.blur, annealing=self.annealing
        )
        (grad,) = torch.autograd.grad(divergences.sum(), x)
        return divergences.detach().mean() / 2, grad * (x.shape[1] / 2)
