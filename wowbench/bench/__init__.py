"""Benchmarks of speed, as ratios measured in one run."""

from wowbench.bench import (
    accuracy,
    distance,
    distance_scaling,
    flow,
    scaling,
    startup,
    step,
    trainings,
    variance,
)
from wowbench.bench.card import gpu


def add_parser(verbs) -> None:
    """Add the verb ``bench`` and its benchmarks to the command line."""
    verb = verbs.add_parser("bench", help="measure speed", description=__doc__)
    benchmarks = verb.add_subparsers(dest="benchmark", required=True, metavar="BENCHMARK")
    modules = (step, flow, accuracy, distance, distance_scaling, scaling, trainings, variance)
    for module in (*modules, startup, gpu):
        module.add_parser(benchmarks)
