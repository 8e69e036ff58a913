"""A run whose flows and evaluations share processes, one of which fails at first."""

import pandas as pd
import pytest

pytestmark = pytest.mark.workflow

RESULTS = "results/smoke"
TOGETHER = ("--config", 'together={"flow": 4, "evaluate": 2}')
METHOD = """
from pathlib import Path
from typing import ClassVar

from wowbench.methods.mmdsw import MMDSW
from wowbench.registry import METHODS


@METHODS.register
class Shaky(MMDSW):
    name: ClassVar[str] = "shaky"
    summary: ClassVar[str] = "falls over"

    def run(self, problem, context):
        if Path("broken").exists() and problem.target.shape[1] == 2:
            raise RuntimeError("it fell over")
        return super().run(problem, context)
"""


@pytest.fixture
def shaky(checkout):
    """A run of two flows of each cell and a third method, which fails at k = 2."""
    (checkout.folder / "wowbench/methods/shaky.py").write_text(METHOD)
    (checkout.folder / "broken").touch()
    config = checkout.folder / "workflow/config/smoke.yaml"
    text = config.read_text().replace("flows: 1", "flows: 2")
    added = "      - {name: shaky, n_directions: 10, steps: 20}\n    training:"
    config.write_text(text.replace("    training:", added))
    return checkout


def test_a_process_that_fails_keeps_what_its_flows_have_done(shaky, finished):
    results = shaky.folder / RESULTS
    done = shaky.snakemake("--keep-going", *TOGETHER)
    assert done.returncode != 0
    scores = pd.read_csv(results / "partial/scores.csv")
    failed = scores[(scores.status == "failed") & (scores.metric == "flow")]
    assert set(failed.method) == {"shaky"}
    assert failed.groupby("k").message.agg(list).to_dict() == {
        1: ["not kept, since another job of its process failed"] * 2,
        2: ["RuntimeError: it fell over"] * 2,
    }
    waiting = scores[(scores.status == "failed") & (scores.metric == "evaluate")]
    assert list(zip(waiting.method, waiting.message, strict=True)) == [("shaky", "not run")] * 4
    others = scores[scores.metric == "accuracy"].groupby(["method", "k"]).size()
    assert others.to_dict() == {
        (method, k): 4 for method in ("train_on_target", "mmdsw") for k in (1, 2)
    }
    assert not list((results / "flows").rglob("shaky/*.safetensors"))

    (shaky.folder / "broken").unlink()
    done = shaky.snakemake(*TOGETHER)
    assert done.returncode == 0, done.stderr
    (log,) = (results / "logs/flow").rglob("shaky/*.log")
    lines = log.read_text().splitlines()
    assert len([line for line in lines if ": resuming from step 20 of " in line]) == 2
    assert len([line for line in lines if ": step 20 of 20, " in line]) == 2
    assert not list((results / "flows").rglob("*.checkpoint"))
    assert set(pd.read_csv(results / "scores.csv").status) == {"ok"}
    assert shaky.would_run(*TOGETHER) == {}

    alone = finished.folder / RESULTS / "flows"
    for path in alone.rglob("*.safetensors"):
        assert (results / "flows" / path.relative_to(alone)).read_bytes() == path.read_bytes()
