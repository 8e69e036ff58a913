"""What a table and a figure are: classes that tasks and configs list by their import path.

The module ``package.module`` of a class ``package.module:Class`` gives the report's name, which is
that of its files. Its docstring is its caption in the run's report, and its attribute `reads` says
what it reads beside the scores. `wowbench.listed` takes both from the source without importing it:
this module and those of tasks load neither pandas nor matplotlib.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from wowbench.files import atomic_path

if TYPE_CHECKING:
    import matplotlib.animation
    import matplotlib.figure
    import pandas as pd

    from wowbench.plan import Plan


class Report:
    """Base of all that is made of a run's scores.

    Attributes
    ----------
    folder : str
        Folder of a run that its files are written to.
    suffixes : tuple of str
        Of the files, which differ in nothing else; the first one is shown in the run's report.
    reads : tuple of str
        What it reads beside the scores: "draw" and "flow" stand for what these jobs write in all
        experiments that list it, all else for a file below the folder ``results`` of the
        repository. Written as a tuple of strings, as ``Other.reads``, or as a tuple with
        ``*Other.reads`` in it.
    """

    folder: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    reads: ClassVar[tuple[str, ...]] = ()

    def write(self, scores: pd.DataFrame, out: Path, plan: Plan | None = None) -> bool:
        """Make it and write its files.

        Parameters
        ----------
        scores : DataFrame
            Tidy scores.
        out : Path
            The file of the first of `suffixes`; the others differ from it in the suffix alone.
        plan : Plan, optional
            The run, which figures that read what its jobs wrote need.

        Returns
        -------
        bool
            Whether there was anything to show; if not, the files say so.
        """
        raise NotImplementedError


class Table(Report):
    """Base of all tables, written as CSV, Markdown, LaTeX and HTML."""

    folder: ClassVar[str] = "tables"
    suffixes: ClassVar[tuple[str, ...]] = ("csv", "md", "tex", "html")

    def make(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Compute the table.

        Parameters
        ----------
        scores : DataFrame
            Tidy scores of a run, as from `wowbench.results.scores.gather_scores`.

        Returns
        -------
        DataFrame
            What the CSV file holds: plain numbers, one column a quantity.
        """
        raise NotImplementedError

    def readable(self, table: pd.DataFrame) -> pd.DataFrame:
        """Format what `make` gave for people, for all but CSV: by default, as it is."""
        return table

    def to_markdown(self, scores: pd.DataFrame) -> str:
        """Make the table for people, in Markdown."""
        return _markdown(self.readable(self.make(scores)))

    def write(self, scores: pd.DataFrame, out: Path, plan: Plan | None = None) -> bool:
        """Make the table and write its files; see `Report.write`."""
        table = self.make(scores)
        readable = self.readable(table)
        texts = (
            table.to_csv(index=False),
            _markdown(readable),
            readable.to_latex(index=False, escape=True),
            _HTML.format(readable.to_html(index=False, border=0, na_rep="")),
        )
        for suffix, text in zip(self.suffixes, texts, strict=True):
            with atomic_path(out.with_suffix(f".{suffix}")) as temporary:
                temporary.write_text(text)
        return not table.empty


_HTML = (
    "<!DOCTYPE html>\n"
    '<meta charset="utf-8">\n'
    "<style>\n"
    "table {{ border-collapse: collapse; font: 14px/1.4 system-ui, sans-serif; }}\n"
    "th, td {{ border-bottom: 1px solid #dfe4e9; padding: 4px 10px; text-align: left; }}\n"
    "</style>\n"
    "{}\n"
)


def _markdown(table: pd.DataFrame) -> str:
    return table.to_markdown(index=False, disable_numparse=True) + "\n"


class Figure(Report):
    """Base of all figures that stand still, written as PNG and PDF."""

    folder: ClassVar[str] = "figures"
    suffixes: ClassVar[tuple[str, ...]] = ("png", "pdf")

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """Draw the figure with `matplotlib.pyplot`.

        Parameters
        ----------
        scores : DataFrame
            Tidy scores.
        plan : Plan
            The run, for figures that show what its jobs wrote; None for others of an archive.

        Returns
        -------
        matplotlib.figure.Figure or None
            None where the run has nothing to show, as when every flow diverged.
        """
        raise NotImplementedError

    def write(self, scores: pd.DataFrame, out: Path, plan: Plan | None = None) -> bool:
        """Draw the figure and write its files; see `Report.write`."""
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot as plt
        import seaborn as sns

        sns.set_theme(context="paper", style="whitegrid", palette="colorblind")
        others = set(plt.get_fignums())
        found = self.draw(scores, plan)
        drawn = found or self._nothing()
        for suffix in self.suffixes:
            with atomic_path(out.with_suffix(f".{suffix}")) as temporary:
                self._save(drawn, temporary)
        for number in set(plt.get_fignums()) - others:
            plt.close(number)
        return found is not None

    def _nothing(self) -> matplotlib.figure.Figure:
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=(3, 1))
        figure.text(0.5, 0.5, "this run left nothing to draw here", ha="center", va="center")
        return figure

    def _save(self, drawn: matplotlib.figure.Figure, path: Path) -> None:
        drawn.savefig(path, dpi=200, bbox_inches="tight")


class Animation(Figure):
    """Base of all figures that move, written as GIF.

    Attributes
    ----------
    frames_per_second : int
        Frames that are shown in a second.
    """

    suffixes: ClassVar[tuple[str, ...]] = ("gif",)
    frames_per_second: ClassVar[int] = 10

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.animation.Animation | None:
        """Draw the animation; see `Figure.draw`."""
        raise NotImplementedError

    def _nothing(self) -> matplotlib.animation.Animation:
        from matplotlib.animation import FuncAnimation

        return FuncAnimation(super()._nothing(), lambda frame: (), frames=1)

    def _save(self, drawn: matplotlib.animation.Animation, path: Path) -> None:
        from matplotlib.animation import PillowWriter

        drawn.save(path, writer=PillowWriter(fps=self.frames_per_second), dpi=100)
