"""Time of a step of MMDSW against the particles, classes, directions and dimension."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from wowbench.bench.timing import (
    Setting,
    measure,
    median_times,
    own_step,
    prepare,
    write_rows,
)

AXES = {
    "n": (25, 50, 100, 200, 400, 800, 1600),
    "classes": (2, 5, 10, 20, 50, 100),
    "directions": (50, 100, 200, 500, 1000, 2000),
    "dim": (2, 16, 128, 784, 3072),
}
"""Sizes that are swept, one axis at a time."""

LABELS = {
    "n": "particles of a class $n$",
    "classes": "classes $C$",
    "directions": "directions $L$",
    "dim": "dimension $d$",
}


def add_parser(subparsers) -> None:
    """Add ``scaling`` to the benchmarks of the command line."""
    parser = subparsers.add_parser(
        "scaling", help="time steps of MMDSW of growing sizes", description=__doc__
    )
    parser.add_argument("--out", type=Path, required=True, help="figure; a CSV goes beside it")
    parser.add_argument("--k", type=int, default=100, help="particles of a target class")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own)")
    parser.add_argument("--repeats", type=int, default=7)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Write the figure, and the same figures as a CSV beside it."""
    prepare(options, ("k", "repeats"))
    rows = []
    for axis, values in AXES.items():
        for value in values:
            setting = Setting(**{"k": options.k, "device": options.device, axis: value})
            runs = {"step": own_step(setting), "products": setting.floor()}
            times = measure(runs, dict.fromkeys(runs, options.repeats), setting.device)
            medians = median_times(times)
            rows.append({"axis": axis, **dataclasses.asdict(setting), **medians})
            print(f"{axis} = {value}: {medians['step']:.2f} ms, products {medians['products']:.2f}")
    write_rows(rows, options.out.with_suffix(".csv"))
    _draw(rows, options.out)


def _draw(rows: list[dict], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import pandas as pd
    import seaborn as sns
    from matplotlib import pyplot as plt

    table = pd.DataFrame(rows)
    sns.set_theme(style="whitegrid", context="paper")
    figure, axes = plt.subplots(1, len(AXES), figsize=(3 * len(AXES), 3), sharey=True)
    for place, axis in zip(axes, AXES, strict=True):
        part = table[table["axis"] == axis]
        for column, style in (("step", "o-"), ("products", "s--")):
            place.plot(part[axis], part[column], style, label=column)
        place.set(xscale="log", yscale="log", xlabel=LABELS[axis])
    axes[0].set_ylabel("milliseconds per step")
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=200)
    plt.close(figure)
