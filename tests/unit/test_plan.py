"""Plans: seeds, draws shared by methods, names, and what each job depends on."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from wowbench.errors import InputError
from wowbench.evaluation.sizes import MINIMUM_SIZE
from wowbench.methods.problem import Problem
from wowbench.parameters import FromRegistry
from wowbench.plan import Plan
from wowbench.registry import DATASETS, METHODS
from wowbench.seeding import derive_seed
from wowbench.space import Space
from wowbench.tasks.transfer import Transfer

ROOT = Path(__file__).parents[2]


def transfer(**changes):
    experiment = {
        "task": "transfer",
        "source": {"name": "MNIST", "bundled": True},
        "targets": [{"name": "FashionMNIST", "bundled": True}],
        "shots": [1, 5],
        "flows": 2,
        "trainings": 3,
        "methods": ["train_on_target", "mmdsw"],
    }
    return Plan.load({"name": "test", "experiments": [experiment | changes]})


def test_derived_seeds_differ_by_every_name_and_stay_in_range():
    seeds = {derive_seed(*names) for names in [(0,), (1,), (0, "a"), (0, "a", 0), (0, "a", "0")]}
    assert len(seeds) == 5
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_derived_seed_is_the_same_everywhere():
    # First 8 bytes of SHA-256 of the text [0,"a"], computed with coreutils' sha256sum, halved.
    text = b'[0,"a"]'
    done = subprocess.run(["sha256sum"], input=text, capture_output=True, check=True)
    assert derive_seed(0, "a") == int(done.stdout[:16], 16) // 2


def test_methods_share_draws_and_training_seeds():
    plan = transfer()
    for name, job in plan.jobs["evaluate"].items():
        other = plan.jobs["evaluate"][name.replace("mmdsw", "train_on_target")]
        assert job.inputs["draw"] == other.inputs["draw"]
        assert job.spec["seeds"] == other.spec["seeds"]


def test_seeds_follow_from_the_root_seed_and_the_names_of_the_axes():
    plan = transfer(id="mine")
    source, target = "MNIST-bundled", "FashionMNIST-bundled"
    path = f"{source}-{target}/k5"
    draw = plan.job("draw", f"mine/{path}/flow1").spec
    assert draw["source_seed"] == derive_seed(0, "source", source, 1)
    assert draw["target_seed"] == derive_seed(0, "shots", target, 1)
    name = f"mine/{path}/mmdsw/flow1"
    assert plan.job("flow", name).spec["seed"] == derive_seed(0, "flow", "transfer", path, 1)
    assert plan.job("evaluate", name).spec["seeds"] == [
        derive_seed(0, "training", "transfer", path, 1, i) for i in range(3)
    ]


def test_budgets_are_evaluations_of_one_flow_where_it_leaves_the_target_alone():
    plan = transfer(budgets=["own", "matched"])
    assert {verb: len(jobs) for verb, jobs in plan.jobs.items()} == {
        verb: len(jobs) for verb, jobs in transfer().jobs.items()
    }
    found = {"train_on_target": ["own", "matched"], "mmdsw": ["own"]}
    for job in plan.jobs["evaluate"].values():
        expected = found[job.spec["axes"]["method"]]
        assert [evaluator["budget"] for evaluator in job.spec["evaluators"]] == expected
        assert [columns["budget"] for columns in job.columns] == expected


@pytest.mark.parametrize("budgets", [[], ["own", "own"], ["double"]])
def test_budgets_that_are_none_or_twice_are_refused(budgets):
    with pytest.raises(InputError, match="budgets"):
        transfer(budgets=budgets)


def test_flows_draw_anew_unless_the_spread_is_fixed():
    def seeds(plan):
        return {
            (job.spec["source_seed"], job.spec["target_seed"]) for job in plan.jobs["draw"].values()
        }

    assert len(seeds(transfer())) == 2
    assert len(seeds(transfer(spread="fixed"))) == 1


def test_flows_of_a_fixed_draw_still_have_their_own_seeds():
    flows = transfer(spread="fixed").jobs["flow"]
    of_mmdsw = [job.spec["seed"] for name, job in flows.items() if "mmdsw" in name]
    assert len(set(of_mmdsw)) == len(of_mmdsw) == 4


def test_the_job_counts_follow_from_the_axes():
    counts = {verb: len(jobs) for verb, jobs in transfer().jobs.items()}
    assert counts == {"prepare": 2, "draw": 4, "train": 0, "flow": 8, "evaluate": 8, "distance": 0}


def test_two_datasets_of_one_name_are_refused():
    digits = [{"name": "folder", "id": "mine", "path": p} for p in ("one", "two")]
    experiments = [
        {
            "task": "transfer",
            "id": f"transfer{i}",
            "source": dataset,
            "targets": [dataset],
            "methods": ["mmdsw"],
        }
        for i, dataset in enumerate(digits)
    ]
    with pytest.raises(InputError, match="datasets are called 'mine': path is 'one' and 'two'"):
        Plan.load({"name": "test", "experiments": experiments})


FOLDER = {"name": "folder", "id": "mine", "path": "absent", "channels": 1}
SMALL = {"source": {"name": "digits"}, "targets": [{"name": "digits"}]}
TINY = {"name": "digits", "image_size": 7}


def distillation(**changes):
    experiment = {
        "task": "distillation",
        "datasets": ["MNIST"],
        "images_per_class": [1],
        "flows": 1,
        "trainings": 1,
        "methods": ["dm"],
    }
    return Plan.load({"name": "test", "experiments": [experiment | changes]})


@pytest.mark.parametrize(
    ("task", "changes", "message"),
    [
        (transfer, SMALL, "target digits has images of 8 x 8 pixels, .* evaluation .* 28 x 28"),
        (
            transfer,
            {"source": {"name": "USPS", "image_size": 27}, "targets": [{**FOLDER, "channels": 3}]},
            "target mine has images of 27 x 27 pixels, and the evaluation needs at least 28 x 28",
        ),
        (
            distillation,
            {"datasets": [TINY]},
            "target digits has images of 7 x 7 pixels, and the evaluation needs at least 8 x 8",
        ),
    ],
)
def test_images_too_small_for_the_evaluation_are_refused(task, changes, message):
    with pytest.raises(InputError, match=message):
        task(**changes)


def test_images_that_are_just_large_enough_are_not_refused():
    large = {"name": "digits", "image_size": 28}
    assert transfer(source=large, targets=[large]).jobs["flow"]
    assert distillation(datasets=[{"name": "digits", "image_size": 8}]).jobs["flow"]


def test_where_only_files_tell_the_size_a_draw_checks_it():
    def needs(plan):
        return {job.spec["minimum_size"] for job in plan.jobs["draw"].values()}

    assert needs(transfer(source=FOLDER, targets=[FOLDER])) == {28}
    assert needs(distillation(datasets=[FOLDER])) == {8}


def test_images_too_small_for_an_embedding_are_refused(monkeypatch):
    # With an evaluation that takes images of any size, the embedding is what does not.
    monkeypatch.setitem(MINIMUM_SIZE, "lenet5", 1)
    tiny = {"source": TINY, "targets": [TINY]}
    assert transfer(**tiny, methods=["mmdsw"]).jobs["flow"]
    message = "images of 7 x 7 pixels, and the embedding of 'emb' needs at least 8 x 8"
    with pytest.raises(InputError, match=message):
        transfer(**tiny, methods=[{"name": "mmdsw", "id": "emb", "embedding": True}])


@pytest.mark.parametrize("method", ["otdd", "mmd_product"])
def test_classes_that_do_not_divide_are_refused_where_they_are_known(monkeypatch, method):
    digits = {"name": "digits", "image_size": 28}
    changes = {"source": digits, "targets": ["FashionMNIST"], "methods": ["mmdsw", method]}
    assert transfer(**changes, images_per_class=7).jobs["flow"]
    monkeypatch.setattr(DATASETS.get("FashionMNIST"), "n_classes", 3)
    assert transfer(**changes, images_per_class=6).jobs["flow"]
    with pytest.raises(InputError, match=f"method '{method}': 7 images of each of 10 classes are"):
        transfer(**changes, images_per_class=7)
    monkeypatch.setattr(DATASETS.get("FashionMNIST"), "n_classes", None)
    assert transfer(**changes, images_per_class=7).jobs["flow"]


def test_the_sizes_of_a_problem_are_those_that_a_method_checks():
    problem = Problem(torch.zeros(4, 6, 3, 8, 9), torch.zeros(4, 3, 3, 8, 9), Space((3, 8, 9)))
    build = FromRegistry(METHODS).build
    for name in METHODS.names():
        build(name).check_sizes(**problem.sizes)
    build({"name": "dm", "embedding": True}).check_sizes(**problem.sizes)
    narrow = Problem(torch.zeros(4, 5, 3, 9, 7), torch.zeros(4, 1, 3, 9, 7), Space((3, 9, 7)))
    with pytest.raises(InputError, match="9 x 7 pixels, and the embedding of 'dm' needs at least"):
        build({"name": "dm", "embedding": True}).check_sizes(**narrow.sizes)
    with pytest.raises(InputError, match="5 images of each of 4 classes are 20; expected a mul"):
        build("otdd").check_sizes(**narrow.sizes | {"target_classes": 3})


def test_an_unknown_job_is_named():
    with pytest.raises(InputError, match="no flow job 'nothing'"):
        transfer().job("flow", "nothing")


def test_planning_imports_no_torch_and_nothing_that_tables_and_figures_need():
    config = ROOT / "workflow" / "config" / "paper.yaml"
    code = (
        f"import sys; from wowbench.plan import Plan; p = Plan.load({str(config)!r});"
        "[p.sources(v, n) for v, jobs in p.jobs.items() for n in jobs];"
        "assert all(p.digest(r.module) and p.reads(r) for r in p.reports);"
        "slow = {'torch', 'pandas', 'matplotlib'} & set(sys.modules); assert not slow, slow"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_every_table_and_figure_has_a_caption():
    reports = transfer().reports
    assert len(reports) == len(Transfer.tables) + len(Transfer.figures)
    assert all(len(report.caption) > 40 for report in reports)


def test_a_flow_depends_on_the_plug_ins_that_its_method_is_composed_of():
    kernels = ("gaussian", "laplace")
    plan = transfer(
        methods=[{"name": "mmdsw", "id": k, "kernel": {"name": k, "h": 1.0}} for k in kernels]
    )
    for name, job in plan.jobs["flow"].items():
        kernel = "gaussian" if "gaussian" in name else "laplace"
        assert f"wowbench.kernels.{kernel}" in job.modules, name


def test_the_parts_of_a_run_are_what_its_experiments_and_methods_measure():
    experiment = {"task": "transfer", "source": "MNIST", "targets": ["USPS"], "shots": [1, 5]}
    experiment |= {"methods": ["train_on_target", "mmdsw"], "flows": 2}
    others = experiment | {"id": "others", "shots": [10], "methods": ["mmdsw"]}
    plan = Plan.load({"name": "test", "experiments": [experiment, others]})
    sizes = {target: len(records) for target, records in plan.parts.items()}
    assert sizes == {
        "experiment_transfer": 8,
        "experiment_others": 2,
        "method_train_on_target": 4,
        "method_mmdsw": 6,
    }
    assert set(plan.parts["experiment_others"]) < set(plan.parts["method_mmdsw"])
    assert set(plan.parts["method_mmdsw"]) <= set(plan.records("evaluate"))
