"""The words in which tasks ask for jobs, and a task of a third party that speaks them."""

from pathlib import Path
from typing import ClassVar

import pytest

from wowbench.datasets.base import DatasetEntry
from wowbench.evaluation.classifier import ClassifierTraining
from wowbench.evaluators.frozen_classifier import FrozenClassifier
from wowbench.evaluators.whole_classes import WholeClasses
from wowbench.graph import Graph, Ref
from wowbench.parameters import FromRegistry
from wowbench.plan import Plan
from wowbench.registry import DATASETS, METHODS, TASKS
from wowbench.results.scores import gather_scores
from wowbench.seeding import derive_seed
from wowbench.settings import scored_columns
from wowbench.tasks.base import Draw, FlowTask

ONE, TWO, THREE = (FromRegistry(DATASETS).build({"name": "digits", "id": i}) for i in "abc")
MMDSW = FromRegistry(METHODS).build({"name": "mmdsw", "steps": 2, "n_directions": 3})
AXES = {"experiment": "mine"}


def draw_of(source=ONE, target=TWO, **changes):
    values = {"n": 3, "source_seed": 4, "k": 2, "target_seed": 5, "units": "target"} | changes
    return Draw(source=source, target=target, **values)


@pytest.fixture
def graph():
    return Graph(Path("results/run"), seed=1, threads=2)


def ask_for_draw(graph, name="d", draw=None, **options):
    options = {"axes": AXES, "minimum_size": 8, "equal_classes": True} | options
    return graph.draw(name, draw or draw_of(), **options)


def ask_for_flow(graph, draw):
    asked = {"axes": AXES, "seed": 6, "problem": {"pairing": "free"}, "snapshots": [0, 1]}
    return graph.flow("f", MMDSW, draw, **asked, columns={"algorithm": "mmdsw"})


def test_a_dataset_is_prepared_once_whoever_asks(graph):
    assert graph.dataset(ONE) == graph.dataset(ONE) == Ref("prepare", "a")
    ask_for_draw(graph)
    assert list(graph.jobs["prepare"]) == ["a", "b"]
    job = graph.jobs["prepare"]["a"]
    assert job.spec["dataset"]["id"] == "a"
    assert (job.inputs, job.outputs) == ({}, {"data": "results/run/data/a.safetensors"})
    assert job.modules == ("wowbench.datasets.digits",)


def test_a_draw_reads_both_sides_and_what_is_tested_on(graph):
    assert ask_for_draw(graph, "deep/d", test=THREE) == Ref("draw", "deep/d")
    job = graph.jobs["draw"]["deep/d"]
    assert job.inputs == {
        role: f"results/run/data/{name}.safetensors"
        for role, name in {"source": "a", "target": "b", "test": "c"}.items()
    }
    assert job.outputs == {"draw": "results/run/draws/deep/d.safetensors"}
    assert job.spec.pop("inputs").keys() == {"source", "target", "test"}
    assert job.spec == {
        **{"n": 3, "source_seed": 4, "k": 2, "target_seed": 5, "units": "target"},
        **{"minimum_size": 8, "minimum_k": 1, "equal_classes": True, "axes": AXES},
    }


def test_a_classifier_depends_on_nothing_of_the_source(graph):
    for i, source in enumerate((ONE, THREE)):
        other = draw_of(source, n=7 + i, source_seed=9 + i)
        ref = graph.train(f"c{i}", ClassifierTraining(steps=3), other, axes=AXES, seed=8)
        assert ref == Ref("train", f"c{i}")
    first, second = graph.jobs["train"].values()
    assert first.spec == second.spec
    assert first.inputs == {"target": "results/run/data/b.safetensors"}
    assert first.outputs == {"classifier": "results/run/classifiers/c0.safetensors"}
    known = {"k": 2, "target_seed": 5, "units": "target", "seed": 8, "threads": 2}
    assert first.spec.items() >= known.items()
    assert first.spec["training"]["steps"] == 3


def test_a_flow_has_the_specs_of_all_that_it_comes_from(graph):
    draw = ask_for_draw(graph)
    assert ask_for_flow(graph, draw) == Ref("flow", "f")
    job = graph.jobs["flow"]["f"]
    assert job.inputs == {"draw": "results/run/draws/d.safetensors"}
    assert job.spec["inputs"] == {"draw": graph.jobs["draw"]["d"].spec}
    assert job.spec["inputs"]["draw"]["inputs"]["source"] == graph.jobs["prepare"]["a"].spec
    assert job.spec["method"]["steps"] == 2
    assert {"wowbench.methods.mmdsw", "wowbench.kernels.riesz"} <= set(job.modules)
    assert job.columns == ({"algorithm": "mmdsw"},)


def test_an_evaluation_reads_its_flow_and_the_draw_of_it_and_what_it_is_given(graph):
    draw = ask_for_draw(graph)
    flow = ask_for_flow(graph, draw)
    classifier = graph.train("c", ClassifierTraining(), draw_of(), axes=AXES, seed=8)
    evaluators, columns = [FrozenClassifier(), WholeClasses()], [{"x": "1"}, {"x": "2"}]
    known = {"axes": AXES, "seeds": [1, 2], "columns": columns}
    graph.evaluate("plain", evaluators[1:], flow, **known | {"columns": columns[1:]})
    graph.evaluate("e", evaluators, flow, **known, test=THREE, classifier=classifier)
    plain, job = graph.jobs["evaluate"].values()
    assert plain.inputs.keys() == {"draw", "flow"}
    assert job.inputs == {
        "draw": "results/run/draws/d.safetensors",
        "flow": "results/run/flows/f.safetensors",
        "test": "results/run/data/c.safetensors",
        "classifier": "results/run/classifiers/c.safetensors",
    }
    assert job.outputs == {}
    assert [e["name"] for e in job.spec["evaluators"]] == ["frozen_classifier", "whole_classes"]
    assert job.modules == (
        "wowbench.evaluators.frozen_classifier",
        "wowbench.evaluators.whole_classes",
    )
    assert job.columns == tuple(columns)


class Relay(FlowTask):
    """Whether a classifier of a dataset reads what becomes of it: all jobs are its own.

    Parameters
    ----------
    known : dataset
        Dataset that is moved onto itself.
    """

    name: ClassVar[str] = "relay"
    summary: ClassVar[str] = "a dataset moved onto itself"
    tables: ClassVar[tuple[str, ...]] = ()
    figures: ClassVar[tuple[str, ...]] = ()
    pairing: ClassVar[str] = "by_number"

    known: DatasetEntry

    def cell_counts(self):
        return [(1, len(self.methods))]

    def build(self, graph):
        draw = draw_of(self.known, self.known, target_seed=derive_seed(graph.seed, "relay"))
        axes = {"task": self.name, "experiment": self.label, "k": draw.k, "flow_seed": 0}
        axes |= {"source": self.known.label, "target": self.known.label}
        drawn = ask_for_draw(graph, "relay/draw", draw, axes=axes)
        training = ClassifierTraining(network="convnet", steps=2)
        classifier = graph.train("relay/known", training, draw, axes=axes, seed=3)
        for method in self.methods:
            name, known = f"relay/{method.label}", axes | {"method": method.label}
            scored, scorers = (self, method, draw, draw.k), [FrozenClassifier(), WholeClasses()]
            flow = graph.flow(
                name,
                method,
                drawn,
                axes=known,
                seed=4,
                problem={"pairing": self.pairing, "batch_size": 1},
                snapshots=[1],
                columns=scored_columns(*scored),
            )
            graph.evaluate(
                name,
                scorers,
                flow,
                axes=known,
                seeds=[],
                columns=[scored_columns(*scored, scorer) for scorer in scorers],
                test=self.known,
                classifier=classifier,
            )


def test_a_task_of_a_third_party_has_jobs_of_its_own(run_of, monkeypatch):
    TASKS.names()
    monkeypatch.setattr(TASKS, "_classes", TASKS._classes | {"relay": Relay})
    methods = [{"name": "dm", "steps": 2}, {"name": "mmdsw", "steps": 3, "n_directions": 3}]
    experiment = {"task": "relay", "known": "digits", "methods": methods}
    run = run_of({"name": "tiny", "experiments": [experiment]})
    counts = {verb: len(jobs) for verb, jobs in run.plan.jobs.items()}
    once = dict.fromkeys(("prepare", "draw", "train"), 1)
    assert counts == {**once, "flow": 2, "evaluate": 2, "distance": 0}
    run.run()
    scores = gather_scores(run.plan)
    assert set(scores.status) == {"ok"}
    metrics = scores[scores.method == "mmdsw"].groupby("metric").step.agg(list)
    assert metrics["accuracy_at_step"] == [1, 3]
    assert {"accuracy", "test_accuracy", "whole_classes", "purity"} <= set(metrics.index)
    assert scores[scores.metric == "purity"].value.between(0, 1).all()
    assert Plan.load(run.plan.config_json).jobs == run.plan.jobs
    # Evaluators whose rows nothing tells apart are one cell, with one row for a failure.
    failed = gather_scores(run.plan, {("evaluate", "relay/dm"): "it fell over"})
    assert (failed.message == "it fell over").sum() == 1
