"""Tables, figures and animations of another package: made by Snakemake as the package's own."""

import json
import os
import re

import pandas as pd
import pytest

from wowbench.tasks.transfer import Transfer

pytestmark = pytest.mark.workflow

RESULTS = "results/theirs"
TABLES, FIGURES = len(Transfer.tables), len(Transfer.figures)
MODULES = {
    "theirs/__init__": "",
    "theirs/counts": '''
from wowbench.results.report import Table


class Counts(Table):
    """Trainings counted by somebody else."""

    def make(self, scores):
        accuracies = scores[scores.metric == "accuracy"]
        return accuracies.groupby(["experiment", "method"]).size().rename("n").reset_index()
''',
    "theirs/sizes": '''
from pathlib import Path

from wowbench.results.report import Figure


class Sizes(Figure):
    """Sizes of the files of flows."""

    reads = ("flow",)

    def draw(self, scores, plan):
        import matplotlib.pyplot as plt

        files = [path for job in plan.jobs["flow"].values() for path in job.outputs.values()]
        figure, axis = plt.subplots()
        axis.bar(range(len(files)), [Path(file).stat().st_size for file in files])
        return figure
''',
    "theirs/growth": '''
from wowbench.results.report import Animation


class Growth(Animation):
    """A bar that grows."""

    def draw(self, scores, plan):
        import matplotlib.pyplot as plt
        from matplotlib.animation import FuncAnimation

        figure, axis = plt.subplots(figsize=(2, 1))
        (bar,) = axis.bar([0], [1])
        return FuncAnimation(figure, lambda i: [bar.set_height(i)], frames=3)
''',
    "theirs/task": '''
from typing import ClassVar

from wowbench.methods.train_on_target import TrainOnTarget
from wowbench.tasks.transfer import Transfer


class Theirs(Transfer):
    """Transfer under another name."""

    name: ClassVar[str] = "theirs"
    summary: ClassVar[str] = "transfer under another name"
    tables: ClassVar[tuple[str, ...]] = ("theirs.counts:Counts",)
    figures: ClassVar[tuple[str, ...]] = ("theirs.sizes:Sizes",)


class Baseline(TrainOnTarget):
    """A baseline of their own (Nobody, 2023)."""

    name: ClassVar[str] = "their_baseline"
    tasks: ClassVar[frozenset[str]] = frozenset({"theirs"})
''',
}
POINTS = """
[wowbench.tasks]
theirs = theirs.task:Theirs
[wowbench.methods]
their_baseline = theirs.task:Baseline
"""
SHARED = {
    "source": {"name": "MNIST", "bundled": True},
    "targets": [{"name": "FashionMNIST", "bundled": True}],
    **{"shots": [1], "images_per_class": 2, "flows": 1, "trainings": 2, "training": {"epochs": 1}},
}


def experiment(task, method, **others):
    return {"task": task, "methods": [method], **SHARED, **others}


OWN = experiment("theirs", "their_baseline")
REGISTERED = experiment(
    "transfer",
    "train_on_target",
    reports=["theirs.counts:Counts", "theirs.sizes:Sizes", "theirs.growth:Growth"],
)


@pytest.fixture
def theirs(checkout):
    """Return a function that runs Snakemake on experiments, beside an installed package."""
    site = checkout.folder / "site"
    for module, text in MODULES.items():
        path = site / f"{module}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    info = site / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    path = os.pathsep.join(map(str, (checkout.folder, site)))

    def run(experiments, *arguments):
        config = checkout.folder / "theirs.json"
        config.write_text(json.dumps({"name": "theirs", "experiments": experiments}))
        command = ("snakemake", "--cores", "2", "--configfile", str(config), *arguments)
        return checkout.run(*command, PYTHONPATH=path)

    run.results = checkout.folder / RESULTS
    run.site = site
    return run


def files_below(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*.*")}


def test_a_config_lists_them_for_a_registered_task_and_a_task_of_theirs_has_them(theirs):
    done = theirs([REGISTERED, OWN])
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(theirs.results / "tables/counts.csv")
    assert table.to_dict("records") == [
        {"experiment": "theirs", "method": "their_baseline", "n": 2},
        {"experiment": "transfer", "method": "train_on_target", "n": 2},
    ]
    assert {"counts.csv", "counts.md", "counts.tex"} <= files_below(theirs.results / "tables")
    assert "transfer_accuracy.csv" in files_below(theirs.results / "tables")
    figures = theirs.results / "figures"
    assert (figures / "sizes.png").read_bytes().startswith(b"\x89PNG")
    assert (figures / "sizes.pdf").read_bytes().startswith(b"%PDF")
    assert (figures / "growth.gif").read_bytes().startswith(b"GIF")

    done = theirs([REGISTERED, OWN], "--report", f"{RESULTS}/report.html")
    assert done.returncode == 0, done.stderr
    page = (theirs.results / "report.html").read_text()
    for text in ("growth.gif", "Trainings counted by somebody else", "A bar that grows"):
        assert text in page

    growth = theirs.site / "theirs/growth.py"
    growth.write_text(growth.read_text().replace("frames=3", "frames=2"))
    counts = theirs.site / "theirs/counts.py"
    counts.write_text(counts.read_text().replace("by somebody else", "by them"))
    done = theirs([REGISTERED, OWN])
    assert done.returncode == 0, done.stderr
    ran = re.findall(r"^(?:local)?rule (\w+):", done.stderr, flags=re.M)
    assert sorted(ran) == ["animation", "default", "site", "table"]


def test_what_is_not_there_is_one_line_before_any_job(theirs):
    done = theirs([experiment("transfer", "train_on_target", reports=["theirs.counts:Count"])])
    assert done.returncode != 0
    message = "theirs.counts:Count: module 'theirs.counts' has no class 'Count'; did you mean 'Co"
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not theirs.results.exists()


@pytest.mark.parametrize(
    ("experiment", "numbers"),
    [
        (OWN, {"table": 1, "figure": 1, "animation": 0}),
        (REGISTERED, {"table": TABLES + 1, "figure": FIGURES + 1, "animation": 1}),
    ],
)
def test_an_experiment_has_those_of_its_task_and_its_own(theirs, experiment, numbers):
    done = theirs([experiment], "--dry-run")
    assert done.returncode == 0, done.stderr
    assert {rule: done.stdout.count(f"\nrule {rule}:") for rule in numbers} == numbers
