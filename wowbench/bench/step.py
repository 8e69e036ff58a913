"""Time of one step of an MMDSW flow, as ratios to its products alone and to other codes."""

from __future__ import annotations

import argparse
import dataclasses
import json
import resource
from pathlib import Path

from wowbench.bench.timing import Setting, floor, measure, median_times, own_step, prepare

OWN, FLOOR = "this project", "products alone"
SLOW_REPEATS = 3
"""Times that POT is run: it takes seconds."""


def add_parser(subparsers) -> None:
    """Add ``step`` to the benchmarks of the command line."""
    parser = subparsers.add_parser("step", help="time one step of MMDSW", description=__doc__)
    default = Setting()
    parser.add_argument("--classes", type=int, default=default.classes)
    parser.add_argument("--n", type=int, default=default.n, help="particles of a source class")
    parser.add_argument("--k", type=int, default=default.k, help="particles of a target class")
    parser.add_argument("--dim", type=int, default=default.dim)
    parser.add_argument("--directions", type=int, default=default.directions)
    parser.add_argument("--device", default=default.device)
    parser.add_argument("--dtype", default=default.dtype, choices=("float32", "float64"))
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own)")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--pot", action="store_true", help="time POT with autograd, pair by pair")
    parser.add_argument(
        "--authors-code", type=Path, help="time the authors' JAX code in this checkout"
    )
    parser.add_argument("--json", type=Path, help="file to write all times to")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print median milliseconds, and ratios to this project's step.

    Raises
    ------
    InputError
        If a size is not positive, or what a comparison needs is not there.
    """
    import torch

    fields = [field.name for field in dataclasses.fields(Setting)]
    setting = Setting(**{name: getattr(options, name) for name in fields})
    prepare(options, ("classes", "n", "k", "dim", "directions", "repeats"))
    runs = {OWN: own_step(setting), FLOOR: floor(setting)}
    repeats = dict.fromkeys(runs, options.repeats)
    if options.pot:
        from wowbench.bench.rivals import pot_step

        runs["POT with autograd"] = pot_step(setting)
        repeats["POT with autograd"] = min(SLOW_REPEATS, options.repeats)
    if options.authors_code is not None:
        from wowbench.bench.rivals import authors_step

        runs["the authors' code"] = authors_step(setting, options.authors_code)
        repeats["the authors' code"] = options.repeats
    times = measure(runs, repeats, setting.device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    _print(setting, times, peak)
    if options.json is not None:
        record = {
            "setting": dataclasses.asdict(setting),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "milliseconds": times,
            "peak_memory_gib": peak,
        }
        options.json.write_text(json.dumps(record, indent=2) + "\n")


def _print(setting: Setting, times: dict[str, list[float]], peak: float) -> None:
    medians = median_times(times)
    own = medians[OWN]
    print(f"{setting}, {_threads()} threads, medians")
    for name, milliseconds in medians.items():
        print(f"{name:>18}: {milliseconds:9.2f} ms, {milliseconds / own:8.2f} x this project")
    microseconds = own * 1e3 / (setting.classes * setting.n)
    print(f"{own / medians[FLOOR]:.2f} x its products alone, {microseconds:.2f} us a particle")
    print(f"peak memory of the process: {peak:.2f} GiB")


def _threads() -> int:
    import torch

    return torch.get_num_threads()
