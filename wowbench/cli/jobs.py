"""Verbs that the rules of the workflow call for jobs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from wowbench.cli.options import optional_path
from wowbench.errors import InputError, one_line


def add_verbs(verbs) -> None:
    """Add them to the command line."""
    verb = _job(verbs, "prepare", "read a dataset and write it in the form that jobs read")
    verb.add_argument("--data-root", type=optional_path, help="default: $WOWBENCH_DATA, else data")
    verb = _job(verbs, "draw", "draw the particles of one flow")
    verb.add_argument("--source", type=Path, required=True, help="prepared source dataset")
    verb.add_argument("--target", type=Path, required=True, help="prepared target dataset")
    verb.add_argument(
        "--test", type=Path, help="prepared dataset whose test split is scored, if another"
    )
    verb = _job(verbs, "train", "train a classifier on target particles")
    verb.add_argument("--target", type=Path, required=True, help="prepared target dataset")
    verb.add_argument("--device", default="auto")
    verb = _repeated_job(verbs, "flow", "run a method on a draw, or several of them")
    verb.add_argument("--draw", type=Path, required=True, action="append")
    verb.add_argument("--record", type=Path, required=True, action="append")
    verb.add_argument("--device", default="auto")
    verb.add_argument(
        "--allow-divergence", action="store_true", help="record a divergence and exit with 0"
    )
    verb = _repeated_job(verbs, "evaluate", "score what a method made of a draw, or of several")
    verb.add_argument("--draw", type=Path, required=True, action="append")
    verb.add_argument("--flow", type=Path, required=True, action="append")
    verb.add_argument(
        "--test", type=Path, action="append", help="prepared dataset whose test split is read"
    )
    verb.add_argument(
        "--classifier", type=Path, action="append", help="trained classifier that is read"
    )
    verb.add_argument("--device", default="auto")
    verb = _repeated_job(
        verbs, "distance", "measure a distance between subsets of datasets, or several"
    )
    verb.add_argument(
        "--source", type=Path, required=True, action="append", help="prepared dataset"
    )
    verb.add_argument(
        "--target", type=Path, required=True, action="append", help="prepared dataset, or the same"
    )
    verb.add_argument("--device", default="auto")


def _job(verbs, name: str, summary: str) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=summary)
    verb.add_argument("--spec", required=True, help="JSON text, or a file that holds it")
    verb.add_argument("--out", type=Path, required=True)
    verb.add_argument("--record", type=Path, required=True)
    verb.set_defaults(run=_run_job)
    return verb


def _repeated_job(verbs, name: str, summary: str) -> argparse.ArgumentParser:
    """Add a verb that runs one job for each ``--spec``, all in this process."""
    verb = verbs.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}: for several jobs in one process, give "
        "--spec and the options for files once for each job, in the same order.",
    )
    verb.add_argument(
        "--spec", required=True, action="append", help="JSON text, or a file that holds it"
    )
    verb.add_argument("--out", type=Path, required=True, action="append")
    verb.set_defaults(run=_run_jobs)
    return verb


def _run_job(options) -> None:
    import importlib

    arguments = {k: v for k, v in vars(options).items() if k not in ("verb", "run", "spec")}
    job = importlib.import_module(f"wowbench.jobs.{options.verb}")
    job.run(_read_spec(options.spec), **arguments)


def _run_jobs(options) -> None:
    import importlib

    given = {k: v for k, v in vars(options).items() if k not in ("verb", "run") and v is not None}
    repeated = {option: values for option, values in given.items() if isinstance(values, list)}
    count = len(options.spec)
    for option, values in repeated.items():
        if len(values) != count:
            raise InputError(
                f"--{option} is given {_times(len(values))} and --spec {_times(count)}; expected "
                "each once for every job"
            )
    specs = [_read_spec(text) for text in repeated.pop("spec")]
    module = importlib.import_module(f"wowbench.jobs.{options.verb}")
    jobs = [
        module.Job(spec, **{option: values[i] for option, values in repeated.items()})
        for i, spec in enumerate(specs)
    ]
    module.run(jobs, **{k: v for k, v in given.items() if k not in repeated and k != "spec"})


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _read_spec(text: str) -> dict:
    where, content = "--spec", text
    try:
        if not text.lstrip().startswith("{"):
            where = f"--spec {text!r}"
            content = Path(text).read_text(encoding="utf-8")
        spec = json.loads(content)
    except (OSError, ValueError) as error:
        reason = one_line(getattr(error, "strerror", None) or error)
        raise InputError(f"{where}: {reason}; expected JSON text or its file") from None
    if not isinstance(spec, dict):
        raise InputError(f"{where}: expected a JSON object")
    return spec
