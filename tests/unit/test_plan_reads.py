"""What tables and figures read beside the scores is declared, and becomes files of the plan."""

import inspect
import re
import sys
from pathlib import Path

import pytest

from wowbench.listed import listed
from wowbench.plan import Plan
from wowbench.registry import TASKS
from wowbench.results.scores import read_scores

ROOT = Path(__file__).parents[2]
TABLES = sorted({path for task in TASKS.names() for path in TASKS.get(task).tables})
FIGURES = sorted({path for task in TASKS.names() for path in TASKS.get(task).figures})
STUDIES = [
    "wowbench.results.tables.parameter_study:ParameterStudy",
    "wowbench.figures.parameter_study:ParameterStudy",
]
READERS = {"drawn_of": "draw", "trajectory_of": "flow"}


@pytest.fixture(scope="module")
def opened():
    """Paths that the tests of this module open; an audit hook cannot be taken away again."""
    paths, listening = [], True

    def hook(event, values):
        if listening and event == "open":
            paths.append(str(values[0]))

    sys.addaudithook(hook)
    yield paths
    listening = False


def archives():
    return sorted((ROOT / "results" / "measured").glob("*/scores.csv"))


@pytest.mark.parametrize("path", [*TABLES, *FIGURES, *STUDIES])
def test_what_is_read_from_the_source_is_what_the_class_has(path):
    report = listed(path)
    cls = type(report.load())
    assert issubclass(cls, report.base)
    assert report.reads == cls.reads
    assert report.caption == inspect.getdoc(cls)


@pytest.mark.parametrize("path", TABLES)
def test_a_table_reads_no_file_that_it_does_not_declare(path, opened, tmp_path):
    results = ROOT / "results"
    read, measured = set(), set()
    for archive in archives():
        scores = read_scores(archive)
        measured |= set(scores.task)
        opened.clear()
        listed(path).load().write(scores, tmp_path / "table.csv")
        places = [Path(path) for path in opened if path.startswith(str(results))]
        read |= {str(path.relative_to(results)) for path in places}
    declared = set(listed(path).reads)
    assert read <= declared
    if any(path in TASKS.get(task).tables for task in measured):
        assert read == declared


@pytest.mark.parametrize("path", FIGURES)
def test_a_figure_declares_the_jobs_whose_files_it_reads(path):
    source = inspect.getsource(sys.modules[type(listed(path).load()).__module__])
    # Figures of one experiment share what draws them.
    for shared in re.findall(r"from (wowbench\.figures\.\w+_\w+) import", source):
        source += inspect.getsource(sys.modules[shared])
    used = {verb for reader, verb in READERS.items() if re.search(rf"\b{reader}\(", source)}
    assert used == set(listed(path).reads) & set(READERS.values())


def test_a_figure_reads_the_files_of_the_experiments_that_have_it():
    bundled = [{"name": name, "bundled": True} for name in ("MNIST", "FashionMNIST")]
    transfer = {
        **{"task": "transfer", "source": bundled[0], "targets": bundled[1:]},
        **{"shots": [1], "flows": 2, "methods": ["mmdsw", "otdd"]},
    }
    distillation = {
        **{"task": "distillation", "datasets": bundled[:1], "images_per_class": [1]},
        **{"target_images": 300, "flows": 1, "methods": ["mmdsw"]},
    }
    plan = Plan.load({"name": "test", "experiments": [transfer, distillation]})
    samples = plan.reads(plan.figures["transfer_samples"])
    place = "transfer/MNIST-bundled-FashionMNIST-bundled/k1"
    assert set(samples["draw"]) == {
        f"results/test/draws/{place}/flow{i}.safetensors" for i in range(2)
    }
    assert set(samples["flow"]) == {
        f"results/test/flows/{place}/{method}/flow{i}.safetensors"
        for method in ("mmdsw", "otdd")
        for i in range(2)
    }
    losses = plan.reads(plan.figures["loss_curves"])
    assert len(losses["flow"]) == 5
    assert "draw" not in losses
    table = plan.reads(plan.tables["transfer_accuracy"])
    names = {Path(path).name for path in table["numbers"]}
    assert names == {"between_draws.csv", "transfer_accuracy.csv"}
    assert all(Path(path).exists() for path in table["numbers"])
