"""Several jobs in one process: what becomes of each, and the bits that they have alone."""

import json
import logging
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from wowbench.cli import BAD_INPUT, FAILED, main
from wowbench.contract.methods import brief_method
from wowbench.contract.outcomes import different
from wowbench.contract.problems import small_problem
from wowbench.datasets.prepared import read_prepared
from wowbench.errors import InputError, JobsFailedError
from wowbench.functionals import SlicedMMD
from wowbench.geometry.constants import constant
from wowbench.jobs import distance as distance_job
from wowbench.jobs import flow as flow_job
from wowbench.jobs.together import run_jobs
from wowbench.methods.base import Method
from wowbench.methods.problem import RunContext
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


def succeed(value):
    return value


def fail(error):
    raise error


@pytest.mark.parametrize("at_once", [False, True])
def test_results_are_in_the_order_of_the_jobs(at_once):
    jobs = {str(number): partial(succeed, number) for number in range(20)}
    assert run_jobs(jobs, "cpu", at_once=at_once) == list(range(20))


def test_jobs_at_once_meet_and_those_in_turn_do_not():
    barrier = threading.Barrier(3, timeout=60)
    run_jobs({name: barrier.wait for name in "abc"}, "cpu", at_once=True)
    threads = run_jobs({name: threading.get_ident for name in "abc"}, "cpu")
    assert set(threads) == {threading.get_ident()}


def test_no_more_threads_than_streams():
    running, most = [], []

    def job():
        running.append(1)
        most.append(len(running))
        time.sleep(0.05)
        running.pop()
        return len(most)

    found = run_jobs({str(number): job for number in range(70)}, "cpu", at_once=True)
    assert len(found) == 70
    assert max(most) <= 16


@pytest.mark.parametrize("at_once", [False, True])
def test_a_job_that_fails_names_itself_and_the_others_end(at_once, caplog):
    ended = []
    jobs = {
        "first": partial(fail, InputError("it is odd")),
        "second": partial(ended.append, 2),
        "third": partial(fail, RuntimeError("it fell\nover")),
        "fourth": partial(ended.append, 4),
    }
    with pytest.raises(JobsFailedError, match=r"^2 of 4 jobs failed: first, third$"):
        run_jobs(jobs, "cpu", at_once=at_once)
    assert sorted(ended) == [2, 4]
    told = {record.getMessage(): record.exc_info for record in caplog.records}
    assert not told["first: error: it is odd"]
    assert told["third: error: RuntimeError: it fell over"][0] is RuntimeError


def test_a_message_names_few_of_many():
    jobs = {name: partial(fail, InputError("it is odd")) for name in "abcde"}
    with pytest.raises(JobsFailedError, match="5 of 5 jobs failed: a, b, c and 2 more"):
        run_jobs(jobs, "cpu")


def test_a_job_alone_fails_as_it_does():
    with pytest.raises(KeyError, match="odd"):
        run_jobs({"alone": partial(fail, KeyError("odd"))}, "cpu")


def test_jobs_that_do_not_fit_run_again_after_the_others_one_at_a_time(caplog):
    running, ended, tries = [], [], []
    filled = threading.Event()

    def job(name, fits):
        running.append(name)
        tries.append(name)
        try:
            if not fits and len(ended) < 2:
                filled.set()
                raise torch.OutOfMemoryError("tried to allocate 20 GiB")
            assert fits or running == [name]
            assert filled.wait(60)
            ended.append(name)
            return name
        finally:
            running.remove(name)

    jobs = {name: partial(job, name, name in "bd") for name in "abcd"}
    with caplog.at_level(logging.WARNING):
        assert run_jobs(jobs, "cpu", at_once=True) == list("abcd")
    assert sorted(tries) == sorted("abcdac")
    assert ended[2:] == ["a", "c"]
    assert caplog.messages == [
        "2 of 4 jobs do not fit in the memory of the GPU beside the others; they are run after "
        "them, one at a time"
    ]


def test_a_job_that_never_fits_is_one_line(caplog):
    jobs = {"large": partial(fail, torch.OutOfMemoryError("20 GiB")), "small": partial(succeed, 1)}
    with pytest.raises(JobsFailedError, match="1 of 2 jobs failed: large"):
        run_jobs(jobs, "cuda", at_once=False)
    (line,) = caplog.messages
    assert line.startswith("large: error: device 'cuda': this job does not fit in the memory of")


def test_lines_begin_with_the_name_of_their_job(capsys):
    def say(what):
        logging.getLogger("wowbench.somewhere").info("%s happened", what)

    logging.basicConfig(level=logging.INFO, format="%(message)s", force=True)
    run_jobs({name: partial(say, f"what {name}") for name in ("one", "two")}, "cpu", at_once=True)
    say("nothing")
    *named, last = capsys.readouterr().err.splitlines()
    assert sorted(named) == ["one: what one happened", "two: what two happened"]
    assert last == "nothing happened"


def test_a_thread_makes_its_own_constants():
    @constant(maxsize=1)
    def ones(n):
        return torch.ones(n)

    here = ones(2)
    assert ones(2) is here
    one, other = run_jobs({name: partial(ones, 2) for name in "ab"}, "cpu", at_once=True)
    assert one is not other
    assert here is not one
    assert here is not other


def test_jobs_at_once_compute_with_as_many_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert run_jobs(dict.fromkeys("abc", torch.get_num_threads), "cpu", at_once=True) == [2] * 3
    finally:
        torch.set_num_threads(before)


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


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("name", ["mmdsw", "mmdsw_fast", "mmdsw_sprint"])
def test_flows_of_methods_at_once_on_a_gpu_have_the_bits_of_flows_alone(name):
    method = brief_method({"name": name, "steps": 50, "until": None})
    problem = small_problem("free")
    problem = replace(problem, source=problem.source.cuda(), target=problem.target.cuda())
    flows = {
        f"seed {seed}": partial(method.run, problem, RunContext(seed=seed, snapshots=(20,)))
        for seed in range(8)
    }
    alone, beside = (run_jobs(flows, "cuda", at_once=at_once) for at_once in (False, True))
    assert [different(*pair) for pair in zip(alone, beside, strict=True)] == [None] * 8
