"""Everything a card is asked for, in one go: rehearsed on the processor."""

import argparse
import csv
import json
import math

import pytest
import torch

from wowbench import bench
from wowbench.bench import gpu
from wowbench.bench.card.part import Part
from wowbench.cli import BAD_INPUT, main
from wowbench.errors import InputError
from wowbench.registry import KERNELS

TINY = ("--device=cpu", "--tiny")


def run(*arguments):
    parser = argparse.ArgumentParser()
    bench.add_parser(parser.add_subparsers())
    options = parser.parse_args(["bench", "gpu", *map(str, arguments)])
    return options.run(options)


def results_of(folder):
    return json.loads((folder / "results.json").read_text())


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory):
    """Folder of a whole rehearsal."""
    folder = tmp_path_factory.mktemp("gpu") / "out"
    assert run(*TINY, "--out", folder) == 0
    return folder


def test_a_rehearsal_has_every_part(rehearsal):
    results = results_of(rehearsal)
    assert {name: part["status"] for name, part in results["parts"].items()} == dict.fromkeys(
        (
            *("agreement", "steps", "flows", "together", "tests", "distillation", "tf32"),
            "more_flows",
        ),
        "done",
    )
    assert results["settings"] == {"device": "cpu", "tiny": True, "minutes": 9.0}
    assert results["provenance"]["packages"]["torch"] == torch.__version__.split("+")[0]
    assert results["provenance"]["device"] == "cpu"


def test_steps_have_their_floor_and_their_memory(rehearsal):
    steps = results_of(rehearsal)["tables"]["steps"]
    assert [(row["part"], row["n"], row["products"]) for row in steps] == [
        ("steps", 4, "highest"),
        ("steps", 6, "highest"),
        ("steps", 8, "highest"),
        ("distillation", 2, "highest"),
        ("distillation", 2, "highest"),
        ("tf32", 4, "highest"),
        ("tf32", 6, "highest"),
        ("tf32", 4, "high"),
        ("tf32", 6, "high"),
    ]
    assert [row["embedding"] for row in steps[3:5]] == [False, True]
    for row in steps:
        assert row["ratio"] == pytest.approx(row["step_ms"] / row["floor_ms"])
        assert row["peak_gib"] > 0
        assert row["captured"] is False


def test_three_flows_of_each_method_run_to_their_end(rehearsal):
    flows = results_of(rehearsal)["tables"]["flows"]
    methods = ("mmdsw_sprint", "mmdsw", "mmdsw_fast", "otdd")
    asked = {(method, k, seed) for method in methods for k in (1, 2) for seed in range(3)}
    assert len(flows) == len(asked)
    assert {(row["method"], row["k"], row["seed"]) for row in flows} == asked
    for row in flows:
        assert row["finished"]
        assert row["steps"] == 3
        assert row["held_out_loss"] > 0
        assert row["ms_a_step"] == pytest.approx(1e3 * row["seconds"] / 3)
        assert row["captured"] is False


def test_flows_at_once_have_the_bits_of_flows_in_turn(rehearsal):
    rows = results_of(rehearsal)["tables"]["together"]
    assert [row["method"] for row in rows] == ["mmdsw_sprint", "mmdsw", "otdd"]
    for row in rows:
        assert (row["flows"], row["k"], row["steps"]) == (3, 2, 3)
        assert row["ratio"] == pytest.approx(row["in_turn_seconds"] / row["at_once_seconds"])
        assert row["same_bits"] is True
        assert row["captured"] is False


def test_a_processor_agrees_with_itself(rehearsal):
    rows = [row for row in results_of(rehearsal)["tables"]["agreement"] if "TF32" not in str(row)]
    values = [row for row in rows if row["quantity"] in ("value", "gradient")]
    assert {(row["kernel"], row["quantiles"]) for row in values} == {
        (kernel, quantiles) for kernel in KERNELS.names() for quantiles in ("exact", "linear")
    }
    assert len(values) == 4 * len(KERNELS.names())
    assert {row["difference"] for row in rows} == {0}
    assert {row["repeated"] for row in values} == {0}
    # Double precision is another computation, by some units of single precision.
    assert all(0 < row["rounding"] < 1e-5 for row in values)


def test_tables_are_those_of_the_results(rehearsal):
    readable = (rehearsal / "table.md").read_text()
    for name, rows in results_of(rehearsal)["tables"].items():
        with (rehearsal / f"{name}.csv").open(newline="") as file:
            found = list(csv.DictReader(file))
        assert len(found) == len(rows)
        assert found[0].items() <= {key: str(value) for key, value in rows[0].items()}.items()
    assert "| method | k | flows | finished | steps |" in readable
    assert "| mmdsw_sprint | 1 | 3 | 3 | 3 |" in readable
    (tests,) = results_of(rehearsal)["tables"]["tests"]
    assert f"| {tests['summary']} |" in readable
    assert tests["failed"] == []
    # All goes back from a machine of which little comes back.
    files = list(rehearsal.iterdir())
    assert len(files) <= 8
    assert sum(file.stat().st_size for file in files) < 2**20


PARTS = """
import json, os, signal, time

from wowbench.bench.card.part import Skipped


def fail(job):
    yield "steps", {"n": 1, "ratio": float("nan")}
    raise RuntimeError("no kernel image is available")


def die(job):
    yield "steps", {"n": 2}
    os.kill(os.getpid(), signal.SIGSEGV)


def hang(job):
    yield "steps", {"n": 3}
    while '"n": 3' not in open(os.environ["RESULTS"]).read():
        time.sleep(0.1)
    yield "steps", {"n": 4}
    time.sleep(600)


def wait(job):
    time.sleep(600)
    yield


def leave(job):
    raise Skipped("nothing here")
    yield


def look(job):
    with open(os.environ["RESULTS"]) as file:
        found = json.load(file)
    rows = len(found["tables"]["steps"])
    yield "tests", {"summary": f"{sorted(found['parts'])}, {rows} rows", "tiny": job.tiny}
"""


def test_a_part_that_goes_wrong_leaves_the_others_theirs(tmp_path, monkeypatch, capsys):
    (tmp_path / "some_parts.py").write_text(PARTS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("RESULTS", str(tmp_path / "out" / "results.json"))
    parts = [Part(name, f"some_parts:{name}", 100) for name in ("fail", "die", "leave", "look")]
    parts.insert(2, Part("hang", "some_parts:hang", 6))
    monkeypatch.setattr(gpu, "PARTS", (*parts, Part("absent", "some_parts:absent", 100)))
    assert run(*TINY, "--out", tmp_path / "out") == 1

    results = results_of(tmp_path / "out")
    found = {name: (part["status"], part["reason"]) for name, part in results["parts"].items()}
    assert found.pop("look") == ("done", "")
    assert found.pop("fail") == ("failed", "RuntimeError: no kernel image is available")
    assert found.pop("hang") == ("overran", "stopped after 6 s")
    assert found.pop("leave") == ("skipped", "nothing here")
    assert found["die"][1].startswith("ended with status -11: ")
    assert "Segmentation fault" in (tmp_path / "out" / "log.txt").read_text()
    assert found["absent"][1].startswith("AttributeError: module 'some_parts' has no attribute")
    assert {status for status, _ in found.values()} == {"failed"}
    assert [row["n"] for row in results["tables"]["steps"]] == [1, 2, 3, 4]
    assert results["tables"]["steps"][0]["ratio"] == "nan"
    assert 6 <= results["parts"]["hang"]["seconds"] < 60
    # What a later part sees is what a run that ends there leaves.
    (seen,) = results["tables"]["tests"]
    assert seen["summary"] == "['die', 'fail', 'hang', 'leave'], 4 rows"
    assert seen["tiny"] is True
    assert "- hang: overran (stopped after 6 s)" in capsys.readouterr().out


def test_parts_that_there_is_no_time_for_are_listed(tmp_path):
    assert run(*TINY, "--minutes=0.1", "--out", tmp_path) == 0
    parts = results_of(tmp_path)["parts"]
    assert [*parts] == [part.name for part in gpu.PARTS]
    assert {(part["status"], part["reason"]) for part in parts.values()} == {
        ("skipped", "the 0.1 minutes are spent")
    }
    readable = (tmp_path / "table.md").read_text()
    assert "- more_flows: skipped (the 0.1 minutes are spent)" in readable


def test_a_part_has_no_more_time_than_there_is(tmp_path, monkeypatch):
    (tmp_path / "some_parts.py").write_text(PARTS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(gpu, "LEAST_SECONDS", 1)
    parts = (Part("first", "some_parts:wait", 600), Part("second", "some_parts:wait", 600))
    monkeypatch.setattr(gpu, "PARTS", parts)
    assert run(*TINY, "--minutes=0.05", "--out", tmp_path / "out") == 0
    first, second = results_of(tmp_path / "out")["parts"].values()
    assert first["status"] == "overran"
    assert second == {"status": "skipped", "reason": "the 0.05 minutes are spent", "seconds": 0}


@pytest.mark.parametrize("minutes", [0, -1, math.nan, math.inf])
def test_no_time_is_refused(tmp_path, minutes):
    with pytest.raises(InputError, match=f"--minutes is {minutes}; expected a number above 0"):
        run(*TINY, f"--minutes={minutes}", "--out", tmp_path)


def test_a_file_is_no_folder(tmp_path):
    file = tmp_path / "results"
    file.write_text("mine")
    with pytest.raises(InputError, match="results is a file; expected a folder"):
        run(*TINY, "--out", file)
    assert file.read_text() == "mine"


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_without_a_card_it_says_what_to_do(tmp_path, capsys):
    assert main(["bench", "gpu", "--out", str(tmp_path / "out")]) == BAD_INPUT
    said = capsys.readouterr().err
    assert "device 'cuda': torch finds no GPU here" in said
    assert "run this where there is a card, or rehearse it with '--device cpu --tiny'" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()
