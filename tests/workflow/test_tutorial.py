"""The tutorial runs from its own text, and its method is one among others."""

import json
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

from wowbench.tasks.transfer import Transfer

pytestmark = pytest.mark.workflow

TEXT = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text()
BLOCKS = re.findall(r'```(\w+)(?: title="([^"]*)")?\n(.*?)```', TEXT, flags=re.S)
RUN = ("snakemake", "--cores", "2", "--configfile", "mine/config.yaml")
FOLLOWS = {
    **{"aggregate": 1, "table": len(Transfer.tables), "figure": len(Transfer.figures), "site": 1}
}

DRAWN = """
import json
from pathlib import Path
import matplotlib.colors
from wowbench.figures.transfer_accuracy import TransferAccuracy
from wowbench.figures.transfer_samples import TransferSamples
from wowbench.plan import Plan
from wowbench.results.scores import read_scores
plan = Plan.load("mine/config.yaml")
scores = read_scores(Path(plan.path("", "scores.csv")))
figure = TransferAccuracy().draw(scores, plan)
named = {text.get_text(): handle for legend in figure.legends
         for text, handle in zip(legend.get_texts(), legend.legend_handles)}
panels = [axis.get_title() for axis in TransferSamples().draw(scores, plan).axes]
colours = {name: matplotlib.colors.to_hex(handle.get_color()) for name, handle in named.items()}
print(json.dumps({"panels": panels, "colours": colours}))
"""


@pytest.fixture(scope="module")
def followed(new_checkout):
    """A checkout in which the page has been followed, with what its commands printed."""
    checkout, printed = new_checkout(), {}
    for language, title, text in BLOCKS:
        if title:
            path = checkout.folder / title
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        for line in text.splitlines() if language == "sh" else ():
            done = checkout.run(*shlex.split(line))
            assert done.returncode == 0, (line, done.stdout[-3000:], done.stderr[-3000:])
            printed[line] = done.stdout
    checkout.printed = printed
    return checkout


def test_the_page_has_what_is_run():
    assert [title for _, title, _ in BLOCKS if title] == [
        "mine/nearest_image.py",
        "mine/config.yaml",
    ]
    (python,) = (text for language, _, text in BLOCKS if language == "python")
    assert len(python.splitlines()) < 45


def test_its_first_command_names_the_one_that_is_run_later(followed):
    first, test, *_ = followed.printed
    assert first.startswith("wowbench new method nearest_image")
    assert followed.printed[first].splitlines()[0] == test.replace(" -q", "")


def test_the_method_has_its_row(followed):
    table = pd.read_csv(followed.folder / "results/nearest_image/tables/transfer_accuracy.csv")
    assert list(table.method) == ["train_on_target", "nearest_image"]
    assert table["mean"].between(0, 1).all()
    readable = (followed.folder / "results/nearest_image/tables/transfer_accuracy.md").read_text()
    assert "| nearest_image " in readable


def test_the_method_has_its_colour_and_its_panel(followed):
    done = followed.run("python", "-c", DRAWN)
    assert done.returncode == 0, done.stderr
    drawn = json.loads(done.stdout)
    assert drawn["panels"] == ["MNIST to FashionMNIST (bundled), nearest_image, k = 2"]
    assert drawn["colours"]["nearest_image"] != drawn["colours"]["train_on_target"]


def test_its_images_are_exported_by_the_record_alone(followed):
    (record,) = (followed.folder / "results/nearest_image/records/flow").rglob(
        "nearest_image/*.json"
    )
    done = followed.run("wowbench", "export", str(record), "exported")
    assert done.returncode == 0, done.stderr
    assert len(list((followed.folder / "exported/images").rglob("*.png"))) == 10 * 10


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("lr=0.1", "lr=0.2", {"flow": 1, "evaluate": 1, **FOLLOWS, "default": 1}),
        (" / 2, way", " / 3, way", {"flow": 1, "evaluate": 1, **FOLLOWS, "default": 1}),
        ('"""Each image falls', '"""Every image falls', {}),
    ],
)
def test_an_edited_file_reruns_its_jobs_and_no_others(followed, old, new, expected):
    with followed.edited("mine/nearest_image.py", old, new):
        assert followed.would_run(command=RUN) == expected


def test_a_broken_file_is_one_line_before_any_job(followed):
    with followed.edited("mine/nearest_image.py", "(MatchedFlow)", "(Odd)"):
        done = followed.run(*RUN, "--dry-run")
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "config: plugins: plug-in mine/nearest_image.py, line 13: NameError: name 'Odd'" in said
    assert "Traceback" not in said


def test_the_archive_holds_the_file_and_all_its_cells(followed):
    config = ("--config", "mine/config.yaml")
    done = followed.run("wowbench", "archive", *config, "--out", "kept/mine")
    assert done.returncode == 0, done.stderr
    kept = followed.folder / "kept/mine"
    original = followed.folder / "mine/nearest_image.py"
    assert (kept / "nearest_image.py").read_bytes() == original.read_bytes()
    (ran,) = {
        tuple(entry["plugins"].items())
        for entry in json.loads((kept / "provenance.json").read_text())
        if "plugins" in entry
    }
    assert [name for name, _ in ran] == ["nearest_image.py"]
    checked = followed.run("wowbench", "check", "archive", "kept/mine")
    # The checkout here is no repository, and has no commit.
    (failed,) = (line for line in checked.stdout.splitlines() if not line.startswith("passed: "))
    assert failed.startswith("FAILED: was computed from clean commits: a provenance has the commit")


def test_a_file_that_was_edited_since_is_not_archived(followed):
    arguments = ("wowbench", "archive", "--config", "mine/config.yaml", "--out", "kept/edited")
    with followed.edited("mine/nearest_image.py", " / 2, way", " / 3, way"):
        done = followed.run(*arguments)
    assert done.returncode == 2
    assert "error: plug-in nearest_image.py: the digest of its code is" in done.stderr
    assert not (followed.folder / "kept/edited").exists()
    with followed.edited("mine/nearest_image.py", '"""Each image falls', '"""Every image falls'):
        done = followed.run(*arguments)
    assert done.returncode == 0, done.stderr
