"""Runs in which something fails: what they say, and what they leave."""

import pandas as pd
import pytest

pytestmark = pytest.mark.workflow

RESULTS = "results/smoke"
CONFIG = "workflow/config/smoke.yaml"
METHOD = """
from typing import ClassVar

from wowbench.methods.train_on_target import TrainOnTarget
from wowbench.registry import METHODS


@METHODS.register
class Shaky(TrainOnTarget):
    name: ClassVar[str] = "shaky"
    summary: ClassVar[str] = "falls over"

    def run(self, problem, context):
        raise RuntimeError("it fell over")
"""


def test_a_failing_job_shows_its_line_and_leaves_no_output(checkout):
    data = checkout.folder / "wowbench/datasets/bundled/fashionmnist_train.npz"
    data.write_bytes(data.read_bytes()[:-100])
    done = checkout.snakemake()
    assert done.returncode != 0
    assert data.name in done.stderr
    assert "checksum" in done.stderr.lower() or "sha256" in done.stderr.lower()
    assert not list((checkout.folder / RESULTS / "data").glob("*FashionMNIST*"))


def test_a_diverged_flow_is_a_row(again):
    with again.edited(CONFIG, "steps: 20", "steps: 200, scheme: {lr: 1.0e+38}"):
        done = again.snakemake()
    assert done.returncode == 0, done.stderr
    scores = pd.read_csv(again.folder / RESULTS / "scores.csv")
    diverged = scores[scores.method == "mmdsw"]
    assert set(diverged.status) == {"diverged"}
    assert diverged.value.isna().all()
    table = (again.folder / RESULTS / "tables/transfer_accuracy.md").read_text()
    assert "(1 diverged)" in table


def test_a_method_that_fails_leaves_the_tables_of_the_others(again):
    method = again.folder / "wowbench/methods/shaky.py"
    method.write_text(METHOD)
    with again.edited(CONFIG, "- train_on_target", "- train_on_target\n      - shaky"):
        done = again.snakemake("--keep-going")
        assert done.returncode != 0
        results = again.folder / RESULTS
        partial = results / "partial"
        assert f"the rest is in {RESULTS}/partial" in done.stderr
        scores = pd.read_csv(partial / "scores.csv")
        failed = scores[scores.status == "failed"]
        assert set(failed.method) == {"shaky"}
        flows = failed[failed.metric == "flow"]
        assert list(flows.message) == ["RuntimeError: it fell over"] * 2
        assert list(failed[failed.metric == "evaluate"].message) == ["not run"] * 2
        assert failed.value.isna().all()
        others = scores[scores.metric == "accuracy"].groupby(["method", "k"]).size()
        assert others.to_dict() == {
            (method, k): 2 for method in ("train_on_target", "mmdsw") for k in (1, 2)
        }
        for name in ("transfer_accuracy.md", "transfer_paired.csv"):
            assert "train_on_target" in (partial / "tables" / name).read_text()
        assert (partial / "figures/loss_curves.png").exists()
        page = (partial / "site/index.html").read_text()
        assert "This run is not finished." in page
        assert "RuntimeError: it fell over" in page
        assert not list((results / "flows").rglob("shaky/*.safetensors"))

        method.write_text(
            METHOD.replace(
                'raise RuntimeError("it fell over")', "return super().run(problem, context)"
            )
        )
        done = again.snakemake("--", f"{RESULTS}/tables/transfer_accuracy.csv")
    assert done.returncode == 0, done.stderr
    scores = pd.read_csv(results / "scores.csv")
    assert set(scores.status) == {"ok"}
    assert len(scores[(scores.method == "shaky") & (scores.metric == "accuracy")]) == 4
    assert not partial.exists()


def test_what_a_failure_kept_from_running_again_does_not_count(again):
    """The old evaluations of a method that has been edited are still there."""
    code = "wowbench/methods/mmdsw.py"
    edit = (
        '"""MMD to `target` along',
        'raise RuntimeError("it fell over")\n        """MMD to `target` along',
    )
    with again.edited(code, *edit):
        done = again.snakemake()
    assert done.returncode != 0
    evaluations = again.folder / RESULTS / "records/evaluate"
    assert len(list(evaluations.rglob("mmdsw/*.json"))) == 2
    scores = pd.read_csv(again.folder / RESULTS / "partial/scores.csv")
    assert set(scores[scores.metric == "accuracy"].method) == {"train_on_target"}
    messages = scores[scores.method == "mmdsw"].groupby("metric").message.agg(set)
    assert "RuntimeError: it fell over" in messages["flow"]
    assert messages["evaluate"] == {"not run"}


def test_a_check_that_fails_still_gives_a_report(again):
    config = again.folder / CONFIG
    config.rename(config.with_name("mini.yaml"))  # what the Makefile runs
    expected = again.folder / "results/expected/smoke.csv"
    results = again.folder / RESULTS
    keep = ("wowbench", "expect", "--scores", f"{RESULTS}/scores.csv", "--out", str(expected))
    assert again.run(*keep).returncode == 0
    rows = pd.read_csv(expected)
    rows.assign(mean=rows["mean"] + 0.2).to_csv(expected, index=False)
    make = ("make", "reproduce", f"RESULTS={RESULTS}", "--assume-old", ".venv/installed")
    done = again.run(*make)
    assert done.returncode != 0
    assert "4 of 4 means are off" in done.stderr
    assert "the check failed" in done.stdout
    page = (results / "report.html").read_text()
    for item in ("scores.csv", "check.csv", "transfer_accuracy.png"):
        assert item in page
    assert set(pd.read_csv(results / "check.csv").verdict) == {"differs"}
    assert not (results / "verdict.txt").exists()
    assert not (results / "partial").exists()

    assert again.run(*keep).returncode == 0
    done = again.run("snakemake")
    assert done.returncode == 0, done.stderr
    assert "all 4 means lie within" in (results / "verdict.txt").read_text()
