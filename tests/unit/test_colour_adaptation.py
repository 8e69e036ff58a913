"""SVHN flowed to CIFAR10 by the config that users have, with few images and steps."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from wowbench.jobs.drawn import read_draw
from wowbench.registry import DATASETS
from wowbench.results.scores import gather_scores

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(run_of, data_files, tmp_path, monkeypatch):
    """A run of the config in a folder that has the class folder where the config expects it."""
    monkeypatch.setenv("WOWBENCH_DATA", str(data_files.root))
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        for label in DATASETS.get("CIFAR10").classes:
            place = tmp_path / "data" / "cifar10-subset" / split / label
            place.mkdir(parents=True)
            for i in range(2):
                pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(place / f"{i}.png")
    config = yaml.safe_load((ROOT / "workflow/config/adaptation_colour.yaml").read_text())
    (experiment,) = config["experiments"]
    experiment |= {"images_per_class": 2, "flows": 1, "snapshot_every": 2}
    experiment["classifier"] |= {"steps": 2, "batch_size": 16}
    experiment["methods"][0] |= {"steps": 3, "n_directions": 3}
    return run_of(config)


def test_each_side_is_standardised_and_the_classifier_tested_on_the_folder(run, data_files):
    run.run()
    (draw,) = run.plan.jobs["draw"].values()
    drawn = read_draw(Path(draw.outputs["draw"]))
    for chart, name in ((drawn.source_chart, "SVHN"), (drawn.chart, "CIFAR10")):
        pixels = data_files.images[name, "train"] / 255
        np.testing.assert_allclose(chart.mean, pixels.mean((0, 2, 3)), rtol=1e-5)
        np.testing.assert_allclose(chart.std, pixels.std((0, 2, 3)), rtol=1e-5)
    scores = gather_scores(run.plan)
    assert set(scores.status) == {"ok"}
    assert scores[scores.metric == "accuracy_at_step"].step.tolist() == [0, 1, 3]
    # Twenty test images are in the folder.
    tested = scores[scores.metric == "test_accuracy"].value.item()
    assert tested == pytest.approx(round(20 * tested) / 20)
