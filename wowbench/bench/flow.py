"""Time of a step of each flow of Table 2, from MNIST to Fashion-MNIST, on bundled images."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from wowbench.bench.timing import measure, median_times, prepare

if TYPE_CHECKING:
    import torch

    from wowbench.methods.problem import Problem

REFERENCE = "mmdsw"
METHODS_OF_TABLE_2 = ("mmdsw", "mmdsw_fast", "otdd", "mmd_product")
"""Methods that take the published number of steps."""

TIMED = (*METHODS_OF_TABLE_2, "mmdsw_sprint")
FLOOR = "two Gram products"
"""Products of the source's pixels with themselves and with the target's."""


def add_parser(subparsers) -> None:
    """Add ``flow`` to the benchmarks of the command line."""
    parser = subparsers.add_parser("flow", help="time a step of each method", description=__doc__)
    add_problem_options(parser)
    parser.add_argument("--steps", type=int, default=50, help="steps of each run")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each method")
    parser.add_argument("--json", type=Path, help="file to write all times to")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print median milliseconds per step, and ratios to MMDSW and to the Gram products.

    Raises
    ------
    InputError
        If a size is not positive, or larger than a bundled class.
    """
    import torch

    from wowbench.methods.problem import RunContext
    from wowbench.parameters import FromRegistry
    from wowbench.registry import METHODS

    prepare(options, ("n", "k", "steps", "repeats"))
    problem = bundled_problem(options.n, options.k, options.device)
    methods = {
        name: FromRegistry(METHODS).build({"name": name, "steps": options.steps}) for name in TIMED
    }
    times: dict[str, list[float]] = {name: [] for name in (*methods, FLOOR)}
    for _ in range(options.repeats):
        for name, method in methods.items():
            trajectory = method.run(problem, RunContext(seed=0))
            times[name].append(1e3 * trajectory.seconds / len(trajectory.losses))
        gram = {FLOOR: _gram_products(problem)}
        times[FLOOR] += measure(gram, {FLOOR: options.steps}, options.device)[FLOOR]
    _print(options, median_times(times))
    if options.json is not None:
        setting = {name: getattr(options, name) for name in ("n", "k", "steps", "device")}
        record = {"setting": setting, "threads": torch.get_num_threads(), "milliseconds": times}
        options.json.write_text(json.dumps(record, indent=2) + "\n")


def add_problem_options(parser: argparse.ArgumentParser) -> None:
    """Add the sizes of a `bundled_problem`, and where to compute."""
    parser.add_argument("--n", type=int, default=200, help="source images per class")
    parser.add_argument("--k", type=int, default=5, help="target images per class")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own)")


def bundled_problem(n: int, k: int, device: str) -> Problem:
    """Return n bundled images of each class of MNIST, and k of Fashion-MNIST to flow to."""
    from wowbench.datasets.splits import draw_per_class
    from wowbench.methods.problem import Problem
    from wowbench.registry import DATASETS
    from wowbench.space import Space

    images = [
        draw_per_class(DATASETS.get(name)(bundled=True).load("train"), size, seed=0)
        for name, size in (("MNIST", n), ("FashionMNIST", k))
    ]
    space = Space(tuple(images[0].shape[2:]), bounds=(0.0, 1.0))
    source, target = (space.enter(part).to(device) for part in images)
    return Problem(source, target, space)


def _gram_products(problem: Problem) -> Callable[[], torch.Tensor]:
    source, target = (part.flatten(0, 1).flatten(1) for part in (problem.source, problem.target))

    def products() -> torch.Tensor:
        source @ source.T
        return source @ target.T

    return products


def _print(options: argparse.Namespace, medians: dict[str, float]) -> None:
    import torch

    threads = torch.get_num_threads()
    print(f"n={options.n}, k={options.k}, {options.device}, {threads} threads, medians of a step")
    for name, milliseconds in medians.items():
        to_reference, to_floor = (milliseconds / medians[other] for other in (REFERENCE, FLOOR))
        print(
            f"{name:>18}: {milliseconds:9.2f} ms, {to_reference:7.2f} x MMDSW, "
            f"{to_floor:7.2f} x the Gram products"
        )
