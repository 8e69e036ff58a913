"""Time of training several classifiers: one after the other, in threads, and stacked."""

import argparse
import json
import statistics
import time
from pathlib import Path

from wowbench.bench.timing import prepare


def add_parser(subparsers) -> None:
    """Add ``trainings`` to the benchmarks of the command line."""
    parser = subparsers.add_parser(
        "trainings", help="time the ways to train several classifiers", description=__doc__
    )
    parser.add_argument("--network", default="lenet5")
    parser.add_argument("--networks", type=int, default=5, help="how many are trained")
    parser.add_argument("--steps", type=int, default=50, help="optimiser steps of each")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--samples", type=int, default=2050, help="training images, 28x28")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own)")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print the median milliseconds of a step of one network, and the ratios."""
    import torch

    prepare(options, ("networks", "steps", "batch_size", "samples", "repeats"))
    threads = torch.get_num_threads()
    ways = {"one by one": (False, 1), "stacked": (True, threads)}
    if options.device == "cpu":
        ways["one a thread"] = (False, threads)
    _time(options, *ways["stacked"])  # the first training pays for start-up
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(options.repeats):
        for way, how in ways.items():
            times[way].append(_time(options, *how))
    torch.set_num_threads(threads)
    figures = {way: statistics.median(values) for way, values in times.items()}
    for way, milliseconds in figures.items():
        ratio = figures["one by one"] / milliseconds
        print(f"{way:>12}: {milliseconds:6.2f} ms a network and step, {ratio:4.2f} x one by one")
    if options.json is not None:
        setting = {key: getattr(options, key) for key in ("network", "networks", "device")}
        setting |= {"threads": threads, "milliseconds": figures}
        options.json.write_text(json.dumps(setting, indent=2) + "\n")


def _time(options: argparse.Namespace, stacked: bool, threads: int) -> float:
    import torch

    from wowbench.evaluation.optimisers import AdamW
    from wowbench.evaluation.training import train_classifiers

    torch.set_num_threads(threads)
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(options.samples, 1, 28, 28, generator=generator)
    labels = torch.arange(options.samples) % 10
    start = time.perf_counter()
    train_classifiers(
        images,
        labels,
        n_classes=10,
        seeds=range(options.networks),
        optimiser=AdamW(lr=3e-4, weight_decay=1e-4),
        network=options.network,
        batch_size=options.batch_size,
        steps=options.steps,
        device=options.device,
        stacked=stacked,
    )
    return (time.perf_counter() - start) * 1e3 / (options.networks * options.steps)
