"""Distances as the workflow runs them."""

import json

import pandas as pd
import pytest

pytestmark = pytest.mark.workflow

CONFIG = {
    "name": "near",
    "experiments": [
        {
            "task": "distance",
            "datasets": ["digits"],
            "sizes": [60, 90],
            "pairs": 3,
            "directions": [5],
            "distances": ["energy", "sotdd"],
        }
    ],
}


def near(checkout, *arguments, **changes):
    """Run Snakemake on the config, with parameters of its experiment changed."""
    (experiment,) = CONFIG["experiments"]
    (checkout.folder / "near.json").write_text(
        json.dumps({**CONFIG, "experiments": [{**experiment, **changes}]})
    )
    return checkout.run("snakemake", "--cores", "2", "--configfile", "near.json", *arguments)


def test_distances_are_measured_tabulated_drawn_and_archived(checkout):
    done = near(checkout)
    assert done.returncode == 0, done.stderr
    results = checkout.folder / "results" / "near"
    scores = pd.read_csv(results / "scores.csv")
    squares = scores[scores.metric == "squared_distance"]
    assert squares.groupby("method").pair.agg(list).to_dict() == {
        name: [0, 1, 2] for name in ("otdd", "energy", "sotdd")
    }
    assert squares.draw.nunique() == 3
    table = pd.read_csv(results / "tables" / "distance_correlation.csv")
    assert table.set_index("method").spearman.notna().to_dict() == {
        **{"otdd": False, "energy": True, "sotdd": True}
    }
    for name in ("distance_correlation", "distance_cost"):
        assert (results / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    archived = checkout.run("wowbench", "archive", "--config", "near.json", "--out", "kept")
    assert archived.returncode == 0, archived.stderr
    assert (checkout.folder / "kept" / "scores.csv").read_text() == (
        results / "scores.csv"
    ).read_text()
    # An edited distance is measured again, and no other one.
    with checkout.edited("wowbench/distances/energy.py", "2 * _mean", "3 * _mean"):
        dry = near(checkout, "--dry-run")
    lines = [line.split() for line in dry.stdout.splitlines()]
    assert ["distance", "1"] in lines
    assert "Nothing to be done" in (again := near(checkout, "--dry-run")).stdout + again.stderr


def test_a_distance_that_is_refused_leaves_the_others(checkout):
    done = near(checkout, "--keep-going", distances=["energy", {"name": "swbg", "dim": 65}])
    assert done.returncode != 0
    folder = checkout.folder / "results" / "near"
    assert not (folder / "scores.csv").exists()
    scores = pd.read_csv(folder / "partial" / "scores.csv")
    (failed,) = scores[scores.status == "failed"].itertuples()
    assert (failed.method, failed.metric) == ("swbg", "distance")
    assert (
        "pair 0 of digits, train split: distance 'swbg': points have 64 features" in failed.message
    )
    table = pd.read_csv(folder / "partial" / "tables" / "distance_correlation.csv")
    assert set(table.method) == {"otdd", "energy"}


def test_distances_of_a_process_are_kept_once_all_of_them_are_measured(checkout):
    together = ("--config", 'together={"distance": 2}')
    results = checkout.folder / "results" / "near"
    bad = ["energy", {"name": "swbg", "dim": 65}]
    assert near(checkout, "--keep-going", *together, distances=bad).returncode != 0
    scores = pd.read_csv(results / "partial" / "scores.csv")
    assert set(scores[scores.status == "ok"].method) == {"otdd"}
    failed = scores[scores.status == "failed"].set_index("method").message
    assert failed["energy"] == "not kept, since another job of its process failed"
    assert "points have 64 features" in failed["swbg"]
    done = near(checkout, *together)
    assert done.returncode == 0, done.stderr
    scores = pd.read_csv(results / "scores.csv")
    assert set(scores.status) == {"ok"}
    assert set(scores.method) == {"otdd", "energy", "sotdd"}
    lines = (results / "logs/distance/distance/digits-digits/energy.log").read_text().splitlines()
    for name in ("energy", "sotdd-directions5"):
        own = f"results/near/records/distance/distance/digits-digits/{name}.json: pair 3 of 3: "
        assert sum(line.startswith(own) for line in lines) == 1
    assert "Nothing to be done" in (again := near(checkout, *together, "--dry-run")).stdout + (
        again.stderr
    )
