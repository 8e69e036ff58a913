"""The verbs with several jobs in one process: they give what they give alone."""

import json
from pathlib import Path

import pytest

from wowbench.cli import BAD_INPUT, FAILED, main
from wowbench.datasets.prepared import read_prepared
from wowbench.functionals import SlicedMMD
from wowbench.jobs import distance as distance_job
from wowbench.jobs import flow as flow_job
from wowbench.methods.base import Method
from wowbench.parameters import FromRegistry
from wowbench.plan import Plan
from wowbench.registry import METHODS
from wowbench.results.records import read_record
from wowbench.results.salvage import NOT_KEPT, salvage
from wowbench.results.scores import gather_scores
from wowbench.results.tables.transfer_convergence import TransferConvergence
from wowbench.results.tables.transfer_runtime import TransferRuntime

CONFIG = {
    "name": "tiny",
    "experiments": [
        {
            "task": "transfer",
            "source": {"name": "digits", "image_size": 28},
            "targets": [{"name": "digits", "id": "others", "image_size": 28}],
            "shots": [1, 2],
            "images_per_class": 2,
            "flows": 3,
            "trainings": 2,
            "methods": [{"name": "mmdsw", "steps": 20, "n_directions": 3}],
            "training": {"epochs": 1},
        }
    ],
}
BETWEEN = {
    "task": "distance",
    "id": "between",
    "mode": "between",
    "datasets": ["digits", {"name": "digits", "id": "others"}],
    "per_class": 4,
    "pairs": 2,
    "directions": [5],
    "distances": ["sotdd", "energy"],
}
WITHIN = {"task": "distance", "datasets": BETWEEN["datasets"], "sizes": [60, 90], "pairs": 2}
DISTANCES = {
    "name": "near",
    "experiments": [BETWEEN, WITHIN | {"distances": ["wow_sliced", "energy"]}],
    "together": {"distance": 3},
}
TOGETHER = CONFIG | {"together": {"flow": 3, "evaluate": 3}}


class Runs:
    """Processes of a run, by hand."""

    def __init__(self, run):
        self.run, self.plan = run, run.plan

    def process(self, verb, names):
        return main([verb, *self.plan.arguments(verb, *names), "--device", "cpu"])

    def all(self):
        self.run.run("prepare", "draw")
        for verb in ("flow", "evaluate", "distance"):
            for names in self.plan.batches(verb):
                assert self.process(verb, names) == 0

    def results(self):
        """Digests of flows, and scores, by name: what does not depend on the time."""
        found = {}
        for verb in ("flow", "evaluate", "distance"):
            for name in self.plan.jobs[verb]:
                record = read_record(Path(self.plan.record(verb, name)))
                timed = ("flow_seconds", "seconds_per_step", "seconds")
                rows = [row for row in record.measurements if row.metric not in timed]
                found[verb, name] = (record.spec, record.inputs, record.outputs, rows)
        return found


@pytest.fixture
def runs_of(run_of):
    return lambda config: Runs(run_of(config))


@pytest.fixture(scope="module")
def alone(tmp_path_factory, run_by_hand):
    """Results of jobs with a process each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("alone"))
        runs = Runs(run_by_hand(CONFIG))
        runs.all()
        return runs.results()


def test_jobs_of_a_process_give_what_they_give_alone(runs_of, alone):
    runs = runs_of(TOGETHER)
    assert [len(names) for verb in ("flow", "evaluate") for names in runs.plan.batches(verb)] == (
        [3, 3] * 2
    )
    runs.all()
    assert runs.results() == alone
    for verb, name in alone:
        record = read_record(Path(runs.plan.record(verb, name)))
        assert record.together == 3
        timed = {"flow_seconds", "seconds_per_step"} & {row.metric for row in record.measurements}
        assert len(timed) == (2 if verb == "flow" else 0)
    assert not list(Path().rglob("*.checkpoint"))


def test_flows_at_once_give_what_they_give_alone_and_no_time(runs_of, alone, monkeypatch):
    monkeypatch.setattr(flow_job, "_run_at_once", lambda device, specs: True)
    runs = runs_of(TOGETHER)
    runs.all()
    assert runs.results() == alone
    scores = gather_scores(runs.plan)
    assert not scores.metric.isin(["flow_seconds", "seconds_per_step"]).any()
    assert TransferRuntime().make(scores).empty
    table = TransferConvergence().make(scores)
    assert table.steps.tolist() == [20, 20]
    assert table.flow_seconds.isna().all()
    assert "seconds" not in TransferConvergence().readable(table)


def test_flows_that_ended_take_no_step_again_after_another_one_failed(
    runs_of, alone, capsys, monkeypatch
):
    runs = runs_of(TOGETHER)
    runs.run.run("prepare", "draw")
    names = runs.plan.batches("flow")[0]
    draw = Path(runs.plan.inputs("flow", names[1])["draw"])
    whole = draw.read_bytes()
    draw.write_bytes(b"torn")
    assert runs.process("flow", names) == FAILED
    *lines, last = capsys.readouterr().err.splitlines()
    failed = runs.plan.record("flow", names[1])
    assert last == f"wowbench flow: error: 1 of 3 jobs failed: {failed}"
    assert sum(line.startswith(f"{failed}: error: ") for line in lines) == 1
    assert not Path(failed).exists()
    flows = [Path(runs.plan.job("flow", name).outputs["flow"]) for name in names]
    kept = [path.with_suffix(".checkpoint").exists() for path in flows]
    assert kept == [True, False, True]

    # As a workflow does with all that a failed process wrote.
    for path in map(Path, runs.plan.writes("flow", *names)):
        path.unlink(missing_ok=True)
    draw.write_bytes(whole)
    steps = []
    step = SlicedMMD.value_and_grad
    monkeypatch.setattr(SlicedMMD, "value_and_grad", lambda *given: steps.append(1) or step(*given))
    assert runs.process("flow", names) == 0
    assert len(steps) == 20
    for name in names:
        record = read_record(Path(runs.plan.record("flow", name)))
        assert record.outputs == alone["flow", name][2]
    assert not list(Path().rglob("*.checkpoint"))


def test_a_salvaged_row_has_the_reason_of_its_own_job(runs_of, capsys, monkeypatch):
    monkeypatch.setattr(Plan, "reports", [])
    config = TOGETHER | {"together": {"flow": 3}}
    runs = runs_of(config)
    runs.run.run("prepare", "draw")
    bad, good = runs.plan.batches("flow")
    Path(runs.plan.inputs("flow", bad[1])["draw"]).write_bytes(b"torn")
    assert runs.process("flow", bad) == FAILED
    log = Path(runs.plan.log("flow", bad))
    log.parent.mkdir(parents=True)
    log.write_text(capsys.readouterr().err)
    for path in map(Path, runs.plan.writes("flow", *bad)):
        path.unlink(missing_ok=True)
    assert runs.process("flow", good) == 0
    for name in good:
        assert runs.process("evaluate", [name]) == 0
    scores = (salvage(runs.plan) / "scores.csv").read_text().splitlines()
    failed = [line for line in scores if ",failed," in line]
    assert len(failed) == 2 * len(bad)
    assert sum(NOT_KEPT in line for line in failed) == 2
    assert sum("draw" in line and "safetensors" in line for line in failed) == 1
    assert sum("not run" in line for line in failed) == 3


def test_distances_of_a_process_are_those_alone_and_read_a_file_once(runs_of, monkeypatch):
    runs = runs_of(DISTANCES)
    batches = runs.plan.batches("distance")
    assert [len(names) for names in batches] == [3] * 3
    runs.run.run("prepare")
    for name in runs.plan.jobs["distance"]:
        assert runs.process("distance", [name]) == 0
    alone = runs.results()
    read = []
    monkeypatch.setattr(
        distance_job, "read_prepared", lambda *given: read.append(given[0]) or read_prepared(*given)
    )
    for names in batches:
        read.clear()
        assert runs.process("distance", names) == 0
        assert sorted(map(str, read)) == sorted(runs.plan.reads_of("distance", *names))
    assert runs.results() == alone
    for _, name in alone:
        record = read_record(Path(runs.plan.record("distance", name)))
        assert record.together == 3
        assert sum(row.metric == "seconds" for row in record.measurements) == 2


def test_a_file_that_is_another_dataset_is_refused_where_others_read_it_too(runs_of, capsys):
    runs = runs_of(DISTANCES)
    runs.run.run("prepare")
    names = runs.plan.batches("distance")[0]
    texts = ["distance", *runs.plan.arguments("distance", *names), "--device", "cpu"]
    sources, targets = (
        [i + 1 for i, text in enumerate(texts) if text == option]
        for option in ("--source", "--target")
    )
    texts[targets[1]] = texts[sources[1]]
    assert main(texts) == FAILED
    records = [Path(runs.plan.record("distance", name)) for name in names]
    assert [path.exists() for path in records] == [True, False, True]
    assert f"{records[1]}: error: " in capsys.readouterr().err


def test_a_salvaged_distance_has_its_own_reason(runs_of, capsys, monkeypatch):
    monkeypatch.setattr(Plan, "reports", [])
    # More components than digits have pixels, which is known once the files are read.
    distances = ["energy", {"name": "swbg", "dim": 65}]
    runs = runs_of(DISTANCES | {"experiments": [WITHIN | {"distances": distances}]})
    runs.run.run("prepare")
    bad, good = runs.plan.batches("distance")
    assert runs.process("distance", bad) == FAILED
    log = Path(runs.plan.log("distance", bad))
    log.parent.mkdir(parents=True)
    log.write_text(capsys.readouterr().err)
    # As a workflow does with all that a failed process wrote.
    for path in map(Path, runs.plan.writes("distance", *bad)):
        path.unlink(missing_ok=True)
    assert runs.process("distance", good[:1]) == 0
    scores = (salvage(runs.plan) / "scores.csv").read_text().splitlines()
    failed = [line for line in scores if ",failed," in line]
    assert len(failed) == 5
    assert sum(NOT_KEPT in line for line in failed) == 2
    assert sum("points have 64 features" in line for line in failed) == 1
    assert sum("not run" in line for line in failed) == 2


def arguments(runs, verb="flow", change=lambda spec, i: spec):
    names = list(runs.plan.jobs[verb])[:2]
    found = [verb, *runs.plan.arguments(verb, *names), "--device", "cpu"]
    places = [i + 1 for i, text in enumerate(found) if text == "--spec"]
    for i, place in enumerate(places):
        found[place] = json.dumps(change(json.loads(found[place]), i))
    return found


def without_second(texts, option):
    place = len(texts) - 1 - texts[::-1].index(option)
    return texts[:place] + texts[place + 2 :]


def test_what_does_not_go_together_is_one_line(runs_of, capsys):
    runs = runs_of(CONFIG)
    record = runs.plan.record("flow", list(runs.plan.jobs["flow"])[1])
    flows = arguments(runs)
    places = [i + 1 for i, text in enumerate(flows) if text == "--record"]
    twice = [flows[places[0]] if i == places[1] else text for i, text in enumerate(flows)]
    cases = [
        (
            without_second(flows, "--draw"),
            "--draw is given once and --spec 2 times; expected each once for every job",
        ),
        (
            without_second(arguments(runs, "evaluate"), "--test"),
            "--test is given once and --spec 2 times; expected each once for every job",
        ),
        (
            without_second(arguments(runs_of(DISTANCES), "distance"), "--source"),
            "--source is given once and --spec 2 times; expected each once for every job",
        ),
        (twice, "expected a record of its own for each"),
        (
            arguments(runs, change=lambda spec, i: spec | {"threads": 1 + i}),
            "the jobs have 1 and 2 threads; expected the same number in all jobs of a process",
        ),
        (
            arguments(runs, change=lambda spec, i: spec | ({"sede": 1} if i else {})),
            f"--spec of {record}: unknown key 'sede'; did you mean 'seed'?",
        ),
    ]
    for texts, message in cases:
        assert main(texts) == BAD_INPUT
        (line,) = capsys.readouterr().err.splitlines()
        assert message in line
    assert not list(Path().rglob("*.json"))


@pytest.mark.parametrize(
    ("device", "precisions", "expected"),
    [
        ("cuda", [None, None], True),
        ("cuda:1", [None, "bf16"], True),
        ("cuda", [None], False),
        ("cpu", [None, None], False),
        # Torch switches TF32 on for all threads.
        ("cuda", [None, "tf32"], False),
    ],
)
def test_flows_run_at_once_on_a_gpu_where_they_can(device, precisions, expected):
    class Spec:
        def __init__(self, precision):
            entry = {"name": "mmdsw", "precision": precision}
            self.method: Method = FromRegistry(METHODS).build(entry)

    assert flow_job._run_at_once(device, [Spec(p) for p in precisions]) == expected
