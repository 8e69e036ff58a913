"""Sliced-Wasserstein distances of matched classes."""

from typing import ClassVar

import torch
from torch import Tensor

from wowbench.functionals.sliced import SlicedFunctional
from wowbench.geometry.directions import KINDS, sample_directions
from wowbench.geometry.sliced import Slices, check_directions
from wowbench.geometry.validation import check_choice, check_classes, check_matched


class SlicedMatched(SlicedFunctional):
    r"""F(P) = (1/C) sum_c SW_2^2(mu_c, nu_c), for classes that are matched by number.

    .. math:: n C \frac{\partial F}{\partial x} = \frac{2}{L} \sum_\ell
        \big( \langle\theta_\ell, x\rangle - \bar y_\ell \big) \, \theta_\ell

    with :math:`\bar y_\ell` the mean of what transport on the line of :math:`\theta_\ell` sends the
    particle to (Bonneel, Rabin, Peyre and Pfister, *Sliced and Radon Wasserstein barycenters of
    measures*, 2015), exact for the directions at hand.

    Parameters
    ----------
    target : Tensor (C, m, d)
        The classes nu_c.
    n_directions : int, default 500
        Number L of directions that `value_and_grad` draws.
    directions : {"gaussian", "orthogonal", "frame"}
        Their kind: see `wowbench.geometry.sample_directions`.

    Raises
    ------
    ValueError
        For a target of the wrong shape, dtype or value, or an unknown kind.

    Examples
    --------
    >>> import torch
    >>> matched = SlicedMatched(torch.tensor([[[2.0]], [[5.0]]]))
    >>> matched.evaluate(torch.tensor([[[0.0]], [[5.0]]]), torch.ones(1, 1))
    (tensor(2.), tensor([[[-4.]],
    <BLANKLINE>
            [[ 0.]]]))
    """

    capturable: ClassVar[bool] = True

    def __init__(self, target: Tensor, *, n_directions: int = 500, directions: str = "gaussian"):
        super().__init__(n_directions)
        self.target = check_classes("target", target, ragged=False)
        self.directions = check_choice("directions", directions, KINDS)

    def draw(self, n_directions: int, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw directions ``(L, d)``."""
        return sample_directions(
            n_directions,
            x.shape[-1],
            kind=self.directions,
            generator=generator,
            device=x.device,
            dtype=x.dtype,
        )

    def evaluate(self, x: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
        """Return F(P) and its WoW gradient.

        Parameters
        ----------
        x : Tensor (C, n, d)
            The classes mu_c. Values are not checked to be finite here.
        drawn : Tensor (L, d)
            Unit vectors.

        Returns
        -------
        value : Tensor ()
        grad : Tensor (C, n, d)

        Raises
        ------
        ValueError
            For shapes, dtypes or devices that do not fit.
        """
        x = check_matched(x, self.target)
        check_directions(drawn, x)
        source, target = Slices(x, drawn), Slices(self.target, drawn, movable=False)
        value = source.costs(target).diagonal().mean()
        pairs = torch.eye(len(x), dtype=torch.float64, device=x.device)
        return value.to(x.dtype), source.gradient([(target, pairs)])
