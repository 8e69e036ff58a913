"""Variance of MMDSW's gradient by how it is estimated, along a flow of bundled images."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wowbench.bench.flow import add_problem_options, bundled_problem
from wowbench.bench.timing import prepare

if TYPE_CHECKING:
    import torch

    from wowbench.functionals import SlicedMMD


@dataclass(frozen=True)
class Estimator:
    """How a gradient is estimated.

    Attributes
    ----------
    kind : {"gaussian", "orthogonal", "frame"}
        Kind of directions.
    n_directions : int or None
        Their number; None for as many as dimensions.
    center : bool
        Whether the part of the means is exact.
    hull : bool
        Whether directions are those of the affine hull of the target.
    """

    kind: str
    n_directions: int | None
    center: bool = False
    hull: bool = False


ESTIMATORS = {
    "gaussian": Estimator("gaussian", 500),
    "gaussian, exact means": Estimator("gaussian", 500, center=True),
    "orthogonal": Estimator("orthogonal", 500),
    "orthogonal, exact means": Estimator("orthogonal", 500, center=True),
    "orthogonal, few": Estimator("orthogonal", 50),
    "orthogonal, few, exact means": Estimator("orthogonal", 50, center=True),
    "frame": Estimator("frame", None),
    "frame in the hull": Estimator("frame", None, hull=True),
}
"""Estimators by name. Whole frames have exact means of themselves."""


@dataclass(frozen=True)
class Spread:
    """Spread of the gradients of one estimator at one state.

    Attributes
    ----------
    directions : int
        Number L of directions of a gradient.
    variance : float
        ``E |g - E g|^2 / |E g|^2``, over draws of the directions and all particles.
    """

    directions: int
    variance: float

    @property
    def per_500(self) -> float:
        """What it would be for 500 directions, if it fell as 1 / L."""
        return self.variance * self.directions / 500


def add_parser(subparsers) -> None:
    """Add ``variance`` to the benchmarks of the command line."""
    parser = subparsers.add_parser(
        "variance", help="measure the variance of MMDSW's gradient", description=__doc__
    )
    add_problem_options(parser)
    parser.add_argument("--steps", type=int, default=2000, help="steps of the flow (mmdsw_fast)")
    parser.add_argument("--draws", type=int, default=20, help="gradients of each kind")
    parser.add_argument("--csv", type=Path, help="file to write the table to")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print the relative variance of the gradient at the start, middle and end of a flow.

    Raises
    ------
    InputError
        If a size is not positive, or larger than a bundled class.
    """
    import pandas as pd

    prepare(options, ("n", "k", "steps", "draws"))
    rows = [
        {
            "state": state,
            "directions": name,
            "L": spread.directions,
            "variance": spread.variance,
            "per 500 directions": spread.per_500,
        }
        for state, name, spread in _spreads(options)
    ]
    table = pd.DataFrame(rows)
    print(f"n={options.n}, k={options.k}, mmdsw_fast of {options.steps:,} steps, ", end="")
    print(f"{options.draws} gradients of each kind: E |g - E g|^2 / |E g|^2")
    print(table.to_markdown(index=False, floatfmt=".2g"))
    if options.csv is not None:
        table.to_csv(options.csv, index=False)


def _spreads(options: argparse.Namespace) -> Iterator[tuple[str, str, Spread]]:
    import torch

    from wowbench.functionals import SlicedMMD
    from wowbench.geometry import AffineHull
    from wowbench.kernels.riesz import Riesz
    from wowbench.methods.mmdsw import MMDSWFast
    from wowbench.methods.problem import RunContext

    problem = bundled_problem(options.n, options.k, options.device)
    y = problem.target.flatten(2)
    hull = AffineHull.of(y.flatten(0, 1))
    states = {"start": 0, "middle": options.steps // 2, "end": options.steps}
    method = MMDSWFast(steps=options.steps)
    frames = method.run(problem, RunContext(seed=0, snapshots=tuple(states.values()))).frames
    for state, step in states.items():
        x = frames[step].particles.unflatten(0, problem.source.shape[:2]).flatten(2)
        for name, estimator in ESTIMATORS.items():
            points, target = (hull.enter(x), hull.enter(y)) if estimator.hull else (x, y)
            mmd = SlicedMMD(
                target,
                Riesz(),
                n_directions=estimator.n_directions,
                directions=estimator.kind,
                ambient_dim=y.shape[-1],
                center=estimator.center,
            )
            generator = torch.Generator(x.device).manual_seed(1)
            draw = partial(_gradient, mmd, points, generator)
            size = estimator.n_directions or points.shape[-1]
            yield state, name, Spread(size, relative_variance(draw, options.draws))


def _gradient(mmd: SlicedMMD, points: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return mmd.value_and_grad({"x": points}, generator)[1]["x"]


def relative_variance(draw: Callable[[], torch.Tensor], draws: int) -> float:
    """Estimate ``E |g - E g|^2 / |E g|^2`` from independent draws of g.

    Both parts are without bias: with the sample mean m of n draws and the sum s of the sample
    variances of the entries, they are s and ``|m|^2 - s / n``.

    Parameters
    ----------
    draw : callable
        Returns a new draw.
    draws : int
        Number n of draws, at least 2.
    """
    import torch

    gradients = torch.stack([draw().double() for _ in range(max(draws, 2))])
    variance = gradients.var(0).sum()
    squared_mean = gradients.mean(0).square().sum() - variance / len(gradients)
    return float(variance / squared_mean.clamp_min(torch.finfo(torch.float64).tiny))
