"""Jobs repeated from their records alone."""

import json
import shutil
from pathlib import Path

import pytest

from wowbench.cli import BAD_INPUT, FAILED, main

FOLDER = Path("results/tiny")


def rerun(capsys, record, *arguments):
    capsys.readouterr()
    status = main(["rerun", str(record), *arguments])
    said = capsys.readouterr()
    return status, said.out, said.err.splitlines()[-1] if said.err else ""


def record_of(run, verb, ending="mmdsw"):
    names = [name for name in run.plan.jobs[verb] if ending in name or verb in ("prepare", "draw")]
    return Path(run.plan.record(verb, names[0]))


def edit(record, change):
    values = json.loads(record.read_text())
    change(values)
    record.write_text(json.dumps(values))


@pytest.mark.parametrize("verb", ["prepare", "draw", "flow", "evaluate"])
def test_a_job_gives_the_same_bits_again(tiny_run, capsys, verb):
    record = record_of(tiny_run, verb)
    before = {path: path.read_bytes() for path in FOLDER.rglob("*") if path.is_file()}
    status, said, _ = rerun(capsys, record)
    assert status == 0
    assert said.startswith(f"{record}: the same bits")
    after = {path: path.read_bytes() for path in FOLDER.rglob("*") if path.is_file()}
    assert after == before


DIGITS = {"name": "digits", "image_size": 28}
TRAINING = {"task": "adaptation", "sources": [DIGITS], "target": DIGITS, "images_per_class": 2}
TRAINING |= {"methods": [{"name": "mmdsw", "steps": 2, "n_directions": 3}], "flows": 1}
TRAINING |= {"classifier": {"steps": 2}, "snapshot_every": 1}
DISTANCE = {"task": "distance", "datasets": [DIGITS], "distances": ["wow_sliced"], "pairs": 2}
DISTANCE |= {"reference": "wow", "sizes": [60, 90], "per_class": 3}


@pytest.mark.parametrize(("verb", "experiment"), [("train", TRAINING), ("distance", DISTANCE)])
def test_other_verbs_too(run_of, capsys, verb, experiment):
    run = run_of({"name": "tiny", "experiments": [experiment]})
    run.run("prepare", verb)
    (name, *_) = run.plan.jobs[verb]
    status, said, _ = rerun(capsys, run.plan.record(verb, name))
    assert status == 0
    assert "the same bits" in said


def test_datasets_and_draws_are_made_again_where_they_are_missing(tiny_run, capsys):
    for folder in ("data", "draws"):
        shutil.rmtree(FOLDER / folder)
    assert rerun(capsys, record_of(tiny_run, "flow"))[0] == 0
    assert rerun(capsys, record_of(tiny_run, "evaluate"))[0] == 0
    assert not (FOLDER / "draws").exists()


def test_other_bits_are_named_with_what_differs_around(tiny_run, capsys):
    def change(values):
        values["outputs"]["flow"] = "0" * 64
        values["provenance"] |= {"commit": "1" * 40}
        values["provenance"]["packages"]["torch"] = "1.0"
        loss = next(m for m in values["measurements"] if m["metric"] == "final_loss")
        loss["value"] += 1e-6

    record = record_of(tiny_run, "flow")
    edit(record, change)
    status, said, _ = rerun(capsys, record)
    assert status == FAILED
    results, surroundings = said.split("what differs in the surroundings:")
    assert "SHA-256 of the flow: '0000" in results
    assert "final_loss: " in results
    assert "seconds" not in results
    assert "commit: '1111" in surroundings
    assert "packages.torch: '1.0', " in surroundings
    assert "written" not in surroundings


def test_other_bits_without_another_cause_say_so(tiny_run, capsys):
    record = record_of(tiny_run, "draw")
    edit(record, lambda values: values["outputs"].update(draw="0" * 64))
    status, said, _ = rerun(capsys, record)
    assert status == FAILED
    assert "nothing differs in the surroundings that a record knows" in said


def test_changes_in_the_code_that_no_commit_names_are_mentioned(tiny_run, capsys):
    def change(values):
        values["outputs"] = {"draw": "0" * 64}
        values["provenance"]["dirty"] = True

    record = record_of(tiny_run, "draw")
    edit(record, change)
    _, said, _ = rerun(capsys, record)
    assert "the code had changes that no commit names" in said


def test_the_same_bits_with_other_surroundings_say_which(tiny_run, capsys):
    record = record_of(tiny_run, "draw")
    edit(record, lambda values: values["provenance"].update(processor="an abacus"))
    status, said, _ = rerun(capsys, record)
    assert status == 0
    assert "with other surroundings:\n  processor: 'an abacus', " in said


def refused(capsys, record):
    status, said, error = rerun(capsys, record)
    assert (status, said) == (BAD_INPUT, "")
    return error


def test_another_device_is_named(tiny_run, capsys):
    record = record_of(tiny_run, "flow")
    edit(record, lambda values: values["provenance"].update(device="A Large GPU"))
    error = refused(capsys, record)
    assert "its flow job ran on A Large GPU, and here is " in error


def test_a_missing_flow_is_named(tiny_run, capsys):
    shutil.rmtree(FOLDER / "flows")
    error = refused(capsys, record_of(tiny_run, "evaluate"))
    assert "the file of its flow job (flow " in error
    assert str(FOLDER / "flows") in error


def test_an_input_that_was_written_anew_is_named(tiny_run, capsys):
    record = record_of(tiny_run, "flow")
    edit(record, lambda values: values["inputs"].update(draw="0" * 64))
    error = refused(capsys, record)
    assert "expected 0000000000000000, which record" in error
    assert "it has been written anew since" in error


def test_data_that_are_not_the_same_are_named(tiny_run, capsys):
    record = record_of(tiny_run, "draw")
    shutil.rmtree(FOLDER / "data")
    edit(record, lambda values: values["inputs"].update(source="0" * 64))
    error = refused(capsys, record)
    assert "its source had the SHA-256 0000000000000000, and made again here" in error


def test_data_that_are_missing_are_named(run_of, capsys, tmp_path):
    spec = {"dataset": {"name": "MNIST"}, "axes": {"dataset": "MNIST", "bundled": False}}
    record = tmp_path / "record.json"
    values = {"job": "prepare", "spec": spec, "outputs": {"data": "0" * 64}}
    values |= {"provenance": {"commit": None, "device": "cpu", "written": ""}}
    record.write_text(json.dumps(values))
    error = refused_with_root(capsys, record, tmp_path / "nowhere")
    assert "MNIST" in error
    assert "nowhere" in error


def refused_with_root(capsys, record, root):
    status, said, error = rerun(capsys, record, "--data-root", str(root))
    assert (status, said) == (BAD_INPUT, "")
    return error


@pytest.mark.parametrize("text", [None, "{}", "no JSON"])
def test_what_is_no_record_is_named(tmp_path, capsys, text):
    record = tmp_path / "record.json"
    if text is not None:
        record.write_text(text)
    assert f"record {record}: " in refused(capsys, record)
