"""Wall-clock times of a step, and what they are compared with."""

from __future__ import annotations

import argparse
import csv
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from wowbench.errors import InputError

if TYPE_CHECKING:
    import torch

    from wowbench.flows.loop import Step
    from wowbench.functionals.base import Functional
    from wowbench.state import State


@dataclass(frozen=True)
class Setting:
    """The size of a problem, and a step of MMDSW on it: by default, on the whole target.

    Attributes
    ----------
    classes : int
        Classes C, of source and target.
    n, k : int
        Particles of a class, of source and target.
    dim, directions : int
        Dimension d and number L of directions.
    device, dtype : str
        Where and in which precision.
    floor_name : str
        What `floor` times.
    """

    floor_name: ClassVar[str] = "products alone"

    classes: int = 10
    n: int = 200
    k: int = 1
    dim: int = 784
    directions: int = 500
    device: str = "cpu"
    dtype: str = "float32"

    def draw(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return a source and a target with uniform entries, as of images in [0, 1]."""
        import torch

        generator = torch.Generator().manual_seed(0)
        return tuple(
            torch.rand(self.classes, size, self.dim, generator=generator).to(
                self.device, getattr(torch, self.dtype)
            )
            for size in (self.n, self.k)
        )

    def functional(self, y: torch.Tensor) -> Functional:
        """Return MMDSW's functional for the target `y`."""
        from wowbench.functionals import SlicedMMD
        from wowbench.kernels.riesz import Riesz

        return SlicedMMD(y, Riesz(), n_directions=self.directions)

    def floor(self) -> Callable[[], object]:
        """Return what a step is compared with: its products with the directions alone."""
        return products(*self.draw(), self.directions)


def prepare(options: argparse.Namespace, sizes: tuple[str, ...]) -> None:
    """Check the sizes of a benchmark, and set torch's threads if they are given.

    Raises
    ------
    InputError
        If one of the options `sizes`, or ``threads``, is given and less than 1.
    """
    import torch

    for name in (*sizes, "threads"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise InputError(
                f"--{name.replace('_', '-')} is {value}; expected an integer of at least 1"
            )
    if options.threads is not None:
        torch.set_num_threads(options.threads)


def start_step(
    setting: Setting,
) -> tuple[Step, State, torch.Generator]:
    """Return a whole step of an MMDSW flow: directions, value, gradient and update.

    Returns
    -------
    step : callable
        ``step(state, generator)``, captured where that is possible.
    state, generator : dict of str to Tensor and torch.Generator
        What it is to be called with.
    """
    import torch

    from wowbench.flows.descent import start_flow
    from wowbench.schemes.momentum import Momentum

    x, y = setting.draw()
    generator = torch.Generator(x.device).manual_seed(0)
    scheme = Momentum(lr=1.0, momentum=0.9)
    return start_flow(setting.functional(y), x, scheme, generator, steps=1)


def own_step(setting: Setting) -> Callable[[], object]:
    """Return what takes the step of `start_step`."""
    step, state, generator = start_step(setting)
    return lambda: step(state, generator)


def products(x: torch.Tensor, y: torch.Tensor, directions: int) -> Callable[[], object]:
    """Return the products of a step with its directions, into buffers that are there already.

    Parameters
    ----------
    x : Tensor (C, n, d)
        Particles, which are projected and whose gradient is carried back.
    y : Tensor (C', m, d)
        Target, which is projected.
    directions : int
        Number of directions L.
    """
    import torch

    x, y = (points.flatten(0, 1) for points in (x, y))
    theta = torch.randn(directions, x.shape[1], dtype=x.dtype, device=x.device)
    x_projections, y_projections, gradient = theta @ x.T, theta @ y.T, torch.empty_like(x)

    def multiply() -> None:
        torch.mm(theta, x.T, out=x_projections)
        torch.mm(theta, y.T, out=y_projections)
        torch.mm(x_projections.T, theta, out=gradient)

    return multiply


def measure(
    runs: dict[str, Callable[[], object]], repeats: dict[str, int], device: str
) -> dict[str, list[float]]:
    """Time several runs in turns, so that a disturbance meets them all.

    Before each time comes one that is not taken, as in a flow, where a step follows a step: caches
    and threads are not those that another run left.

    Parameters
    ----------
    runs : dict of str to callable
        What is timed, by name.
    repeats : dict of str to int
        Times that each is timed.
    device : str
        Device that is waited for.

    Returns
    -------
    dict of str to list of float
        Milliseconds.
    """
    from wowbench.memory import keep_freed_memory

    keep_freed_memory()
    wait = _waiter(device)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(max(repeats.values())):
        for name, run in runs.items():
            if turn < repeats[name]:
                run()
                wait()
                start = time.perf_counter()
                run()
                wait()
                times[name].append((time.perf_counter() - start) * 1e3)
    return times


def median_times(times: dict[str, list[float]]) -> dict[str, float]:
    """Median milliseconds by name."""
    return {name: statistics.median(values) for name, values in times.items()}


def write_rows(rows: Sequence[dict], path: Path) -> None:
    """Write rows with the same keys as a CSV file, in a folder that is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _waiter(device: str) -> Callable[[], None]:
    if not device.startswith("cuda"):
        return lambda: None
    import torch

    return torch.cuda.synchronize
