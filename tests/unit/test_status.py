"""How far a run is, by what its jobs have left."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from wowbench.cli import main
from wowbench.plan import Plan
from wowbench.results.salvage import NOT_KEPT
from wowbench.status import job_states


def state(run, verb, ending=""):
    found = job_states(run.plan)[verb, run.name(verb, ending)]
    return found.state, found.note


@pytest.fixture
def undone(tiny_run):
    """A run whose mmdsw flow has no record; a function that writes its log."""
    name = tiny_run.name("flow", "mmdsw")
    Path(tiny_run.plan.record("flow", name)).unlink()

    def log(text):
        path = Path(tiny_run.plan.path("logs", f"flow/{name}.log"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return tiny_run, log


def test_a_finished_run_is_done(tiny_run):
    assert {found.state for found in job_states(tiny_run.plan).values()} == {"done"}


def test_a_run_that_has_not_begun_waits(tiny_run):
    shutil.rmtree("results/tiny")
    assert {found.state for found in job_states(tiny_run.plan).values()} == {"waiting"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Traceback (most recent call last):\n  x\nValueError: no\n", ("failed", "ValueError: no")),
        ("wowbench flow: error: no GPU\n", ("failed", "wowbench flow: error: no GPU")),
        ("", ("begun", "last sign 0 minutes ago: its start")),
        ("flow0: step 1 of 2\n", ("begun", "last sign 0 minutes ago: flow0: step 1 of 2")),
    ],
)
def test_a_log_without_a_record_says_what_became_of_the_job(undone, text, expected):
    run, log = undone
    log(text)
    assert state(run, "flow", "mmdsw") == expected


def test_a_checkpoint_is_mentioned(undone):
    run, log = undone
    log("flow0: step 1 of 2\n")
    (out,) = run.plan.job("flow", run.name("flow", "mmdsw")).outputs.values()
    Path(out).with_suffix(".checkpoint").touch()
    assert state(run, "flow", "mmdsw")[1].endswith("; it goes on from a checkpoint")


def test_a_process_that_writes_the_file_is_a_running_job(undone):
    run, log = undone
    log("flow0: step 1 of 2\n")
    (out,) = run.plan.job("flow", run.name("flow", "mmdsw")).outputs.values()
    words = ["-c", "import time; time.sleep(60)", "flow", "--spec", "{}", "--out", out]
    process = subprocess.Popen([sys.executable, *words])
    try:
        deadline = time.time() + 10
        while state(run, "flow", "mmdsw")[0] != "running" and time.time() < deadline:
            time.sleep(0.1)
        assert state(run, "flow", "mmdsw") == ("running", "flow0: step 1 of 2")
        assert state(run, "flow", "train_on_target")[0] == "done"
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def pair(tmp_path, monkeypatch):
    """A plan with two flows in one process, and their names."""
    monkeypatch.chdir(tmp_path)
    experiment = {
        "task": "rings",
        "flows": 2,
        "snapshots": [0, 1],
        "methods": [{"name": "mmdsw", "steps": 1}],
    }
    plan = Plan.load({"name": "pair", "together": {"flow": 2}, "experiments": [experiment]})
    (names,) = plan.shared("flow")
    return plan, names


def test_jobs_of_a_process_have_its_log_and_each_its_own_reason(pair):
    plan, names = pair
    log = Path(plan.log("flow", names))
    log.parent.mkdir(parents=True)
    own = f"{plan.record('flow', names[1])}: error: no GPU"
    log.write_text(f"{own}\nwowbench flow: error: 1 of 2 jobs failed\n")
    states = job_states(plan)
    assert [(states["flow", name].state, states["flow", name].note) for name in names] == [
        ("failed", NOT_KEPT),
        ("failed", "no GPU"),
    ]


def test_all_jobs_of_a_process_run(pair):
    plan, names = pair
    outs = [next(iter(plan.job("flow", name).outputs.values())) for name in names]
    words = [word for out in outs for word in ("--spec", "{}", "--out", out)]
    code = "import time; time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code, "flow", *words])
    try:
        deadline = time.time() + 10
        while job_states(plan)["flow", names[0]].state != "running" and time.time() < deadline:
            time.sleep(0.1)
        states = job_states(plan)
        assert [states["flow", name].state for name in names] == ["running", "running"]
    finally:
        process.kill()
        process.wait()


def test_a_record_of_another_spec_is_out_of_date(tiny_run):
    path = Path(tiny_run.plan.record("flow", tiny_run.name("flow", "mmdsw")))
    record = json.loads(path.read_text())
    record["spec"]["seed"] = 1
    path.write_text(json.dumps(record))
    found, note = state(tiny_run, "flow", "mmdsw")
    assert found == "out of date"
    assert "made with seed = 1" in note


def test_what_was_read_before_it_was_written_anew_is_out_of_date(tiny_run):
    path = Path(tiny_run.plan.record("flow", tiny_run.name("flow", "mmdsw")))
    record = json.loads(path.read_text())
    record["outputs"]["flow"] = "0" * 64
    path.write_text(json.dumps(record))
    assert state(tiny_run, "flow", "mmdsw")[0] == "done"
    found, note = state(tiny_run, "evaluate", "mmdsw")
    assert found == "out of date"
    assert note.endswith("mmdsw/flow0.safetensors was written anew since")


def test_a_file_that_is_gone_is_out_of_date(tiny_run):
    (out,) = tiny_run.plan.job("flow", tiny_run.name("flow", "mmdsw")).outputs.values()
    Path(out).unlink()
    assert state(tiny_run, "flow", "mmdsw") == ("out of date", f"{out} is gone")


def test_the_verb_counts_by_experiment_and_names_what_failed(undone, capsys):
    run, log = undone
    log("Traceback (most recent call last):\nValueError: no\n")
    path = Path(run.plan.record("evaluate", run.name("evaluate", "train_on_target")))
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"status": "diverged", "message": "nan"}))
    Path("tiny.yaml").write_text(yaml.safe_dump(run.config))
    assert main(["status", "tiny.yaml"]) == 0
    said = capsys.readouterr().out
    name = run.name("flow", "mmdsw")
    assert "| transfer     | flow     |      1 |        1 |" in said
    assert "tiny: 7 jobs, 6 done, 1 failed" in said
    assert f"failed: flow {name}: ValueError: no" in said
    assert "done: evaluate " in said
    assert ": diverged: nan" in said
    assert "results/tiny/scores.csv is not there" in said
