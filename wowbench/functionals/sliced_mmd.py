"""Half the squared MMD with a kernel on the sliced-Wasserstein distance, and its WoW gradient."""

from collections.abc import Mapping, Sequence
from copy import copy

import torch
from torch import Tensor

from wowbench.functionals.base import HELD_OUT_SEED, Functional
from wowbench.functionals.schedule import CountSchedule
from wowbench.geometry.centred import CentredSlices
from wowbench.geometry.directions import KINDS, sample_directions
from wowbench.geometry.hull import shrinkage
from wowbench.geometry.precision import check_precision
from wowbench.geometry.sliced import (
    Slices,
    check_directions,
    check_power,
    check_quantiles,
    sample_levels,
)
from wowbench.geometry.validation import (
    Classes,
    check_choice,
    check_classes,
    check_particle_weights,
    check_same_space,
    check_weights,
)
from wowbench.kernels.base import Kernel
from wowbench.state import State

HELD_OUT_DIRECTIONS = 1000
"""Directions of a held-out value, which no step has seen."""

STEPS_DONE = "directions.steps_done"
"""Name in the state of the number of steps done, where the number of directions depends on it."""


class SlicedMMD(Functional):
    r"""F(P) = 1/2 MMD^2(P, Q), with a kernel K(mu, nu) that is a function of SW(mu, nu).

    .. math::

        F(P) = \frac{1}{2} \iint K \, dP \, dP - \iint K \, dP \, dQ
            + \frac{1}{2} \iint K \, dQ \, dQ

    Bonet, Vauthier and Korba (2025), section 4. The value and the gradient are exact for the
    directions at hand, without automatic differentiation. A flow draws directions at each step.

    Parameters
    ----------
    target : Tensor (C', m, d) or (B, C', m, d), or sequence of C' tensors (m_c, d)
        The classes of Q; with a leading axis, one target for each of B independent flows.
    kernel : Kernel
        See `wowbench.kernels`.
    n_directions : int, None or CountSchedule, default 500
        Number L of directions that `value_and_grad` draws; None for as many as dimensions. By a
        schedule it changes from step to step, which the state counts, and with it the shapes of
        all that a step computes, so that a step cannot be captured in a CUDA graph.
    directions : {"gaussian", "orthogonal", "frame"}
        Their kind: see `wowbench.geometry.sample_directions`.
    quantiles : {"exact", "linear"}
        As in `wowbench.geometry.sliced_wasserstein_squared`.
    class_weights : Tensor (C',), optional
        Masses of the classes of Q, of sum 1; uniform by default.
    particle_weights : Tensor (C', m) or sequence of C' tensors (m_c,), optional
        Masses of the particles of each class of Q, of sum 1; uniform by default.
    ambient_dim : int, optional
        Dimension D of the space whose sphere SW averages over, where particles are given by
        coordinates in an affine subspace of it: see `wowbench.geometry.AffineHull`. By default d.
    center : bool
        Whether the part of the means of SW_2^2 is computed exactly, and the directions see
        centred classes alone: see `wowbench.geometry.centred`. The gradient has the same mean over
        directions but for the kernel's curvature, and a lower variance where means are far apart.
    precision : {None, "tf32", "bf16"}
        Of the products with the directions: see `wowbench.geometry.precision.product`. A held-out
        value is not rounded.

    Raises
    ------
    ValueError
        For shapes, values or weights that do not fit, or `center` with a kernel on SW_1, "linear"
        quantiles or particle weights.

    Examples
    --------
    On the line, where every direction sees the whole distance: particles at distance 2.

    >>> import torch
    >>> from wowbench.kernels.riesz import Riesz
    >>> mmd = SlicedMMD(torch.tensor([[[2.0]]]), Riesz(r=1))
    >>> mmd.evaluate(torch.tensor([[[0.0]]]), directions=torch.ones(1, 1))
    (tensor(2.), tensor([[[-1.]]]))
    """

    def __init__(
        self,
        target: Tensor | Sequence[Tensor],
        kernel: Kernel,
        *,
        n_directions: int | CountSchedule | None = 500,
        directions: str = "gaussian",
        quantiles: str = "exact",
        class_weights: Tensor | None = None,
        particle_weights: Tensor | Sequence[Tensor] | None = None,
        ambient_dim: int | None = None,
        center: bool = False,
        precision: str | None = None,
    ):
        self.target = check_classes("target", target, batched=True)
        self.kernel = kernel
        self.n_directions = n_directions
        self.capturable = not isinstance(n_directions, CountSchedule)
        self.directions = check_choice("directions", directions, KINDS)
        self.quantiles = quantiles
        self.precision = precision
        check_precision(precision, self.target[0].device)
        first = self.target[0] if _is_batched(self.target) else self.target
        self.class_weights = check_weights("class_weights", class_weights, first)
        self.particle_weights = check_particle_weights(
            "particle_weights", particle_weights, self.target
        )
        check_power(kernel.p)
        check_quantiles(quantiles, weighted=particle_weights is not None)
        self.center = center
        if center:
            check_center(kernel, quantiles, weighted=particle_weights is not None)
        dim = first[0].shape[-1]
        self._shrinkage = 1.0 if ambient_dim is None else shrinkage(dim, ambient_dim, kernel.p)

    def start(self, **parts: Tensor) -> State:
        """Return the state, with the steps done where the number of directions depends on them."""
        state = super().start(**parts)
        if isinstance(self.n_directions, CountSchedule):
            # On the CPU, where reading it waits for no device.
            state[STEPS_DONE] = torch.zeros((), dtype=torch.int64)
        return state

    def value_and_grad(
        self, state: State, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Evaluate the functional along new directions, which flows side by side share."""
        x = state["x"]
        n_directions = self._count(state, x.shape[-1])
        directions = _directions(n_directions, self.directions, x, generator)
        value, grad = self.evaluate(x, directions, generator=generator)
        return value, {"x": grad}

    def _count(self, state: State, dim: int) -> int:
        """Return the number of directions of a step, which it counts if a schedule asks for it."""
        if not isinstance(self.n_directions, CountSchedule):
            return self.n_directions or dim
        n_directions = self.n_directions.after(int(state[STEPS_DONE]), dim)
        state[STEPS_DONE] += 1
        return n_directions

    def held_out(self, state: State) -> Tensor:
        """Evaluate the functional along `HELD_OUT_DIRECTIONS` directions that no step has seen."""
        x = state["x"]
        generator = torch.Generator(x.device).manual_seed(HELD_OUT_SEED)
        directions = _directions(HELD_OUT_DIRECTIONS, "orthogonal", x, generator)
        unrounded = copy(self)
        unrounded.precision = None
        return unrounded.evaluate(x, directions, generator=generator)[0]

    def evaluate(
        self,
        x: Tensor | Sequence[Tensor],
        directions: Tensor,
        *,
        class_weights: Tensor | None = None,
        particle_weights: Tensor | Sequence[Tensor] | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, Classes]:
        """Return F(P) and its WoW gradient at the particles of P.

        The gradient of the particle of mass a in a class of mass w is ``dF/dx / (w a)``, which is
        ``n C dF/dx`` for uniform weights.

        Parameters
        ----------
        x : Tensor (C, n, d) or (B, C, n, d), or sequence of C tensors (n_c, d)
            The classes of P, or of B independent ones. Values are not checked to be finite here.
        directions : Tensor (L, d) or (B, L, d)
            Unit vectors, the same for every pair of classes.
        class_weights : Tensor (C,), optional
            Masses of the classes of P, of sum 1; uniform by default. Given weights are checked,
            which waits for the device.
        particle_weights : Tensor (C, n) or sequence of C tensors (n_c,), optional
            Masses of the particles of each class of P, of sum 1; uniform by default.
        generator : torch.Generator, optional
            Source of the levels of "linear" quantiles, which need it.

        Returns
        -------
        value : Tensor () or (B,)
        grad : as `x`

        Raises
        ------
        ValueError
            For shapes, dtypes, devices or weights that do not fit.
        """
        x = check_classes("x", x, finite=False, batched=True)
        check_same_space("x", x, "target", self.target)
        self._check_flows(x)
        check_directions(directions, x)
        first = x[0] if _is_batched(x) else x
        class_weights = check_weights("class_weights", class_weights, first)
        particle_weights = check_particle_weights("particle_weights", particle_weights, x)
        weighted = not (particle_weights is self.particle_weights is None)
        check_quantiles(self.quantiles, weighted=weighted)
        if self.center:
            check_center(self.kernel, self.quantiles, weighted=weighted)
        levels = sample_levels(directions, generator) if self.quantiles == "linear" else None
        source = (x, directions, levels, particle_weights)
        target = (self.target, directions, levels, self.particle_weights)
        if (self.kernel.p == 2 and not weighted) or not _is_batched(x):
            return self._evaluate(source, target, class_weights)
        flows = [
            self._evaluate(_flow(source, b), _flow(target, b), class_weights) for b in range(len(x))
        ]
        values, grads = zip(*flows, strict=True)
        return torch.stack(values), torch.stack(grads)

    def _check_flows(self, x: Classes) -> None:
        """Raise a `ValueError` unless a batched target has as many flows as `x`."""
        if _is_batched(self.target) and (not _is_batched(x) or len(x) != len(self.target)):
            given = tuple(x.shape) if isinstance(x, Tensor) else "that of a list"
            raise ValueError(
                f"x has shape {given}; expected ({len(self.target)}, C, n, d), one flow for each "
                "of the targets"
            )

    def _evaluate(self, source: tuple, target: tuple, w: Tensor) -> tuple[Tensor, Classes]:
        kernel, dtype, scale = self.kernel, w.dtype, self._shrinkage
        source, target = self._slices(*source), self._slices(*target, movable=False)
        costs_xx = scale * source.costs(source)
        costs_xy = scale * source.costs(target)
        costs_yy = scale * target.costs(target)
        w, v = w.double(), self.class_weights.double()
        value = (
            (kernel.value(costs_xx) @ w @ w) / 2
            - kernel.value(costs_xy) @ v @ w
            + (kernel.value(costs_yy) @ v @ v) / 2
        )
        grad = source.gradient(
            [
                (source, kernel.derivative(costs_xx) * (scale * w)),
                (target, kernel.derivative(costs_xy) * (-scale * v)),
            ]
        )
        return value.to(dtype), grad

    def _slices(
        self, x, directions, levels, particle_weights, *, movable=True
    ) -> Slices | CentredSlices:
        if self.center:
            return CentredSlices(x, directions, movable=movable, precision=self.precision)
        return Slices(
            x,
            directions,
            p=self.kernel.p,
            levels=levels,
            particle_weights=particle_weights,
            movable=movable,
            precision=self.precision,
        )


def check_center(kernel: Kernel, quantiles: str, *, weighted: bool) -> None:
    """Raise a `ValueError` where `center` is true and SW has no exact part of the means."""
    if kernel.p != 2:
        raise ValueError(
            f"center is true, and the kernel {kernel.name!r} is one of SW_{kernel.p}; expected a "
            "kernel of SW_2, or center false"
        )
    if quantiles != "exact":
        raise ValueError(
            f"center is true, and quantiles is {quantiles!r}; expected quantiles 'exact', or "
            "center false"
        )
    if weighted:
        raise ValueError(
            "center is true, and particle weights are given; expected none, or center false"
        )


def _directions(
    n_directions: int, kind: str, x: Tensor, generator: torch.Generator | None
) -> Tensor:
    return sample_directions(
        n_directions,
        x.shape[-1],
        kind=kind,
        generator=generator,
        device=x.device,
        dtype=x.dtype,
    )


def _is_batched(x: Classes) -> bool:
    return isinstance(x, Tensor) and x.dim() == 4


def _flow(inputs: tuple, b: int) -> tuple:
    """Arguments of flow b: those with a leading axis have one axis more than those without."""
    axes = (4, 3, 3, 3)
    return tuple(
        value[b] if isinstance(value, Tensor) and value.dim() == dim else value
        for value, dim in zip(inputs, axes, strict=True)
    )
