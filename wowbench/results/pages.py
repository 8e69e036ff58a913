"""Pages with tables of archived scores, which stay as the archives have them."""

from __future__ import annotations

import re
from pathlib import Path

from wowbench.config import load_config
from wowbench.errors import InputError, closest
from wowbench.files import write_text
from wowbench.listed import listed_by
from wowbench.results.report import Table
from wowbench.results.scores import read_scores

MARKED = re.compile(r"(<!-- (\w+) of ([\w/.-]+(?: and [\w/.-]+)*) -->\n\n)((?:\|.*\n)*)")
"""A comment ``<!-- TABLE of ARCHIVE and ARCHIVE -->``, an empty line, and the table."""


def fill_page(page: Path, root: Path = Path()) -> None:
    """Write each table of a Markdown page anew, from the archives that the comment above it names.

    Parameters
    ----------
    page : Path
        Markdown file with comments ``<!-- TABLE of ARCHIVE -->``, or of several archives with
        " and " between them. TABLE is among the tables of the first one's config.
    root : Path
        Folder that the archives' paths start from.

    Raises
    ------
    InputError
        For a page without such a comment, an unknown table, or an archive that is not there. The
        page stays as it was.
    """

    def filled(found: re.Match) -> str:
        archives = [root / archive for archive in found[3].split(" and ")]
        try:
            table = archived_table(found[2], archives)
        except InputError as error:
            raise InputError(f"{page}: {found[2]} of {found[3]}: {error}") from None
        return found[1] + table + ("" if found[4] else "\n")

    text, count = MARKED.subn(filled, page.read_text(encoding="utf-8"))
    if not count:
        raise InputError(f"{page} has no comment like <!-- TABLE of ARCHIVE -->")
    write_text(page, text)


def archived_table(name: str, archives: list[Path]) -> str:
    """Make a table of archived scores, in Markdown.

    Parameters
    ----------
    name : str
        Its name, among the tables of the first archive's config.
    archives : list of Path
        Folders that ``wowbench archive`` has written.

    Raises
    ------
    InputError
        For another name, or an archive that cannot be read.
    """
    for archive in archives:
        if not (archive / "scores.csv").exists():
            raise InputError(f"{archive} is no archive: it has no scores.csv")
    experiments = load_config(archives[0] / "config.yaml").experiments
    tables = {one.name: one for one in listed_by(experiments) if one.base is Table}
    if name not in tables:
        raise InputError(f"there is no table {name!r}; {closest(name, tables)}")
    report = tables[name].load()
    return report.to_markdown(read_scores(*(archive / "scores.csv" for archive in archives)))
