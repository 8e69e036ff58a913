"""Time of distances between disjoint subsets of a dataset, beside their authors' code and POT."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wowbench.bench.timing import measure, median_times, prepare
from wowbench.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from wowbench.distances.base import Distance

SLOW_REPEATS = 3
"""Times that other people's code is run."""


@dataclass(frozen=True)
class DistanceSetting:
    """Two labelled datasets of one kind and size.

    Attributes
    ----------
    dataset : str or dict
        Where both are drawn from, as in a config.
    per_class : int
        Points of a class.
    directions : int
        Directions of those distances that draw them.
    data_root : str or None
        Folder of the dataset's files.
    device : str
        Torch device.
    threads : int
        Torch threads.
    """

    dataset: Any
    per_class: int
    directions: int
    data_root: str | None
    device: str
    threads: int

    def draw(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return the classes ``(n, d)`` of both, in natural units."""
        from wowbench.datasets.subsets import Subsets
        from wowbench.parameters import FromRegistry
        from wowbench.registry import DATASETS
        from wowbench.space import Space

        dataset = FromRegistry(DATASETS).build(self.dataset)
        train = dataset.load("train", self.data_root and Path(self.data_root))
        subsets = Subsets(pairs=1, per_class=self.per_class, source_seed=0, target_seed=0)
        space = Space(train.shape)
        return tuple(
            [space.enter(train.particles[m]).flatten(1).to(self.device) for m in side]
            for side in subsets.members(0, train, train, disjoint=True)
        )

    def distance(self, entry: Any) -> Distance:
        """Build a distance with this many directions, if it draws any."""
        from wowbench.parameters import FromRegistry
        from wowbench.registry import DISTANCES

        return with_directions(FromRegistry(DISTANCES).build(entry), self.directions)


def add_parser(subparsers) -> None:
    """Add ``distance`` to the benchmarks of the command line."""
    parser = subparsers.add_parser(
        "distance", help="time distances between datasets", description=__doc__
    )
    parser.add_argument(
        "--distances",
        nargs="+",
        default=["sotdd", "swb1dg", "wow"],
        metavar="NAME",
        help="(default: %(default)s)",
    )
    parser.add_argument(
        "--dataset",
        default="{name: MNIST, bundled: true}",
        metavar="NAME",
        help="as in a config (default: %(default)s)",
    )
    parser.add_argument("--data-root", help="of the dataset: default $WOWBENCH_DATA, else data")
    parser.add_argument("--per-class", type=int, default=100, help="points (default: 100)")
    parser.add_argument("--directions", type=int, default=1000, help="(default: 1000)")
    parser.add_argument(
        "--sotdd-code",
        type=Path,
        metavar="DIR",
        help="time s-OTDD's authors' code in this checkout",
    )
    parser.add_argument(
        "--swb1dg-code",
        type=Path,
        metavar="DIR",
        help="time SWB1DG's authors' code in this checkout",
    )
    parser.add_argument(
        "--memory", action="store_true", help="measure peak memory at half the size too"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own)")
    parser.add_argument("--repeats", type=int, default=7, help="times of each (default: 7)")
    parser.add_argument("--json", type=Path, help="file to write all times to")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print median milliseconds, and the ratio of each rival's to this project's.

    Raises
    ------
    InputError
        If a size is not positive or larger than a class, a name is unknown, a checkout has not
        what is timed, or this system does not tell peaks of memory.
    """
    import torch
    import yaml

    prepare(options, ("per_class", "directions", "repeats"))
    if options.memory and options.device == "cpu" and not Path("/proc/self/clear_refs").exists():
        raise InputError("--memory needs Linux, whose /proc tells the peak of a process")
    setting = DistanceSetting(
        yaml.safe_load(options.dataset),
        options.per_class,
        options.directions,
        options.data_root,
        options.device,
        torch.get_num_threads(),
    )
    a, b = setting.draw()
    runs, rivals = {}, {}
    for name in options.distances:
        runs[name] = own_run(setting.distance(yaml.safe_load(name)), a, b)
        rival = _rival(name, a, b, options)
        if rival is not None:
            rivals[name], run = rival
            runs[rivals[name]] = run
    repeats = dict.fromkeys(runs, options.repeats)
    repeats |= dict.fromkeys(rivals.values(), min(SLOW_REPEATS, options.repeats))
    times = measure(runs, repeats, setting.device)
    medians = median_times(times)
    print(f"{setting}, {sum(map(len, a))} points on each side, medians")
    for name in options.distances:
        print(f"{name:>18}: {medians[name]:9.1f} ms, value {runs[name]():.6g}")
        if rival := rivals.get(name):
            print(
                f"{'':>20}{rival}: {medians[rival]:.1f} ms, {medians[rival] / medians[name]:.2f} x "
                f"this project, value {runs[rival]():.6g}"
            )
    peaks = _peaks(options.distances, setting, a, b) if options.memory else {}
    for name, (half, whole) in peaks.items():
        print(f"{name:>18}: {whole:.0f} MiB beyond its input, {half:.0f} MiB with half the points")
    if options.json is not None:
        record = {
            "setting": asdict(setting),
            "torch": torch.__version__,
            "milliseconds": times,
            "peak_mebibytes": peaks,
        }
        options.json.write_text(json.dumps(record, indent=2) + "\n")


def with_directions(distance: Distance, number: int) -> Distance:
    """Return a distance along so many directions, or itself if it draws none."""
    more = {"n_directions": number} if distance.stochastic else {}
    return distance.model_copy(update=more)


def own_run(distance: Distance, a: list[Tensor], b: list[Tensor]) -> Callable[[], float]:
    """Return what measures a squared distance, each time along the same directions."""
    import torch

    device = a[0].device
    return lambda: distance.measure(a, b, torch.Generator(device).manual_seed(0)).value


def _rival(
    name: str, a: list[Tensor], b: list[Tensor], options: argparse.Namespace
) -> tuple[str, Callable[[], float]] | None:
    """Name and code of what a distance is compared with, if anything."""
    from wowbench.bench import distance_rivals as rivals

    if name == "sotdd" and options.sotdd_code is not None:
        run = rivals.sotdd(options.sotdd_code, a, b, options.directions)
        return "s-OTDD's authors' code", run
    if name == "swb1dg" and options.swb1dg_code is not None:
        run = rivals.swb1dg(options.swb1dg_code, a, b, options.directions)
        return "SWB1DG's authors' code", run
    if name == "wow":
        return "POT's solver alone", rivals.pot_solver(a, b)
    return None


def _peaks(
    names: list[str], setting: DistanceSetting, a: list[Tensor], b: list[Tensor]
) -> dict[str, tuple[float, float]]:
    """Peak memory in MiB, as of `peak_memory`, of half of each class and of the whole."""
    sides = [
        [[points[:size].cpu().numpy() for points in side] for side in (a, b)]
        for size in (max(1, setting.per_class // 2), setting.per_class)
    ]
    found = {}
    for name in names:
        sizes = []
        for points in sides:
            # A peak is that of a process, whose allocator keeps what it has had.
            with get_context("spawn").Pool(1) as pool:
                sizes.append(pool.apply(peak_memory, (name, setting, *points)))
        found[name] = tuple(sizes)
    return found


def peak_memory(
    name: str, setting: DistanceSetting, a: list[np.ndarray], b: list[np.ndarray]
) -> float:
    """Measure once, and return the most MiB that the process had beyond those before."""
    import torch
    import yaml

    torch.set_num_threads(setting.threads)
    distance = setting.distance(yaml.safe_load(name))
    a, b = ([torch.from_numpy(points).to(setting.device) for points in side] for side in (a, b))
    # Libraries load on first use.
    own_run(distance, *([points[:3] for points in side] for side in (a, b)))()
    if setting.device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        own_run(distance, a, b)()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    # Importing torch took more than most distances do: forget that peak (proc(5)).
    Path("/proc/self/clear_refs").write_text("5")
    before = _kibibytes("VmRSS")
    own_run(distance, a, b)()
    return (_kibibytes("VmHWM") - before) / 2**10


def _kibibytes(name: str) -> int:
    """Read a line of this process's status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
