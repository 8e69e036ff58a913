"""Files of tables, figures and animations."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.animation import FuncAnimation
from PIL import Image

from wowbench.cli import main
from wowbench.results.report import Animation, Figure, Table
from wowbench.results.scores import write_scores


class Counts(Table):
    """Rows by method."""

    def make(self, scores):
        return scores.groupby("method").size().rename("rows").reset_index()


class Line(Figure):
    """A line."""

    def draw(self, scores, plan):
        if scores.empty:
            return None
        figure, axis = plt.subplots(figsize=(2, 1))
        axis.plot(scores.method, [1, 2, 3])
        plt.figure()  # one that is forgotten
        return figure


class Bars(Animation):
    """Bars that grow."""

    frames_per_second = 20

    def draw(self, scores, plan):
        if scores.empty:
            return None
        figure, axis = plt.subplots(figsize=(2, 1))
        (bar,) = axis.bar([0], [0])
        axis.set_ylim(0, 1)
        return FuncAnimation(figure, lambda i: [bar.set_height(i / 3)], frames=4)


SCORES = pd.DataFrame({"method": ["a", "b", "b"]})


@pytest.fixture(autouse=True)
def _no_figure_is_left_open():
    before = plt.get_fignums()
    yield
    assert plt.get_fignums() == before


def test_a_table_is_written_as_it_is_unless_made_readable(tmp_path):
    assert Counts().write(SCORES, tmp_path / "counts.csv")
    assert (tmp_path / "counts.csv").read_text() == "method,rows\na,1\nb,2\n"
    assert "| b        | 2      |" in (tmp_path / "counts.md").read_text()
    assert {p.suffix for p in tmp_path.iterdir()} == {f".{s}" for s in Table.suffixes}


@pytest.mark.parametrize("scores", [SCORES, SCORES[:0]])
def test_a_figure_is_written_even_where_there_is_nothing_to_show(tmp_path, scores):
    assert Line().write(scores, tmp_path / "line.png") == (not scores.empty)
    assert (tmp_path / "line.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "line.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(("scores", "frames"), [(SCORES, 4), (SCORES[:0], 1)])
def test_an_animation_is_a_gif_with_all_frames(tmp_path, scores, frames):
    assert Bars().write(scores, tmp_path / "bars.gif") == (frames > 1)
    with Image.open(tmp_path / "bars.gif") as image:
        assert image.format == "GIF"
        assert image.n_frames == frames
        if frames > 1:
            assert image.info["duration"] == 50
    assert [p.name for p in tmp_path.iterdir()] == ["bars.gif"]


@pytest.fixture
def files(scores_of, tmp_path):
    experiment = {"task": "transfer", "source": "MNIST", "targets": ["USPS"], "shots": [1]}
    experiment |= {"methods": ["mmdsw"], "flows": 1}
    write_scores(scores_of(experiment), tmp_path / "scores.csv")
    return ["--scores", str(tmp_path / "scores.csv"), "--out", str(tmp_path / "made.csv")]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("transfer_paired", "module 'transfer_paired' is not found"),
        ("wowbench.results.tables.transfer_paired:Paired", "did you mean 'TransferPaired'?"),
        ("wowbench.figures.loss_curves:LossCurves", "is among the figures; expected one of the t"),
    ],
)
def test_the_verb_refuses_what_is_no_table_in_one_line(files, capsys, tmp_path, path, message):
    assert main(["table", path, *files]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("wowbench table: error: ")
    assert message in line
    assert not (tmp_path / "made.csv").exists()


def test_the_verb_makes_a_table_by_its_path(files, tmp_path):
    path = "wowbench.results.tables.transfer_accuracy:TransferAccuracy"
    assert main(["table", path, *files]) == 0
    assert pd.read_csv(tmp_path / "made.csv")["mean"].tolist() == [0.5]
