"""Several jobs in one process: what becomes of each, in turn and at once."""

import logging
import threading
import time
from dataclasses import replace
from functools import partial

import pytest
import torch

from wowbench.contract.methods import brief_method
from wowbench.contract.outcomes import different
from wowbench.contract.problems import small_problem
from wowbench.errors import InputError, JobsFailedError
from wowbench.geometry.constants import constant
from wowbench.jobs.together import run_jobs
from wowbench.methods.problem import RunContext


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
