"""Discrepancy of the characteristic functions of matched classes."""

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from wowbench.functionals.base import Functional
from wowbench.geometry.validation import check_classes, check_matched
from wowbench.state import State


class CharacteristicMatching(Functional):
    r"""F(P) = (1/C) sum_c D(mu_c, nu_c), for classes that are matched by number.

    With the characteristic function :math:`\varphi_\mu(t) = \int e^{i \langle t, u \rangle} d\mu`
    of particles that are scaled to unit length, :math:`u = x / |x|`,

    .. math::

        D(\mu, \nu) = \frac{1}{L} \sum_{\ell=1}^L \sqrt{
            \alpha \big( |\varphi_\mu| - |\varphi_\nu| \big)^2
            + 2 \beta \big( |\varphi_\mu| |\varphi_\nu|
            - \mathrm{Re} \, \varphi_\mu \overline{\varphi_\nu} \big) } \; (t_\ell) .

    The first part is the difference of amplitudes, the second one that of phases. Both together are
    :math:`\beta |\varphi_\mu - \varphi_\nu|^2 + (\alpha - \beta) (|\varphi_\mu| -
    |\varphi_\nu|)^2`. Frequencies t are drawn from N(0, I) at each step, the same for all classes.

    On embedded particles, the objective of Wang et al., "Dataset distillation with neural
    characteristic function: a minmax perspective", CVPR 2025, divided by 300 C. Their paper has
    frequencies drawn by a network that is trained to increase D; all released configurations switch
    it off, and draw them as here.

    Parameters
    ----------
    target : Tensor (C, m, d)
        The classes nu_c.
    n_frequencies : int, default 4096
        Number L of frequencies.
    amplitude, phase : float, default 0.5
        The weights alpha and beta.

    Raises
    ------
    ValueError
        For a target of the wrong shape, dtype or value, or numbers that cannot be used.

    Examples
    --------
    On the line all particles become signs: of a 1 against a -1 at frequency pi / 2, phases differ
    by pi.

    >>> import torch
    >>> matching = CharacteristicMatching(torch.tensor([[[-3.0]]]))
    >>> matching.evaluate(torch.tensor([[[2.0]]]), torch.tensor([[torch.pi / 2]]))[0]
    tensor(1.4142)
    """

    capturable: ClassVar[bool] = True

    def __init__(
        self,
        target: Tensor,
        n_frequencies: int = 4096,
        *,
        amplitude: float = 0.5,
        phase: float = 0.5,
    ):
        self.target = check_classes("target", target)
        if not isinstance(n_frequencies, int) or n_frequencies < 1:
            raise ValueError(
                f"n_frequencies is {n_frequencies!r}; expected an integer of at least 1"
            )
        for name, weight in (("amplitude", amplitude), ("phase", phase)):
            if not 0 <= weight < math.inf:
                raise ValueError(f"{name} is {weight:g}; expected a number of at least 0")
        self.n_frequencies = n_frequencies
        self.amplitude = amplitude
        self.phase = phase

    def value_and_grad(
        self, state: State, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Evaluate the functional at new frequencies."""
        x = state["x"]
        frequencies = x.new_empty(self.n_frequencies, x.shape[-1]).normal_(generator=generator)
        value, grad = self.evaluate(x, frequencies)
        return value, {"x": grad}

    def evaluate(self, x: Tensor, frequencies: Tensor) -> tuple[Tensor, Tensor]:
        """Return F(P) and its WoW gradient ``n C dF/dx`` for given frequencies.

        A root of 0 gets the derivative 0, and so does a particle at the origin, which counts as one
        of length 0.

        Parameters
        ----------
        x : Tensor (C, n, d)
            The classes mu_c. Values are not checked to be finite here.
        frequencies : Tensor (L, d)
            The frequencies t.

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
        # One class at a time, since its angles may be many numbers.
        parts = [self._of_class(*pair, frequencies) for pair in zip(x, self.target, strict=True)]
        values, grads = zip(*parts, strict=True)
        return torch.stack(values).mean(), torch.stack(grads)

    def _of_class(self, x: Tensor, y: Tensor, frequencies: Tensor) -> tuple[Tensor, Tensor]:
        """D of one class, and n times its gradient, ``(n, d)``."""
        (u, lengths), (v, _) = _unit(x), _unit(y)
        cos, sin = _waves(u, frequencies)
        real, imaginary = cos.mean(0), sin.mean(0)
        real_y, imaginary_y = (wave.mean(0) for wave in _waves(v, frequencies))
        gaps = real - real_y, imaginary - imaginary_y
        size = torch.hypot(real, imaginary)
        excess = size - torch.hypot(real_y, imaginary_y)
        more = self.amplitude - self.phase
        square = more * excess.square() + self.phase * (gaps[0].square() + gaps[1].square())
        root = square.clamp(min=0).sqrt()

        along = more * excess / _or_inf(size)
        by_square = 1 / (len(frequencies) * _or_inf(root))
        by_real = by_square * (along * real + self.phase * gaps[0])
        by_imaginary = by_square * (along * imaginary + self.phase * gaps[1])
        by_u = (cos * by_imaginary - sin * by_real) @ frequencies
        tangent = by_u - (by_u * u).sum(1, keepdim=True) * u
        return root.mean(), tangent / lengths


def _unit(points: Tensor) -> tuple[Tensor, Tensor]:
    """Points ``(n, d)`` scaled to unit length, and their lengths ``(n, 1)``, infinite for 0."""
    lengths = _or_inf(torch.linalg.vector_norm(points, dim=1, keepdim=True))
    return points / lengths, lengths


def _or_inf(values: Tensor) -> Tensor:
    """Put infinity in the place of 0, so that what is divided by it becomes 0."""
    return torch.where(values > 0, values, math.inf)


def _waves(points: Tensor, frequencies: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines ``(n, L)`` of the points along the frequencies."""
    angles = points @ frequencies.mT
    return angles.cos(), angles.sin()
