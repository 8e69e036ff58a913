"""Records of a run: what counts as one, and what is refused by name."""

import copy
import json
from pathlib import Path

import pytest

from wowbench.cli import BAD_INPUT, main
from wowbench.errors import InputError
from wowbench.plan import Plan
from wowbench.results.records import read_record
from wowbench.results.run import read_run


def edit(path, change):
    """Change a JSON file in place."""
    values = json.loads(Path(path).read_text())
    change(values)
    Path(path).write_text(json.dumps(values))


def refusal(capsys, *arguments):
    """The one line with which a command refuses its input."""
    assert main(list(arguments)) == BAD_INPUT
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert len(error) < 600
    return error


def config_file(config):
    path = Path("config.yaml")
    path.write_text(json.dumps(config))
    return str(path)


def test_a_finished_run_is_read_whole(tiny_run):
    records = read_run(tiny_run.plan)
    assert {verb: sum(v == verb for v, _ in records) for verb in tiny_run.plan.jobs} == {
        "prepare": 2,
        "draw": 1,
        "train": 0,
        "flow": 2,
        "evaluate": 2,
        "distance": 0,
    }
    draw = records["draw", tiny_run.name("draw")]
    for record in (r for (verb, _), r in records.items() if verb in ("flow", "evaluate")):
        assert record.inputs["draw"] == draw.outputs["draw"]


@pytest.mark.parametrize("verb", ["aggregate", "archive"])
def test_records_of_an_edited_config_are_refused(tiny_run, capsys, verb):
    config = copy.deepcopy(tiny_run.config)
    config["experiments"][0]["methods"][1]["steps"] = 3
    error = refusal(capsys, verb, "--config", config_file(config), "--out", "kept")
    path = tiny_run.plan.record("flow", tiny_run.name("flow", "mmdsw"))
    assert f"{path}: made with method.steps = 2, expected 3" in error
    assert not Path("kept").exists()


def test_a_record_of_another_verb_is_refused(tiny_run):
    name = tiny_run.name("flow", "mmdsw")
    record = Path(tiny_run.plan.record("evaluate", name))
    record.write_text(Path(tiny_run.plan.record("flow", name)).read_text())
    with pytest.raises(InputError, match="made with job = 'flow', expected 'evaluate'"):
        read_run(tiny_run.plan)


def test_a_flow_that_was_written_anew_is_not_scored_by_the_old_evaluation(tiny_run):
    name = tiny_run.name("flow", "mmdsw")
    path = tiny_run.plan.record("flow", name)
    edit(path, lambda record: record["outputs"].update(flow="0" * 64))
    with pytest.raises(InputError, match=r"inputs.flow is \w+, expected 0000000000000000, which"):
        read_run(tiny_run.plan)


def test_the_flow_of_another_spec_is_not_evaluated(tiny_run, capsys):
    name = tiny_run.name("flow", "mmdsw")
    arguments = tiny_run.arguments("flow", name)
    spec = json.loads(arguments["--spec"])
    spec["method"]["scheme"]["lr"] = 0.5
    assert tiny_run.job("flow", name, spec=json.dumps(spec)) == 0  # as an orphan might
    record = Path(tiny_run.plan.record("evaluate", name))
    record.unlink()
    assert tiny_run.job("evaluate", name) == BAD_INPUT
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert f"{arguments['--out']}: made with method.scheme.lr = 0.5, expected 1.0" in error
    assert not record.exists()


@pytest.mark.parametrize(("verb", "option"), [("flow", "draw"), ("evaluate", "test")])
def test_one_flipped_bit_of_an_input_is_refused(tiny_run, capsys, verb, option):
    name = tiny_run.name("flow", "mmdsw")
    path = Path(tiny_run.plan.inputs(verb, name)[option])
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    assert tiny_run.job(verb, name) == BAD_INPUT
    assert f"{path}: its contents have changed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda r: r.update(status="fine"), "status: got 'fine'"),
        (lambda r: r.update(seconds=-1), "seconds: got -1"),
        (lambda r: r.update(colour="red"), "colour"),
        (lambda r: r.pop("spec"), "spec: this key is required and missing"),
        (lambda r: r["inputs"].pop("draw"), "inputs.draw: this key is required and missing"),
        (lambda r: r["provenance"].pop("device"), "provenance.device: this key is required"),
        (lambda r: r["measurements"][0].update(value=1.5), "accuracy is 1.5; expected a number fr"),
        (
            lambda r: r["measurements"][0].update(metric="speed"),
            "metric 'speed' is none of this ev",
        ),
        (lambda r: r["measurements"][0].update(value=float("nan")), "it holds the number NaN"),
        (lambda r: r["measurements"][0].update(value=float("inf")), "it holds the number Infinity"),
        (lambda r: r["measurements"][0].update(value="good"), "measurements[0].value: got 'good'"),
    ],
)
def test_a_record_is_validated_when_it_is_read(tiny_run, change, reason):
    path = Path(tiny_run.plan.record("evaluate", tiny_run.name("flow", "mmdsw")))
    edit(path, change)
    with pytest.raises(InputError) as caught:
        read_record(path)
    message = str(caught.value)
    assert reason in message
    assert message.startswith(f"record {path}: ")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("verb", "field"),
    [("prepare", "outputs"), ("draw", "inputs"), ("flow", "outputs"), ("flow", "files")],
)
def test_a_record_without_what_it_read_or_wrote_is_refused_by_every_verb(
    tiny_run, capsys, verb, field
):
    name = tiny_run.name(verb, {"flow": "mmdsw", "prepare": "others"}.get(verb, ""))
    record = tiny_run.plan.record(verb, name)
    edit(record, lambda values: values.pop(field))
    config = config_file(tiny_run.config)
    for arguments in (("aggregate", "--config", config, "--out", "new"), ("export", record, "new")):
        assert f"record {record}: {field}." in refusal(capsys, *arguments)
        assert not Path("new").exists()


def test_a_missing_value_is_null_and_stays_missing(tiny_run):
    path = Path(tiny_run.plan.record("evaluate", tiny_run.name("flow", "mmdsw")))
    edit(path, lambda record: record["measurements"][0].update(value=None))
    assert read_record(path).measurements[0].value is None


def test_an_exported_flow_is_that_of_its_record(tiny_run, capsys):
    name = tiny_run.name("flow", "mmdsw")
    record = tiny_run.plan.record("flow", name)
    spec = json.loads(tiny_run.arguments("flow", name)["--spec"])
    spec["seed"] += 1
    assert tiny_run.job("flow", name, spec=json.dumps(spec), record="elsewhere.json") == 0
    error = refusal(capsys, "export", record, "out")
    assert f"made with seed = {spec['seed']}, expected {spec['seed'] - 1}" in error
    assert not Path("out").exists()


def test_export_names_a_file_that_is_no_record_and_does_not_print_it(tiny_run, capsys):
    flow = tiny_run.plan.job("flow", tiny_run.name("flow", "mmdsw")).outputs["flow"]
    error = refusal(capsys, "export", flow, "out")
    assert f"record {flow}: not the JSON text of a record" in error
    assert error.isprintable()


def test_threads_belong_to_the_spec_and_are_those_used(tiny_run):
    config = copy.deepcopy(tiny_run.config) | {"threads": 2}
    changed = Plan.load(config)
    for verb in ("flow", "evaluate"):
        for name, job in changed.jobs[verb].items():
            assert job.spec != tiny_run.plan.job(verb, name).spec
    name = tiny_run.name("flow", "mmdsw")
    spec = changed.spec("flow", name)
    assert tiny_run.job("flow", name, spec=spec, out="flow2", record="two.json") == 0
    assert read_record(Path("two.json")).provenance["threads"] == 2
    first = read_record(Path(tiny_run.plan.record("flow", name)))
    assert first.provenance["threads"] == 1


def test_a_training_that_diverges_is_a_status(tiny_run):
    name = tiny_run.name("flow", "mmdsw")
    spec = json.loads(tiny_run.arguments("evaluate", name)["--spec"])
    spec["evaluators"][0]["training"] |= {"lr": 1e30, "epochs": 3}
    assert tiny_run.job("evaluate", name, spec=json.dumps(spec), out="record.json") == 0
    record = read_record(Path("record.json"))
    assert record.status == "diverged"
    assert "the training with seed" in record.message
    assert record.measurements == []


def test_an_outcome_that_no_network_takes_is_a_status(tiny_run, monkeypatch):
    from wowbench.evaluation.networks import LeNet5

    monkeypatch.setattr(LeNet5, "minimum_size", 40)
    name = tiny_run.name("flow", "mmdsw")
    assert tiny_run.job("evaluate", name, out="record.json") == 0
    record = read_record(Path("record.json"))
    assert record.status == "refused"
    assert "LeNet5 cannot take images of 28x28" in record.message
