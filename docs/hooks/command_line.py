"""The page of the command line, made of its parser."""

from __future__ import annotations

import argparse
import html
from collections.abc import Iterator
from functools import partial

from wowbench.cli import build_parser

WIDTH = 88
"""Characters a line of a usage."""

UNSAID = (None, False, argparse.SUPPRESS)
"""Defaults that say nothing."""


def command_line_page() -> str:
    """Markdown of the page: every verb with its options."""
    parser = build_parser()
    parts = ["# Command line", f"{parser.description}", *_verbs(parser, level=2)]
    return "\n\n".join(parts) + "\n"


def _verbs(parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help for choice in action._choices_actions}
            for name, verb in action.choices.items():
                yield f"{'#' * level} {verb.prog.removeprefix('wowbench ')}"
                yield from _verb(verb, helps.get(name) or "")
                yield from _verbs(verb, level + 1)


def _verb(verb: argparse.ArgumentParser, summary: str) -> Iterator[str]:
    if summary:
        yield f"{summary[0].upper()}{summary[1:]}."
    verb.formatter_class = partial(argparse.HelpFormatter, width=WIDTH)
    verb.color = False  # From Python 3.14 a usage on a terminal has colours.
    usage = verb.format_usage().removeprefix("usage: ").strip()
    yield f"```text\n{usage}\n```"
    rows = [_row(verb, action) for action in verb._actions if _is_shown(action)]
    if rows:
        head = "| argument | required | default | meaning |\n|:---|:---|:---|:---|"
        yield "\n".join((head, *rows))


def _is_shown(action: argparse.Action) -> bool:
    return not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)


def _row(verb: argparse.ArgumentParser, action: argparse.Action) -> str:
    value = action.metavar or action.dest.upper()
    names = [f"`{option}`" for option in action.option_strings] or [f"`{value}`"]
    takes = f" `{value}`" if action.option_strings and action.nargs != 0 else ""
    required = "yes" if action.required and action.nargs not in ("?", "*") else ""
    shown = "" if action.default in UNSAID else f"`{_text(action.default)}`"
    return f"| {', '.join(names)}{takes} | {required} | {shown} | {_meaning(verb, action)} |"


def _meaning(verb: argparse.ArgumentParser, action: argparse.Action) -> str:
    said = (action.help or "") % {**vars(action), "prog": verb.prog}
    if action.choices:
        said = "; ".join(filter(None, (said, f"one of {', '.join(map(str, action.choices))}")))
    return html.escape(said, quote=False).replace("|", "\\|").replace("{", "&#123;")


def _text(default: object) -> str:
    return " ".join(map(str, default)) if isinstance(default, list | tuple) else str(default)
