"""Verbs that make something of records, scores and archives."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wowbench.cli.options import FAILED, add_plugin_option
from wowbench.errors import InputError

if TYPE_CHECKING:
    from wowbench.results.report import Report


def add_verbs(verbs) -> None:
    """Add them to the command line."""
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
    add_plugin_option(verb)
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


def _report(path: str, folder: str) -> Report:
    from wowbench.listed import listed

    found = listed(path)
    if found.base.folder != folder:
        raise InputError(f"{path} is among the {found.base.folder}; expected one of the {folder}")
    return found.load()
