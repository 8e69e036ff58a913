"""A step of MMDSW by other means, for comparison."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

from wowbench.bench.timing import Setting
from wowbench.errors import InputError


def pot_step(setting: Setting) -> Callable[[], object]:
    """Return the value and gradient by POT and automatic differentiation, pair by pair."""
    import ot
    import torch

    x, y = setting.draw()
    generator = torch.Generator(x.device).manual_seed(0)

    def riesz(a, b, theta):
        return -ot.sliced_wasserstein_distance(a, b, projections=theta)

    def step() -> torch.Tensor:
        gaussian = torch.randn(
            setting.dim, setting.directions, generator=generator, dtype=x.dtype, device=x.device
        )
        theta = gaussian / gaussian.norm(dim=0)
        source = x.clone().requires_grad_()
        pairs = range(setting.classes)
        value = sum(
            riesz(source[c], source[e], theta) / 2 - riesz(source[c], y[e], theta)
            if c != e
            else -riesz(source[c], y[e], theta)
            for c in pairs
            for e in pairs
        )
        value = value + sum(riesz(y[c], y[e], theta) / 2 for c in pairs for e in pairs)
        value.backward()
        return x - source.grad * setting.n / setting.classes

    return step


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
