"""What a run will take, from what others took."""

import math
from dataclasses import astuple, fields, replace
from pathlib import Path

import pytest
import yaml

from wowbench.cli import BAD_INPUT, main
from wowbench.costs import (
    Cost,
    Work,
    archived_costs,
    read_costs,
    recorded_costs,
    work_of,
    write_costs,
)
from wowbench.errors import InputError
from wowbench.estimate import Estimate, estimate, estimates, total
from wowbench.plan import Plan

ROOT = Path(__file__).parents[2]
STEP = Work("flow", "transfer", "mmdsw", 200, 5, "500", "False", amount=5000)
MEASURED = Cost(*astuple(STEP), device="cpu", rate=0.1, memory=1e9, disk=1e6, run="transfer")


def of(work, *costs, on_gpu=False):
    return estimate(work, costs, on_gpu=on_gpu)


def test_the_same_job_takes_the_same():
    assert of(STEP, MEASURED) == Estimate(500.0, 500.0, 0, 1e9, 1e6)


@pytest.mark.parametrize(
    ("change", "factor"),
    [
        ({"amount": 1000}, 1 / 5),
        ({"directions": "50"}, 1 / 10),
        ({"n": 400, "k": 10}, 2),
        ({"task": "generation"}, 1),
    ],
)
def test_steps_scale_with_directions_and_particles(change, factor):
    assert of(replace(STEP, **change), MEASURED).low == pytest.approx(500 * factor)


def test_the_closest_job_is_scaled():
    far = replace(MEASURED, n=2000, rate=100.0)
    assert of(replace(STEP, n=210), far, MEASURED).high == pytest.approx(500 * 215 / 205)


def test_jobs_that_are_as_close_give_a_range():
    other = replace(MEASURED, rate=0.2, run="again")
    found = of(STEP, MEASURED, other)
    assert (found.low, found.high) == (500, 1000)


def test_the_same_task_is_preferred():
    other = replace(MEASURED, task="generation", rate=9.0)
    assert of(STEP, MEASURED, other).high == 500


def test_without_a_measured_cost_there_is_the_range_of_the_verb():
    costs = [MEASURED, replace(MEASURED, name="otdd", rate=0.3)]
    costs += [replace(MEASURED, embedding="True", rate=9.0), replace(MEASURED, job="train")]
    found = of(replace(STEP, name="new"), *costs)
    assert (found.low, found.high, found.unknown) == (500, 1500, 1)


def test_nothing_is_known_of_a_gpu_from_a_processor():
    found = of(STEP, MEASURED, on_gpu=True)
    assert math.isnan(found.low)
    assert found.unknown == 1
    assert of(STEP, replace(MEASURED, device="A Large GPU"), on_gpu=True).low == 500


def test_trainings_scale_with_images_and_epochs():
    work = Work("evaluate", "transfer", "few_shot", 200, 5, amount=5, effort=205 * 50)
    measured = Cost(*astuple(work), rate=10.0)
    assert of(replace(work, effort=205 * 25), measured).low == pytest.approx(25)


def test_disk_scales_with_the_states_that_a_flow_keeps():
    assert of(replace(STEP, frames=3, n=400), MEASURED).disk == pytest.approx(6e6)


def test_sums_keep_the_largest_memory_and_all_of_the_disk():
    nothing = Estimate(math.nan, math.nan, 1)
    found = total([Estimate(1, 2, 0, 5, 10), Estimate(3, 4, 0, 9, 1), nothing])
    assert found == Estimate(4, 6, 1, 9, 11)


def test_a_finished_run_takes_what_it_took(tiny_run, tmp_path):
    write_costs(recorded_costs(Path("results/tiny")), tmp_path / "costs.csv")
    costs = read_costs(tmp_path / "costs.csv")
    found = estimates(tiny_run.plan, costs)
    for verb in ("draw", "flow", "evaluate"):
        records = recorded_costs(Path("results/tiny"))
        took = sum(cost.rate * cost.amount for cost in records if cost.job == verb)
        assert total(found["transfer", verb]).high == pytest.approx(took, rel=1e-3)
        assert total(found["transfer", verb]).unknown == 0
    files = [p for p in Path("results/tiny/flows").rglob("*.safetensors")]
    files += [p for p in Path("results/tiny/records/flow").rglob("*.json")]
    size = sum(path.stat().st_size for path in files)
    assert total(found["transfer", "flow"]).disk == pytest.approx(size, rel=1e-3)


@pytest.mark.parametrize("name", ["transfer", "distillation_embedded", "distances_mnist"])
def test_archives_and_configs_say_the_same_of_a_job(name, tmp_path):
    folder = ROOT / "results/measured" / name
    (tmp_path / name).symlink_to(folder)
    archived = archived_costs(tmp_path)
    verb = "distance" if name == "distances_mnist" else "flow"
    keep = [f.name for f in fields(Work) if f.name not in ("frames", "amount")]
    keep += ["amount"] if verb == "flow" else []
    plan = Plan.load(folder / "config.yaml")
    planned = {
        tuple(getattr(work_of(verb, job.spec), key) for key in keep)
        for job in plan.jobs[verb].values()
    }
    assert {tuple(getattr(cost, key) for key in keep) for cost in archived} == planned


def test_the_default_run_has_measured_costs():
    plan = Plan.load(ROOT / "workflow/config/mini.yaml")
    everything = total([one for jobs in estimates(plan, read_costs()).values() for one in jobs])
    assert everything.unknown == 0
    # It takes some eight minutes of work (docs/speed.md).
    assert 4 * 60 < everything.low <= everything.high < 20 * 60


def test_the_verb_prints_jobs_by_experiment(tiny_run, capsys):
    Path("tiny.yaml").write_text(yaml.safe_dump(tiny_run.config))
    assert main(["plan", "tiny.yaml"]) == 0
    said = capsys.readouterr().out
    assert "| transfer     | 2 flow " in said
    assert "| all          | 7 " in said
    assert "Scaled from jobs that were measured on cpu" in said


def test_the_verb_gathers_archives_and_runs(tiny_run, scores_of, capsys):
    (Path("archives") / "empty").mkdir(parents=True)
    words = ["costs", "--archives", "archives", "--runs", "results/tiny", "--out", "costs.csv"]
    assert main(words) == 0
    assert {cost.job for cost in read_costs(Path("costs.csv"))} == {
        *("prepare", "draw", "flow", "evaluate")
    }
    assert main([*words[:4], "archives", *words[5:]]) == BAD_INPUT
    assert "archives: no records in it" in capsys.readouterr().err


def test_a_file_that_is_no_table_of_costs_is_named(tmp_path):
    path = tmp_path / "costs.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"costs .*costs\.csv: "):
        read_costs(path)
    assert read_costs(tmp_path / "absent.csv") == []
