"""Every task that scores flows gives its evaluators what they read, and tells rows apart."""

import pytest

from wowbench.parameters import FromRegistry
from wowbench.plan import Plan
from wowbench.registry import EVALUATORS, TASKS
from wowbench.results.cells import EVALUATION
from wowbench.tasks.base import FlowTask

DIGITS = {"name": "digits", "image_size": 28}
NEEDED = {
    "transfer": {"source": DIGITS, "targets": [DIGITS], "budgets": ["own", "matched"]},
    "distillation": {"datasets": [DIGITS], "protocols": ["paper", "dm"]},
    "adaptation": {"sources": [DIGITS], "target": DIGITS},
    "generation": {"source": DIGITS, "targets": [DIGITS]},
    "rings": {},
    "transfer_illustration": {"source": DIGITS, "targets": [DIGITS]},
}


FLOWING = [name for name in TASKS.names() if issubclass(TASKS.get(name), FlowTask)]


@pytest.mark.parametrize("task", FLOWING)
def test_a_task_gives_its_evaluators_what_they_read_and_tells_them_apart(task):
    experiment = {"task": task, "methods": ["mmdsw"], "flows": 1, **NEEDED[task]}
    jobs = Plan.load({"name": "test", "experiments": [experiment]}).jobs["evaluate"]
    assert jobs
    for job in jobs.values():
        scorers = [FromRegistry(EVALUATORS).build(values) for values in job.spec["evaluators"]]
        assert len(scorers) == len(job.columns)
        apart = {(e.name, *e.columns().items()) for e in scorers}
        assert len(apart) == len(scorers)
        for scorer, columns in zip(scorers, job.columns, strict=True):
            assert scorer.reads <= job.makers.keys()
            # Rows of the scores are told apart by these columns and by no others.
            assert scorer.columns().keys() <= set(EVALUATION)
            assert columns.items() >= scorer.columns().items()
