"""How to cite the suite and the paper that it reproduces."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import Path

import yaml

CITATION = Path(__file__).resolve().parents[2] / "CITATION.cff"


@dataclass(frozen=True)
class Work:
    """A work to cite.

    Attributes
    ----------
    key : str
        Its key in BibTeX.
    kind : str
        Type of its entry in BibTeX.
    fields : dict of str to str
        Fields of this entry.
    """

    key: str
    kind: str
    fields: dict[str, str]

    @property
    def text(self) -> str:
        """The work in one line."""
        names = ("author", "title", "booktitle", "version", "note", "year")
        return ". ".join(self.fields[name] for name in names if name in self.fields) + "."

    @property
    def bibtex(self) -> str:
        """The work as an entry in BibTeX."""
        fields = "".join(f"  {name} = {{{value}}},\n" for name, value in self.fields.items())
        return f"@{self.kind}{{{self.key},\n{fields}}}"


def works(path: Path = CITATION) -> list[Work]:
    """Read what is to be cited: the paper, and the suite.

    Parameters
    ----------
    path : Path
        File in the Citation File Format. Where it is absent, as where the package runs without its
        repository, the suite alone is given, from the package's metadata.
    """
    if not path.exists():
        package = metadata("wowbench")
        fields = {"title": package["Summary"], "version": package["Version"]}
        return [Work("wowbench", "software", fields)]
    suite = yaml.safe_load(path.read_text(encoding="utf-8"))
    paper = suite.get("preferred-citation")
    found = [_paper(paper)] if paper else []
    return [*found, Work("wowbench", "software", _fields(suite))]


def _paper(paper: dict) -> Work:
    fields = _fields(paper) | {"year": str(paper.get("year", ""))}
    if "collection-title" in paper:
        fields["booktitle"] = paper["collection-title"]
    identifiers = [entry["value"] for entry in paper.get("identifiers", ())]
    if identifiers:
        fields["note"] = ", ".join(identifiers)
    first = paper["authors"][0].get("family-names", "paper")
    kinds = {"conference-paper": "inproceedings", "article": "article"}
    kind = kinds.get(paper["type"], "misc")
    return Work(f"{first.lower()}{fields['year']}", kind, fields)


def _fields(work: dict) -> dict[str, str]:
    authors = [
        author.get("name") or f"{author['given-names']} {author['family-names']}"
        for author in work["authors"]
    ]
    fields = {"author": " and ".join(authors), "title": work["title"]}
    return fields | ({"version": str(work["version"])} if "version" in work else {})
