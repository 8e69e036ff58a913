"""Time of one step of an MMDSW flow, as ratios to its products alone and to other codes.

A step of distillation is compared with its products too, or, with an embedding, with the passes
through the networks alone.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from wowbench.bench.distillation import DistillationSetting
from wowbench.bench.timing import Setting, measure, median_times, own_step, prepare
from wowbench.errors import InputError
from wowbench.provenance import peak_memory_bytes

OWN = "this project"
SLOW_REPEATS = 3
"""Times that POT is run: it takes seconds."""

TASKS = {"transfer": Setting, "distillation": DistillationSetting}
SIZES = ("classes", "n", "k", "dim", "directions", "batch_size")
OPTIONS_OF = {
    "transfer": ("dtype", "pot", "authors_code"),
    "distillation": ("batch_size", "embedding", "augmentation", "bfloat16"),
}
"""Options that fit one task alone."""


def add_parser(subparsers) -> None:
    """Add ``step`` to the benchmarks of the command line."""
    parser = subparsers.add_parser("step", help="time one step of MMDSW", description=__doc__)
    parser.add_argument("--task", default="transfer", choices=TASKS, help="(default: transfer)")
    for name, meaning in (
        ("classes", "classes of source and target"),
        ("n", "particles of a source class: synthetic images, in distillation"),
        ("k", "particles of a target class: real images in memory, in distillation"),
        ("dim", "numbers in a particle: pixels of a square image, in distillation"),
        ("directions", "directions of a step"),
    ):
        parser.add_argument(f"--{name}", type=int, help=f"{meaning} ({_defaults(name)})")
    parser.add_argument("--device", default=Setting.device)
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own)")
    parser.add_argument("--repeats", type=int, default=20, help="times of each (default: 20)")
    _add_options_of_tasks(parser)
    parser.add_argument("--json", type=Path, help="file to write all times to")
    parser.set_defaults(run=run)


def _add_options_of_tasks(parser: argparse.ArgumentParser) -> None:
    transfer = parser.add_argument_group("transfer alone")
    transfer.add_argument("--dtype", choices=("float32", "float64"), help=f"({_defaults('dtype')})")
    transfer.add_argument("--pot", action="store_true", help="time POT with autograd, pair by pair")
    transfer.add_argument(
        "--authors-code", type=Path, help="time the authors' JAX code in this checkout"
    )
    distillation = parser.add_argument_group("distillation alone")
    distillation.add_argument(
        "--batch-size",
        type=int,
        help=f"real images of a class in a step (default: {DistillationSetting.batch_size})",
    )
    distillation.add_argument(
        "--embedding", action="store_true", help="compare features of a random ConvNet-3"
    )
    distillation.add_argument(
        "--augmentation", action="store_true", help="compare augmented images"
    )
    distillation.add_argument(
        "--bfloat16", action="store_true", help="compute features of real images in bfloat16"
    )


def run(options: argparse.Namespace) -> None:
    """Print median milliseconds, and ratios to this project's step.

    Raises
    ------
    InputError
        If a size is not positive, an option does not fit the task, or what a comparison needs is
        not there.
    """
    import torch

    prepare(options, (*SIZES, "repeats"))
    setting = _setting(options)
    runs = {OWN: own_step(setting), setting.floor_name: setting.floor()}
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
    peak = peak_memory_bytes("cpu") / 2**30
    _print(setting, times, peak)
    if options.json is not None:
        record = {
            "task": options.task,
            "setting": dataclasses.asdict(setting),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "milliseconds": times,
            "peak_memory_gib": peak,
        }
        options.json.write_text(json.dumps(record, indent=2) + "\n")


def _setting(options: argparse.Namespace) -> Setting:
    """Read the size of the task's problem, with the task's own defaults."""
    for task, names in OPTIONS_OF.items():
        given = [name for name in names if getattr(options, name) not in (None, False)]
        if given and task != options.task:
            raise InputError(
                f"--{given[0].replace('_', '-')} is given with --task {options.task}; "
                f"it is an option of --task {task} alone"
            )
    setting = TASKS[options.task]
    values = {field.name: getattr(options, field.name) for field in dataclasses.fields(setting)}
    return setting(**{name: value for name, value in values.items() if value is not None})


def _defaults(name: str) -> str:
    """Put the default of an option into words, and that of each task where they differ."""
    defaults = {task: getattr(setting, name) for task, setting in TASKS.items()}
    if len(set(defaults.values())) == 1:
        return f"default: {defaults['transfer']}"
    return "default: " + ", ".join(f"{value} in {task}" for task, value in defaults.items())


def _print(setting: Setting, times: dict[str, list[float]], peak: float) -> None:
    medians = median_times(times)
    own = medians[OWN]
    print(f"{setting}, {_threads()} threads, medians")
    for name, milliseconds in medians.items():
        print(f"{name:>18}: {milliseconds:9.2f} ms, {milliseconds / own:8.2f} x this project")
    microseconds = own * 1e3 / (setting.classes * setting.n)
    ratio = own / medians[setting.floor_name]
    print(f"{ratio:.2f} x its {setting.floor_name}, {microseconds:.2f} us a particle")
    print(f"peak memory of the process: {peak:.2f} GiB")


def _threads() -> int:
    import torch

    return torch.get_num_threads()
