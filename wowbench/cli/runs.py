"""Verbs for runs: what one takes, how far it is, a job again, and images beside it."""

from __future__ import annotations

from pathlib import Path

from wowbench.cli.options import FAILED, read_entry


def add_verbs(verbs) -> None:
    """Add them to the command line."""
    verb = verbs.add_parser("validate", help="check a config and count its jobs")
    verb.add_argument("config", metavar="CONFIG")
    verb.set_defaults(run=_validate)
    verb = verbs.add_parser("plan", help="say what a run will take: jobs, hours, memory and disk")
    verb.add_argument("config", metavar="CONFIG")
    verb.set_defaults(run=_plan)
    verb = verbs.add_parser("status", help="say what of a run is done, failed, running or waiting")
    verb.add_argument("config", metavar="CONFIG")
    verb.set_defaults(run=_status)
    verb = verbs.add_parser("rerun", help="repeat a job from its record and compare the bits")
    verb.add_argument("record", metavar="RECORD", type=Path)
    verb.add_argument("--data-root", type=Path, help="default: $WOWBENCH_DATA, else data")
    verb.set_defaults(run=_rerun)
    verb = verbs.add_parser("export", help="write a flow's images as a dataset of PNG files")
    verb.add_argument("record", metavar="RECORD", type=Path, help="record of the flow")
    verb.add_argument("out", metavar="OUT", type=Path, help="folder to make")
    verb.set_defaults(run=_export)
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


def _rerun(options) -> int:
    from wowbench.rerun import describe, rerun

    found = rerun(options.record, options.data_root)
    print(describe(options.record, found))
    return 0 if found.is_same else FAILED


def _export(options) -> None:
    from wowbench.export import export

    export(options.record, options.out)


def _score(options) -> None:
    from wowbench.jobs.machine import explain_full_memory, resolve_device
    from wowbench.score import ScoreSpec, score_images

    spec = ScoreSpec.parse(
        {
            "dataset": read_entry(options.dataset),
            "protocols": [read_entry(text) for text in options.protocol],
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
