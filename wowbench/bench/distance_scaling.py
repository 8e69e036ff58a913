"""Time of distances between labelled datasets of growing sizes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wowbench.bench.distance import own_run, with_directions
from wowbench.bench.timing import measure, median_times, prepare, write_rows

if TYPE_CHECKING:
    from torch import Tensor

DEFAULTS = {"n": 100, "classes": 10, "directions": 100, "dim": 784}
"""Sizes of what is not swept."""

AXES = {
    "n": (20, 50, 100, 200, 500),
    "classes": (2, 5, 10, 20),
    "directions": (10, 100, 1000),
}
"""Sizes that are swept, one axis at a time."""

LABELS = {"n": "points of a class $n$", "classes": "classes $C$", "directions": "directions $L$"}


def add_parser(subparsers) -> None:
    """Add ``distance-scaling`` to the benchmarks of the command line."""
    parser = subparsers.add_parser(
        "distance-scaling",
        help="time distances between datasets of growing sizes",
        description=__doc__,
    )
    parser.add_argument("--out", type=Path, required=True, help="figure; a CSV goes beside it")
    parser.add_argument("--distances", nargs="+", metavar="NAME", help="(default: all)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Write the figure, and the same times as a CSV beside it."""
    from wowbench.parameters import FromRegistry
    from wowbench.registry import DISTANCES

    prepare(options, ("repeats",))
    names = options.distances or DISTANCES.names()
    distances = {name: FromRegistry(DISTANCES).build(name) for name in names}
    rows = []
    for axis, values in AXES.items():
        for value in values:
            sizes = DEFAULTS | {axis: value}
            a, b = draw(sizes, options.device)
            runs = {
                name: own_run(with_directions(distance, sizes["directions"]), a, b)
                for name, distance in distances.items()
                if axis != "directions" or distance.stochastic
            }
            times = measure(runs, dict.fromkeys(runs, options.repeats), options.device)
            for name, milliseconds in median_times(times).items():
                rows.append({"axis": axis, **sizes, "distance": name, "milliseconds": milliseconds})
                print(f"{axis} = {value}: {name} {milliseconds:.1f} ms")
    write_rows(rows, options.out.with_suffix(".csv"))
    _draw(rows, options.out)


def draw(sizes: dict[str, int], device: str) -> tuple[list[Tensor], list[Tensor]]:
    """Return two datasets with uniform entries, as of images in [0, 1]: classes ``(n, d)``."""
    import torch

    generator = torch.Generator().manual_seed(0)
    shape = (sizes["classes"], sizes["n"], sizes["dim"])
    return tuple(list(torch.rand(shape, generator=generator).to(device)) for _ in range(2))


def _draw(rows: Sequence[dict], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import pandas as pd
    import seaborn as sns
    from matplotlib import pyplot as plt

    from wowbench.figures.styles import method_styles

    table = pd.DataFrame(rows)
    styles = method_styles(table.distance)
    sns.set_theme(style="whitegrid", context="paper")
    figure, axes = plt.subplots(1, len(AXES), figsize=(3 * len(AXES), 3.4), sharey=True)
    for place, axis in zip(axes, AXES, strict=True):
        for name, own in table[table["axis"] == axis].groupby("distance", sort=False):
            style = styles[name]
            place.plot(
                own[axis],
                own.milliseconds,
                color=style.colour,
                marker=style.marker,
                ms=4,
                lw=1,
                label=name,
            )
        place.set(xscale="log", yscale="log", xlabel=LABELS[axis])
    axes[0].set_ylabel("milliseconds")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.tight_layout()
    figure.legend(handles, labels, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    figure.savefig(path, dpi=200, bbox_inches="tight")
    plt.close(figure)
