"""A step of MMDSW by other means, for comparison."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from wowbench.bench.timing import Setting
from wowbench.errors import InputError

if TYPE_CHECKING:
    import torch


def pot_step(setting: Setting) -> Callable[[], object]:
    """Return a step with directions, value and gradient by POT."""
    import torch

    from wowbench.geometry import sample_directions

    x, y = setting.draw()
    generator = torch.Generator(x.device).manual_seed(0)

    def step() -> torch.Tensor:
        directions = sample_directions(
            setting.directions, setting.dim, generator=generator, device=x.device, dtype=x.dtype
        )
        return x - pot_value_and_grad(x, y, directions)[1]

    return step


def pot_value_and_grad(
    x: torch.Tensor, y: torch.Tensor, directions: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Evaluate 1/2 MMD^2 with the Riesz kernel, r = 1, one pair of classes after the other.

    Parameters
    ----------
    x : Tensor (C, n, d)
        The source.
    y : Tensor (C', m, d)
        The target.
    directions : Tensor (L, d)
        Unit vectors.

    Returns
    -------
    value : Tensor ()
    grad : Tensor (C, n, d)
        The WoW gradient ``n C dF/dx``, by POT's distances and automatic differentiation.
    """
    import ot

    source = x.clone().requires_grad_()

    def mean_kernel(left, right):
        distances = [
            ot.sliced_wasserstein_distance(a, b, projections=directions.T)
            for a in left
            for b in right
            if a is not b
        ]
        return -sum(distances) / (len(left) * len(right))

    xs, ys = list(source), list(y)
    value = mean_kernel(xs, xs) / 2 - mean_kernel(xs, ys) + mean_kernel(ys, ys) / 2
    value.backward()
    return value.detach(), source.grad * len(x) * x.shape[1]


def authors_step(setting: Setting, checkout: Path) -> Callable[[], object]:
    """Return the value and gradient by the JAX code of the paper's authors.

    Parameters
    ----------
    setting : Setting
        The size of the problem.
    checkout : path
        Folder of a checkout of github.com/clbonet/Flowing_Datasets_with_WoW_Gradient_Flows.

    Raises
    ------
    InputError
        If jax is not installed or the folder is no such checkout.
    """
    if importlib.util.find_spec("jax") is None:
        raise InputError("--authors-code: jax is not installed; the authors' code needs it")
    if not (checkout / "lib" / "mmd.py").is_file():
        raise InputError(
            f"--authors-code: {checkout} has no lib/mmd.py; expected a checkout of the authors' "
            "repository"
        )
    sys.path.insert(0, str(checkout))
    import jax
    from lib.mmd import target_value_and_grad_riesz

    x, y = (jax.numpy.asarray(points.cpu().numpy()) for points in setting.draw())
    evaluate = jax.jit(
        lambda x, key: target_value_and_grad_riesz(x, y, key, n_projs=setting.directions)
    )
    keys = iter(jax.random.split(jax.random.PRNGKey(0), 10_000))
    return lambda: jax.block_until_ready(evaluate(x, next(keys)))
