"""The command line: one verb for each rule of the workflow, and a few for people."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wowbench.errors import DivergedError, InputError, JobsFailedError, describe, one_line

if TYPE_CHECKING:
    from wowbench.results.report import Report

FAILED = 1
BAD_INPUT = 2
DIVERGED = 3
KINDS = ("methods", "kernels", "schemes", "datasets", "distances", "evaluators", "tasks")
CHECKED = ("method", "kernel", "scheme", "dataset", "distance", "evaluator", "table", "figure")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; bad input becomes one line on standard error.

    Returns
    -------
    int
        Exit status: 0, 2 for bad input, 3 for a flow that diverged, or 1 for a failed check, for a
        comparison or a rerun in which something differs, where some of several jobs failed, and
        where a file could not be read or written, as on a full disk.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
    options = build_parser().parse_args(arguments)
    try:
        _load_plugins(options)
        return options.run(options) or 0
    except InputError as error:
        print(f"wowbench {options.verb}: error: {error}", file=sys.stderr)
        return BAD_INPUT
    except DivergedError as error:
        print(f"wowbench {options.verb}: error: {error}", file=sys.stderr)
        return DIVERGED
    except (OSError, JobsFailedError) as error:
        print(f"wowbench {options.verb}: error: {describe(error)}", file=sys.stderr)
        return FAILED


def _load_plugins(options) -> None:
    """Load the files that ``--plugin`` names, where the verb has it."""
    for file in getattr(options, "plugin", None) or ():
        from wowbench.plugins import load_plugin

        load_plugin(file)


def _optional_path(text: str) -> Path | None:
    """Path, or None for an empty text, as where a workflow has none to give."""
    return Path(text) if text else None


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the command line, with all verbs and their options."""
    parser = argparse.ArgumentParser(prog="wowbench", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_people(verbs)
    _add_jobs(verbs)
    _add_results(verbs)
    return parser


def _add_people(verbs) -> None:
    verb = verbs.add_parser("list", help="list the registered names")
    verb.add_argument("kind", choices=KINDS)
    _plugin(verb)
    verb.set_defaults(run=_list)
    verb = verbs.add_parser("validate", help="check a config and count its jobs")
    verb.add_argument("config", metavar="CONFIG")
    verb.set_defaults(run=_validate)
    verb = verbs.add_parser("plan", help="say what a run will take: jobs, hours, memory and disk")
    verb.add_argument("config", metavar="CONFIG")
    verb.set_defaults(run=_plan)
    verb = verbs.add_parser("status", help="say what of a run is done, failed, running or waiting")
    verb.add_argument("config", metavar="CONFIG")
    verb.set_defaults(run=_status)
    verb = verbs.add_parser("schema", help="write the JSON schema of configs")
    verb.add_argument("--out", type=Path, required=True)
    _plugin(verb)
    verb.set_defaults(run=_schema)
    verb = verbs.add_parser("new", help="write a plug-in file to start from, and its test")
    verb.add_argument("kind", choices=CHECKED)
    verb.add_argument("name", metavar="NAME", help="in lower case, as my_method")
    verb.add_argument("--out", type=Path, default=Path(), help="folder; default the present one")
    verb.set_defaults(run=_new)
    verb = verbs.add_parser("check", help="check a plug-in, or an archive, against the contract")
    verb.add_argument("kind", choices=(*CHECKED, "archive"))
    verb.add_argument(
        "entry",
        metavar="NAME",
        help="registered name, or as in a config '{name: NAME, ...}'; "
        "of a table or a figure its import path, module:Class; of an archive its folder",
    )
    _plugin(verb)
    verb.add_argument(
        "--data-root", type=Path, help="of a dataset: default $WOWBENCH_DATA, else data"
    )
    verb.set_defaults(run=_check)
    verb = verbs.add_parser("export", help="write a flow's images as a dataset of PNG files")
    verb.add_argument("record", metavar="RECORD", type=Path, help="record of the flow")
    verb.add_argument("out", metavar="OUT", type=Path, help="folder to make")
    verb.set_defaults(run=_export)
    verb = verbs.add_parser("rerun", help="repeat a job from its record and compare the bits")
    verb.add_argument("record", metavar="RECORD", type=Path)
    verb.add_argument("--data-root", type=Path, help="default: $WOWBENCH_DATA, else data")
    verb.set_defaults(run=_rerun)
    verb = verbs.add_parser("score", help="train classifiers on images of yours, and test them")
    verb.add_argument(
        "images", metavar="DIR", type=Path, help="a folder of images a class, or what export wrote"
    )
    verb.add_argument(
        "--dataset", required=True, metavar="NAME", help="as in a config: '{name: NAME, ...}'"
    )
    verb.add_argument(
        "--data-root", type=Path, help="of the dataset: default $WOWBENCH_DATA, else data"
    )
    verb.add_argument(
        "--protocol",
        nargs="+",
        default=["paper"],
        metavar="NAME",
        help="ways to train, as in a config: paper '{name: paper, network: mlp}'",
    )
    verb.add_argument("--trainings", type=int, default=5, help="of each; default 5")
    verb.add_argument("--seed", type=int, default=0, help="root of their seeds; default 0")
    verb.add_argument("--device", default="auto")
    verb.add_argument("--out", type=Path, help="JSON file with every accuracy")
    verb.set_defaults(run=_score)
    from wowbench import bench

    bench.add_parser(verbs)


def _plugin(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        *("--plugin", "-p"),
        action="append",
        type=Path,
        metavar="FILE",
        help="Python file to load first, as under `plugins` in a config; may come again",
    )


def _add_jobs(verbs) -> None:
    verb = _job(verbs, "prepare", "read a dataset and write it in the form that jobs read")
    verb.add_argument("--data-root", type=_optional_path, help="default: $WOWBENCH_DATA, else data")
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
    verb = _job(verbs, "distance", "measure a distance between subsets of datasets", record=False)
    verb.add_argument("--source", type=Path, required=True, help="prepared dataset")
    verb.add_argument("--target", type=Path, required=True, help="prepared dataset, or the same")
    verb.add_argument("--device", default="auto")


def _job(verbs, name: str, summary: str, *, record: bool = True) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=summary)
    verb.add_argument("--spec", required=True, help="JSON text, or a file that holds it")
    verb.add_argument("--out", type=Path, required=True)
    if record:
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


def _add_results(verbs) -> None:
    verb = verbs.add_parser("aggregate", help="gather a run's records into tidy scores")
    verb.add_argument("--config", required=True, help="config file or JSON text")
    verb.add_argument("--out", type=Path, required=True)
    verb.set_defaults(run=_aggregate)
    verb = verbs.add_parser("archive", help="keep a run's scores with config and provenance")
    verb.add_argument("--config", required=True, help="config file or JSON text")
    verb.add_argument("--out", type=Path, required=True, help="folder")
    verb.set_defaults(run=_archive)
    verb = verbs.add_parser("merge", help="make one archive of several")
    verb.add_argument("archives", metavar="DIR", type=Path, nargs="+")
    verb.add_argument("--out", type=Path, required=True, help="folder to make")
    verb.set_defaults(run=_merge)
    verb = verbs.add_parser("table", help="make a table of scores")
    verb.add_argument("path", metavar="PATH", help="import path of a table: package.module:Class")
    verb.add_argument(
        "--scores", type=Path, required=True, nargs="+", help="scores of one run, or of several"
    )
    verb.add_argument(
        "--out", type=Path, required=True, help="CSV file; .md, .tex and .html beside it"
    )
    _plugin(verb)
    verb.set_defaults(run=_table)
    verb = verbs.add_parser("figure", help="draw a figure or an animation")
    verb.add_argument("path", metavar="PATH", help="import path of a figure: package.module:Class")
    verb.add_argument("--config", required=True, help="config file or JSON text")
    verb.add_argument(
        "--scores", type=Path, required=True, nargs="+", help="scores of one run, or of several"
    )
    verb.add_argument("--out", type=Path, required=True, help="PNG (.pdf beside it) or GIF file")
    verb.set_defaults(run=_figure)
    verb = verbs.add_parser("salvage", help="make tables of what a failed run left")
    verb.add_argument("--config", required=True, help="config file or JSON text")
    verb.add_argument("--finished", type=Path, help="list of the files that are up to date")
    verb.set_defaults(run=_salvage)
    verb = verbs.add_parser("compare", help="compare a run with another, or with the paper")
    side = "config, folder of a run or of an archive, scores or expected means (CSV)"
    verb.add_argument("a", metavar="A", help=side)
    verb.add_argument("b", metavar="B", help=f"{side}, or 'published'")
    verb.add_argument("--out", type=Path, help="CSV file; a table on standard output without it")
    verb.set_defaults(run=_compare)
    verb = verbs.add_parser("verdict", help="fail if a comparison has a mean that is off")
    verb.add_argument("--comparison", type=Path, required=True, help="as compare wrote it")
    verb.add_argument("--out", type=Path, required=True, help="text file")
    verb.set_defaults(run=_verdict)
    verb = verbs.add_parser("expect", help="keep mean accuracies for later checks")
    verb.add_argument("--scores", type=Path, required=True)
    verb.add_argument("--tolerance", type=float, default=0.05)
    verb.add_argument("--out", type=Path, required=True)
    verb.set_defaults(run=_expect)
    verb = verbs.add_parser("fill", help="write the tables that a page has of archives anew")
    verb.add_argument("pages", metavar="PAGE", type=Path, nargs="+", help="Markdown file")
    verb.set_defaults(run=_fill)
    verb = verbs.add_parser("costs", help="gather what jobs cost, for plan")
    verb.add_argument("--archives", type=Path, default=Path("results/measured"))
    verb.add_argument(
        "--runs", type=Path, nargs="*", default=[], help="folders of runs, whose records say more"
    )
    verb.add_argument("--out", type=Path, required=True, help="CSV file")
    verb.set_defaults(run=_costs)
    verb = verbs.add_parser("site", help="write a page of results, one HTML file")
    what = verb.add_mutually_exclusive_group(required=True)
    what.add_argument("--config", help="config file or JSON text of one run")
    what.add_argument("--archives", type=Path, help="folder with archives, for a page of all")
    verb.add_argument("--out", type=Path, required=True, help="HTML file")
    verb.set_defaults(run=_site)
    verb = verbs.add_parser("draws", help="estimate the variance between draws from archives")
    verb.add_argument("--archives", type=Path, default=Path("results/measured"))
    verb.add_argument("--out", type=Path, required=True, help="CSV file")
    verb.set_defaults(run=_draws)


def _list(options) -> None:
    from wowbench import registry

    entries = getattr(registry, options.kind.upper())
    width = max(map(len, entries.names()))
    for name in entries.names():
        print(f"{name:{width}}  {entries.get(name).summary}")
    for line in entries.broken():
        print(f"wowbench {options.verb}: warning: {line}", file=sys.stderr)


def _validate(options) -> None:
    from wowbench.plan import Plan

    plan = Plan.load(options.config)
    counts = ", ".join(f"{len(jobs)} {verb}" for verb, jobs in plan.jobs.items() if jobs)
    print(f"{options.config}: valid; run {plan.config.name!r} has the jobs {counts}")


def _plan(options) -> None:
    from wowbench.estimate import describe
    from wowbench.plan import Plan

    print(describe(Plan.load(options.config)))


def _status(options) -> None:
    from wowbench.plan import Plan
    from wowbench.status import describe

    print(describe(Plan.load(options.config)))


def _schema(options) -> None:
    from wowbench.config import config_schema
    from wowbench.files import write_text

    write_text(options.out, json.dumps(config_schema(), indent=2) + "\n")


def _check(options) -> int:
    from wowbench.contract.checks import report
    from wowbench.contract.kinds import checks_of

    checks = checks_of(options.kind, _read_entry(options.entry), options.data_root)
    return 0 if report(checks) else FAILED


def _new(options) -> None:
    from wowbench.new import write_new

    print("\n".join(write_new(options.kind, options.name, options.out)))


def _read_entry(text: str) -> Any:
    """Read a registered name, or a mapping with its parameters, as a config has it."""
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _export(options) -> None:
    from wowbench.export import export

    export(options.record, options.out)


def _rerun(options) -> int:
    from wowbench.rerun import describe, rerun

    found = rerun(options.record, options.data_root)
    print(describe(options.record, found))
    return 0 if found.is_same else FAILED


def _score(options) -> None:
    from wowbench.jobs.machine import explain_full_memory, resolve_device
    from wowbench.score import ScoreSpec, score_images

    spec = ScoreSpec.parse(
        {
            "dataset": _read_entry(options.dataset),
            "protocols": [_read_entry(text) for text in options.protocol],
            "trainings": options.trainings,
            "seed": options.seed,
        },
        "the options",
    )
    device = resolve_device(options.device)
    with explain_full_memory(device):
        scores = score_images(options.images, spec, options.data_root, device)
    if options.out is not None:
        scores.write(options.out)
    print(scores.table())


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


def _aggregate(options) -> None:
    from wowbench.plan import Plan
    from wowbench.results.scores import gather_scores, write_scores

    write_scores(gather_scores(Plan.load(options.config)), options.out)


def _archive(options) -> None:
    from wowbench.plan import Plan
    from wowbench.results.archive import archive_run

    archive_run(Plan.load(options.config), options.out)


def _merge(options) -> None:
    from wowbench.results.merge import merge_archives

    merge_archives(options.archives, options.out)


def _table(options) -> None:
    from wowbench.results.scores import read_scores

    report = _report(options.path, "tables")
    report.write(read_scores(*options.scores), options.out)


def _figure(options) -> None:
    from wowbench.plan import Plan
    from wowbench.results.scores import read_scores

    plan = Plan.load(options.config)  # first, since it may be its plug-in's
    report = _report(options.path, "figures")
    report.write(read_scores(*options.scores), options.out, plan)


def _report(path: str, folder: str) -> Report:
    from wowbench.listed import listed

    found = listed(path)
    if found.base.folder != folder:
        raise InputError(f"{path} is among the {found.base.folder}; expected one of the {folder}")
    return found.load()


def _salvage(options) -> None:
    from wowbench.plan import Plan
    from wowbench.results.salvage import salvage

    finished = None
    if options.finished is not None:
        finished = set(options.finished.read_text().splitlines())
    plan = Plan.load(options.config)
    folder = salvage(plan, finished)
    if folder is not None:
        from wowbench.site.run import write_run_page

        write_run_page(plan, folder / "site" / "index.html", folder, finished)


def _compare(options) -> int:
    from wowbench.config import Check
    from wowbench.results.sides import read_side
    from wowbench.results.verdict_page import to_markdown, verdict_line, write_verdicts
    from wowbench.results.verdicts import is_off, verdicts

    a, b = read_side(options.a), read_side(options.b)
    if isinstance(a.table, str):
        raise InputError(f"A is {options.a!r}; expected a run here, and {options.a!r} as B")
    for side in (a, b):
        if side.missing:
            logging.warning(side.missing)
    check = a.check or b.check or Check()
    table = verdicts(a.table, b.table, level=check.level, tolerance=check.tolerance)
    if options.out is not None:
        write_verdicts(table, options.out)
    else:
        print(to_markdown(table, check.level))
    print(verdict_line(table))
    return FAILED if is_off(table).any() else 0


def _verdict(options) -> int:
    from wowbench.files import write_text
    from wowbench.results.verdict_page import read_verdicts, verdict_line
    from wowbench.results.verdicts import is_off

    table = read_verdicts(options.comparison)
    if is_off(table).any():
        line = f"{verdict_line(table)} (see {options.comparison})"
        print(f"wowbench {options.verb}: {line}", file=sys.stderr)
        return FAILED
    write_text(options.out, verdict_line(table) + "\n")
    return 0


def _expect(options) -> None:
    from wowbench.results.expected import write_expected
    from wowbench.results.scores import read_scores

    write_expected(read_scores(options.scores), options.out, options.tolerance)


def _fill(options) -> None:
    from wowbench.results.pages import fill_page

    for page in options.pages:
        fill_page(page)


def _costs(options) -> None:
    from wowbench.costs import archived_costs, recorded_costs, write_costs

    costs = archived_costs(options.archives)
    for run in options.runs:
        costs += recorded_costs(run)
    write_costs(costs, options.out)


def _site(options) -> None:
    try:
        import wowbench.site.page  # noqa: F401
    except ModuleNotFoundError as error:
        raise InputError(
            f"a page of results needs the package {error.name!r}: pip install 'wowbench[workflow]'"
        ) from None
    if options.config is not None:
        from wowbench.plan import Plan
        from wowbench.site.run import write_run_page

        write_run_page(Plan.load(options.config), options.out)
    else:
        from wowbench.site.archives import write_archives_page

        write_archives_page(options.archives, options.out)


def _draws(options) -> None:
    from wowbench.results.draws import write_estimates

    write_estimates(options.archives, options.out)


if __name__ == "__main__":
    sys.exit(main())
