"""The workflow as a user runs it."""

import json
import os
import re
import sys
from pathlib import Path

import pandas as pd
import pytest

from wowbench.results.columns import FIRST_COLUMNS

pytestmark = pytest.mark.workflow

RESULTS = "results/smoke"
TABLE = "wowbench.results.tables.transfer_accuracy:TransferAccuracy"


def test_it_writes_scores_tables_and_figures(finished):
    results = finished.folder / RESULTS
    scores = pd.read_csv(results / "scores.csv")
    assert tuple(scores.columns[: len(FIRST_COLUMNS)]) == FIRST_COLUMNS
    accuracies = scores[scores.metric == "accuracy"]
    # 1 target x 2 shots x 2 methods x 1 flow x 2 trainings.
    assert len(accuracies) == 8
    assert accuracies.value.between(0, 1).all()
    assert scores["source.bundled"].all()
    assert scores["target.bundled"].all()
    assert set(scores.target) == {"FashionMNIST"}
    for name in ("transfer_accuracy.csv", "transfer_accuracy.md", "transfer_accuracy.tex"):
        assert (results / "tables" / name).stat().st_size > 0
    for name in ("transfer_accuracy", "transfer_samples"):
        assert (results / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (results / "figures" / f"{name}.pdf").read_bytes().startswith(b"%PDF")


def test_it_writes_a_page_of_results(finished):
    page = (finished.folder / RESULTS / "site" / "index.html").read_text()
    assert "Results of the run smoke" in page
    assert "is not finished" not in page
    assert "Test accuracy of transfer learning" in page
    assert page.count('<img src="data:image/png;base64,') == 4
    assert not list(re.finditer(r'(?:src|href)="(?:https?:)?//', page))


def test_every_job_has_a_record(finished):
    for folder in ("prepare", "draw", "flow", "evaluate"):
        paths = list((finished.folder / RESULTS / "records" / folder).rglob("*.json"))
        assert paths
        for path in paths:
            record = json.loads(path.read_text())
            assert record["job"] == folder
            assert record["status"] == "ok"
            assert record["seconds"] >= 0


def test_the_log_of_a_flow_has_plain_lines(finished):
    (log,) = (finished.folder / RESULTS / "logs" / "flow").rglob("k1/mmdsw/flow0.log")
    text = log.read_text()
    assert "step 20 of 20" in text
    assert "\r" not in text


def test_the_report_is_one_page_with_every_item(finished):
    done = finished.snakemake("--report", f"{RESULTS}/report.html")
    assert done.returncode == 0, done.stderr
    page = (finished.folder / RESULTS / "report.html").read_text()
    for item in ("scores.csv", "transfer_accuracy.html", "transfer_samples.png"):
        assert item in page
    assert "crosses are the means of Table 2" in page


def test_a_finished_run_can_be_archived_and_tabulated_again(finished):
    config = "workflow/config/smoke.yaml"
    done = finished.run("wowbench", "archive", "--config", config, "--out", "kept")
    assert done.returncode == 0, done.stderr
    kept = finished.folder / "kept"
    results = finished.folder / RESULTS
    assert (kept / "scores.csv").read_text() == (results / "scores.csv").read_text()
    with_torch, without = sorted(
        json.loads((kept / "provenance.json").read_text()), key=lambda entry: -entry["jobs"]
    )
    # 4 flows and 4 evaluations; 2 datasets and 2 draws.
    assert (with_torch["jobs"], without["jobs"]) == (8, 4)
    differing = {key for key in with_torch if with_torch[key] != without[key]}
    assert differing <= {"arithmetic", "threads", "jobs", "first_written", "last_written"}
    assert without["arithmetic"] is without["threads"] is None
    done = finished.run("wowbench", "validate", "kept/config.yaml")
    assert "2 prepare, 2 draw, 4 flow, 4 evaluate" in done.stdout
    table = ("table", TABLE, "--scores", "kept/scores.csv", "--out", "kept/t.csv")
    assert finished.run("wowbench", *table).returncode == 0
    made = (results / "tables" / "transfer_accuracy.md").read_text()
    assert (kept / "t.md").read_text() == made


def test_an_unfinished_run_is_not_archived(checkout):
    config = "workflow/config/smoke.yaml"
    done = checkout.run("wowbench", "archive", "--config", config, "--out", "kept")
    assert done.returncode == 2
    assert "run that job again" in done.stderr
    assert not (checkout.folder / "kept").exists()


def test_a_flow_runs_by_hand_to_the_same_bits(finished):
    results = finished.folder / RESULTS
    name = "transfer/MNIST-bundled-FashionMNIST-bundled/k1"
    record = json.loads((results / f"records/flow/{name}/mmdsw/flow0.json").read_text())
    spec = finished.folder / "spec.json"
    spec.write_text(json.dumps(record["spec"]))
    done = finished.run(
        "wowbench",
        "flow",
        "--spec",
        str(spec),
        "--draw",
        f"{RESULTS}/draws/{name}/flow0.safetensors",
        "--out",
        "again.safetensors",
        "--record",
        "again.json",
        OMP_NUM_THREADS="1",
    )
    assert done.returncode == 0, done.stderr
    again = (finished.folder / "again.safetensors").read_bytes()
    assert again == (results / f"flows/{name}/mmdsw/flow0.safetensors").read_bytes()


def test_a_misspelt_config_key_is_one_clear_line(checkout):
    done = checkout.snakemake("--config", "sede=1")
    assert done.returncode != 0
    assert "unknown key 'sede'; did you mean 'seed'?" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (checkout.folder / RESULTS).exists()


@pytest.mark.parametrize(
    "target", ["tables/nope.md", "figures/nope.png", "figures/nope.gif", "draws/nope.safetensors"]
)
def test_a_target_that_the_run_does_not_have_is_one_clear_line(checkout, target):
    done = checkout.run(
        *("snakemake", f"{RESULTS}/{target}", "--cores", "1"),
        *("--configfile", "workflow/config/smoke.yaml"),
    )
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"No rule to produce {RESULTS}/{target}")
    assert "Traceback" not in done.stderr


def test_the_start_of_its_jobs_is_told_from_their_work(again):
    command = ("wowbench", "bench", "startup", "workflow/config/smoke.yaml")
    done = again.run(*command)
    assert done.returncode == 0, done.stderr
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()]
    table = pd.DataFrame(rows[2:], columns=rows[0]).set_index("verb")
    records = again.folder / RESULTS / "records"
    for verb in ("prepare", "draw", "flow", "evaluate"):
        paths = list((records / verb).rglob("*.json"))
        assert int(table.jobs[verb]) == len(paths)
        work = sum(json.loads(path.read_text())["seconds"] for path in paths)
        assert float(table["work (s)"][verb]) == pytest.approx(work, abs=0.06)
        assert float(table["started (s)"][verb]) > 0
    assert int(table.jobs["all"]) == len(list(records.rglob("*.json")))
    paths[0].unlink()
    failed = again.run(*command)
    assert failed.returncode == 2
    assert paths[0].name in failed.stderr


def test_jobs_that_compute_take_one_gpu_each_of_those_that_there_are(checkout):
    driver = checkout.folder / "bin" / "nvidia-smi"
    driver.parent.mkdir()
    driver.write_text("#!/bin/sh\necho 'GPU 0: A card'\necho 'GPU 1: A card'\n")
    driver.chmod(0o755)
    folders = (driver.parent, Path(sys.executable).parent, os.environ["PATH"])
    variables = {"PATH": os.pathsep.join(map(str, folders)), "CUDA_VISIBLE_DEVICES": "0,1"}
    planned = checkout.snakemake("--dry-run", **variables)
    takes = re.findall(r"rule (\w+):(?:\n    .*)*\n    resources: (.*)", planned.stdout)
    on_gpu = {rule for rule, resources in takes if "gpu=1" in resources}
    assert on_gpu == {"flow", "evaluate"}
    assert {rule for rule, _ in takes} > {"prepare", "draw", "table", *on_gpu}
    done = checkout.snakemake("--until", "prepare", **variables)
    assert re.search(r"Provided resources: gpu=\D*2\b", done.stderr), done.stderr
