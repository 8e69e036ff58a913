"""Plans: seeds, draws shared by methods, names, and digests of sources."""

import subprocess
import sys
from pathlib import Path

import pytest

from wowbench import sources
from wowbench.errors import InputError
from wowbench.plan import Plan
from wowbench.seeding import derive_seed

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
    assert counts == {"prepare": 2, "draw": 4, "flow": 8, "evaluate": 8}


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
    with pytest.raises(InputError, match="two different datasets are called 'mine'"):
        Plan.load({"name": "test", "experiments": experiments})


def test_an_unknown_job_is_named():
    with pytest.raises(InputError, match="no flow job 'nothing'"):
        transfer().job("flow", "nothing")


def test_planning_imports_no_torch():
    config = ROOT / "workflow" / "config" / "paper.yaml"
    code = (
        f"import sys; from wowbench.plan import Plan; p = Plan.load({str(config)!r});"
        "[p.sources(v, n) for v, jobs in p.jobs.items() for n in jobs];"
        "assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Lay out a package in which `top` imports `low` inside a function, and `other` nothing."""
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "low.py").write_text("value = 1\n")
    (folder / "top.py").write_text("def f():\n    from pack.low import value\n    return value\n")
    (folder / "other.py").write_text("value = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    for cached in (sources._path, sources._imports):
        cached.cache_clear()
    return folder


@pytest.mark.parametrize(("edited", "changes"), [("low", True), ("top", True), ("other", False)])
def test_a_digest_changes_with_what_is_imported_and_no_other(package, edited, changes):
    before = sources.source_digest("pack.top")
    (package / f"{edited}.py").write_text("value = 3\n")
    sources._imports.cache_clear()
    assert (sources.source_digest("pack.top") != before) == changes


def test_every_table_and_figure_has_a_caption():
    plan = transfer()
    for package, names in (("results.tables", plan.tables), ("figures", plan.figures)):
        for name in names:
            assert len(plan.caption(f"wowbench.{package}.{name}")) > 40
