"""Time to accuracy: seconds until flows are as good as the reference method's end.

A cell is a target dataset with k images per class; its flows, one for each draw, are repetitions.
A method reaches the reference's loss at the first snapshot at which its held-out loss, that of the
MMD with the paper's kernel for every method, is no more than the reference's at the end, plus one
standard error. It reaches the reference's accuracy at the first one at which few-shot classifiers,
trained on the target's and the moved images, are no worse than at the reference's end, less one
standard error. Errors are over flows; a single flow has none. Snapshots are taken after 1, 2, 5,
10, 20, 50 and so on steps and at the end, and seconds are those of composing the functional and of
the steps. All is measured in one run on one machine.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wowbench.bench.cells import SOURCE, evaluator_of, is_bundled, pose, read_tasks
from wowbench.bench.flow import REFERENCE
from wowbench.bench.profiles import performance_profile
from wowbench.bench.timing import Setting, measure, median_times, prepare
from wowbench.errors import DivergedError

if TYPE_CHECKING:
    from wowbench.bench.cells import Posed
    from wowbench.tasks.transfer import Transfer

METHODS = ("mmdsw", "mmdsw_fast", "mmdsw_sprint", "otdd", "mmd_product")
RATIOS = (1, 2, 5, 10, 100)
"""Ratios of the performance profiles."""

GOALS = ("loss", "accuracy")
AUTHORS_REPEATS = 20
ENTRY = "names, or as in a config '{name: NAME, ...}'"


def add_parser(subparsers) -> None:
    """Add ``accuracy`` to the benchmarks of the command line."""
    parser = subparsers.add_parser(
        "accuracy", help="time flows until they are as good as a reference", description=__doc__
    )
    parser.add_argument(
        "--datasets",
        nargs="+",
        default=["FashionMNIST"],
        metavar="DATASET",
        help=f"targets: {ENTRY}",
    )
    parser.add_argument(
        "--data-root", type=Path, help="default: $WOWBENCH_DATA, else bundled images"
    )
    parser.add_argument("--k", type=int, nargs="+", default=[5], help="target images per class")
    parser.add_argument("--n", type=int, default=200, help="source images per class")
    parser.add_argument("--flows", type=int, default=3, help="draws of each cell")
    parser.add_argument("--trainings", type=int, default=5, help="classifiers of each snapshot")
    parser.add_argument("--epochs", type=int, help="of a training (default: the transfer task's)")
    parser.add_argument("--methods", nargs="+", default=METHODS, metavar="METHOD", help=ENTRY)
    parser.add_argument("--reference", default=REFERENCE, help="one of the methods")
    parser.add_argument("--steps", type=int, help="cap for every method (default: none)")
    parser.add_argument(
        "--all-snapshots",
        action="store_true",
        help="train on every snapshot (default: bisect, as if accuracy only rose)",
    )
    parser.add_argument("--seed", type=int, default=0, help="root seed")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own)")
    parser.add_argument(
        "--authors-code",
        type=Path,
        help="extrapolate the authors' JAX code in this checkout from some steps",
    )
    parser.add_argument("--json", type=Path, help="file to write all numbers to")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print seconds to the reference's loss and accuracy, and the performance profiles.

    Raises
    ------
    InputError
        If a size is not positive; a dataset or method is unknown, given twice or does not fit; the
        reference is not among the methods; or what a comparison needs is not there.
    DivergedError
        If the reference diverges.
    """
    import torch

    from wowbench.jobs.machine import resolve_device

    prepare(options, ("n", "flows", "trainings", "epochs", "steps"))
    options.device = resolve_device(options.device)
    tasks = read_tasks(options)
    # All draws come first, so that a class with too few images is found before any flow.
    cells = [
        (task, cell, pose(task, cell, options.seed, options.data_root, options.device))
        for task in tasks
        for cell in task.cells(options.seed)
    ]
    record: dict[str, Any] = {
        "setting": _setting(options, tasks),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "authors_code": _time_authors(options, tasks),
        "results": [],
        "flows": [],
        "profiles": {},
    }
    _print_setting(options, record)
    for task, cell, draws in cells:
        axes = {axis: cell.axes[axis] for axis in ("target", "k")}
        results, flows = _compare(options, task, draws)
        record["results"] += [axes | result for result in results]
        record["flows"] += [axes | flow for flow in flows]
        _write(options, record)  # A cell may take hours.
        _print_results([axes | result for result in results], options.reference)
    record["profiles"] = {goal: _profile(record["results"], goal) for goal in GOALS}
    _write(options, record)
    _print_profiles(record["profiles"])


def _setting(options: argparse.Namespace, tasks: list[Transfer]) -> dict[str, Any]:
    """Say what is measured, as JSON types: all parameters of the tasks and their methods."""
    names = ("reference", "all_snapshots", "seed", "device")
    return {
        **{name: getattr(options, name) for name in names},
        "bundled": is_bundled(options),
        "tasks": [task.model_dump(mode="json") for task in tasks],
    }


def _time_authors(options: argparse.Namespace, tasks: list[Transfer]) -> list[dict[str, Any]]:
    """Time the authors' step at each k, and extrapolate flows of the published length."""
    if options.authors_code is None:
        return []
    from wowbench.bench.rivals import authors_step
    from wowbench.methods.mmdsw import MMDSW

    found = []
    for task in tasks:
        (k,), target = task.shots, task.targets[0]
        setting = Setting(target.n_classes, options.n, k, math.prod(target.shape))
        step = {"step": authors_step(setting, options.authors_code)}
        times = measure(step, {"step": AUTHORS_REPEATS}, "cpu")
        steps = MMDSW.published_settings("transfer", k)["steps"]
        found.append(
            {
                "k": k,
                "steps": steps,
                "milliseconds": times["step"],
                "extrapolated_seconds": steps * median_times(times)["step"] / 1e3,
            }
        )
    return found


def _compare(
    options: argparse.Namespace, task: Transfer, draws: list[Posed]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Run all methods on the draws of a cell; return their results, and all numbers of flows."""
    from wowbench.bench.curves import compare_ends, run_flows

    evaluator = evaluator_of(task)
    methods = {method.label: method for method in task.methods}
    reference = run_flows(methods[options.reference], draws, evaluator)
    results, flows = [], []
    for name, method in methods.items():
        curve = reference
        if name != options.reference:
            try:
                curve = run_flows(method, draws, evaluator)
            except DivergedError as error:
                results.append({"method": name, "status": "diverged", "message": str(error)})
                continue
        result = compare_ends(curve, reference, bisect=not options.all_snapshots)
        results.append({"method": name, "status": "ok", **result})
        flows += [{"method": name, **flow} for flow in curve.records()]
    return results, flows


def _profile(results: list[dict[str, Any]], goal: str) -> dict[str, list[float]]:
    """Compute the performance profile, over the cells, of the times to a goal."""
    times: dict[str, list[float | None]] = {}
    for result in results:
        seconds = result["seconds_to"][goal] if result["status"] == "ok" else None
        times.setdefault(result["method"], []).append(seconds)
    return performance_profile(times, RATIOS)


def _write(options: argparse.Namespace, record: dict[str, Any]) -> None:
    from wowbench.files import write_text

    if options.json is not None:
        write_text(options.json, json.dumps(record, indent=2) + "\n")


def _print_setting(options: argparse.Namespace, record: dict[str, Any]) -> None:
    images = "bundled images" if record["setting"]["bundled"] else "whole datasets"
    print(
        f"{SOURCE}, {images}, n={options.n}, {options.flows} flows x {options.trainings} "
        f"trainings, {options.device}, {record['threads']} threads; reference {options.reference}"
    )
    for found in record["authors_code"]:
        print(
            f"the authors' code, k={found['k']}: {found['extrapolated_seconds']:.3g} s for "
            f"{found['steps']} steps, extrapolated from the values and gradients of "
            f"{AUTHORS_REPEATS} steps"
        )


def _print_results(results: list[dict[str, Any]], reference: str) -> None:
    rows = []
    for result in results:
        row = {"target": result["target"], "k": result["k"], "method": result["method"]}
        if result["status"] == "ok":
            row |= {f"s to {goal}": _shown(result["seconds_to"][goal]) for goal in GOALS}
            row["s in all"] = _shown(result["seconds"])
            for goal in GOALS:
                row[f"{goal}: of {reference}'s s"] = _shown(result["of_reference"][goal])
            loss, error = result["end_loss"], result["end_loss_error"]
            row["end loss"] = f"{loss:.3g}" + ("" if error is None else f" ± {error:.1g}")
            mean, error = result["end_accuracy"], result["end_accuracy_error"]
            row["end accuracy (%)"] = f"{100 * mean:.1f}" + (
                "" if error is None else f" ± {100 * error:.1f}"
            )
        else:
            row |= {f"s to {goal}": result["status"] for goal in GOALS}
        rows.append(row)
    _print_table(rows)


def _print_profiles(profiles: dict[str, dict[str, list[float]]]) -> None:
    for goal, shares in profiles.items():
        print(f"\nShare of cells solved within a ratio of the fastest time to {goal}:")
        _print_table(
            {"method": method}
            | {f"{ratio}x": f"{share:.2f}" for ratio, share in zip(RATIOS, own, strict=True)}
            for method, own in shares.items()
        )


def _shown(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.3g}"


def _print_table(rows: Iterable[dict[str, str]]) -> None:
    import pandas as pd

    table = pd.DataFrame(rows).fillna("")
    print(table.to_markdown(index=False, disable_numparse=True), flush=True)
