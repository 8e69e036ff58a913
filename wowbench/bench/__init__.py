"""Benchmarks of speed, as ratios measured in one run."""

from wowbench.bench import accuracy, distance, flow, scaling, startup, step, trainings, variance
from wowbench.bench.card import gpu


def add_parser(verbs) -> None:
    """Add the verb ``bench`` and its benchmarks to the command line."""
    verb = verbs.add_parser("bench", help="measure speed", description=__doc__)
    benchmarks = verb.add_subparsers(dest="benchmark", required=True, metavar="BENCHMARK")
    for module in (step, flow, accuracy, distance, scaling, trainings, variance, startup, gpu):
        module.add_parser(benchmarks)
