"""Every verb with every kind of wrong file: one line, no traceback, nothing written."""

import json
from pathlib import Path

import pytest

from wowbench.cli import main
from wowbench.plan import Plan

JOBS = ("prepare", "draw", "flow", "evaluate")
WRONG = ("absent", "folder", "empty", "text", "binary", "other")


def wrong_file(kind, run):
    """A path of which nothing can be made."""
    path = Path(f"wrong-{kind}")
    if kind == "folder":
        path.mkdir()
    elif kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text('{"job": ["flow"], "spec": 3}\n')
    elif kind == "binary":
        path.write_bytes(bytes(range(256)) * 10)
    elif kind == "other":  # a file of the suite's own, of another kind
        return run.plan.job("prepare", run.name("prepare", "others")).outputs["data"]
    return str(path)


def files_below(folder):
    return {str(path): path.stat().st_mtime_ns for path in Path(folder).rglob("*")}


def refuses(capsys, arguments):
    before = files_below(".")
    capsys.readouterr()
    status = main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    assert status in (1, 2)
    lines = printed.err.strip().splitlines()
    assert lines[-1].startswith(f"wowbench {arguments[0]}: error: ")
    assert len(lines) == 1
    assert len(lines[0]) < 700
    assert lines[0].isprintable()
    after = files_below(".")
    assert after == before


def changed(run, verb, option, value):
    name = run.name(verb, "mmdsw" if verb in ("flow", "evaluate") else "others")
    arguments = run.arguments(verb, name) | {option: value, "--out": "new/out"}
    if "--record" in arguments:
        arguments["--record"] = "new/record.json"
    return [verb, *(text for pair in arguments.items() for text in pair)]


CASES = [
    (verb, option)
    for verb, options in {
        "prepare": ["--spec"],
        "draw": ["--spec", "--source", "--target"],
        "flow": ["--spec", "--draw"],
        "evaluate": ["--spec", "--draw", "--flow", "--test"],
    }.items()
    for option in options
]


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize(("verb", "option"), CASES)
def test_a_job_refuses_a_wrong_file(tiny_run, capsys, verb, option, kind):
    path = wrong_file(kind, tiny_run)
    if option in ("--target", "--test") and kind == "other":  # the right file is no wrong one
        path = tiny_run.plan.job("prepare", tiny_run.name("prepare", "digits")).outputs["data"]
    refuses(capsys, changed(tiny_run, verb, option, path))


@pytest.mark.parametrize("verb", JOBS)
def test_a_job_refuses_an_incomplete_or_odd_spec(tiny_run, capsys, verb):
    name = tiny_run.name(verb, "mmdsw" if verb in ("flow", "evaluate") else "others")
    spec = tiny_run.plan.job(verb, name).spec
    keys = list(spec)
    for key in keys:
        incomplete = {k: v for k, v in spec.items() if k != key}
        refuses(capsys, changed(tiny_run, verb, "--spec", json.dumps(incomplete)))
    for key in keys:
        for odd in ("x", -1, [[]]):
            refuses(capsys, changed(tiny_run, verb, "--spec", json.dumps(spec | {key: odd})))
    refuses(capsys, changed(tiny_run, verb, "--spec", json.dumps(spec | {"sede": 1})))


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize(
    "arguments",
    [
        ("validate", "WRONG"),
        ("export", "WRONG", "new/out"),
        ("aggregate", "--config", "WRONG", "--out", "new/out"),
        ("archive", "--config", "WRONG", "--out", "new/out"),
        ("table", "transfer_accuracy", "--scores", "WRONG", "--out", "new/out.csv"),
        ("figure", "transfer_accuracy", "--config", "WRONG", "--scores", "x", "--out", "new/x.png"),
        ("expect", "--scores", "WRONG", "--out", "new/out"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_other_verbs_refuse_a_wrong_file(tiny_run, capsys, arguments, kind):
    path = wrong_file(kind, tiny_run)
    refuses(capsys, [path if text == "WRONG" else text for text in arguments])


def test_a_figure_refuses_wrong_scores(tiny_run, capsys):
    config = Path("config.json")
    config.write_text(json.dumps(tiny_run.config))
    assert Plan.load(config).config.name == "tiny"
    for kind in WRONG:
        path = wrong_file(kind, tiny_run)
        arguments = ("--config", config, "--scores", path, "--out", "new/out.png")
        refuses(capsys, ["figure", "transfer_accuracy", *arguments])


@pytest.mark.parametrize("device", ["tpu", "cuda:x", "cuda:99", ""])
def test_a_device_that_is_none_is_named(tiny_run, capsys, device):
    refuses(capsys, changed(tiny_run, "flow", "--device", device))


def test_an_output_below_a_file_is_one_line(tiny_run, capsys):
    Path("wall").write_text("")
    name = tiny_run.name("draw")
    arguments = tiny_run.arguments("draw", name) | {"--out": "wall/out"}
    refuses(capsys, ["draw", *(text for pair in arguments.items() for text in pair)])
