"""Pages of the documentation, and the blocks of code in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*(ROOT / "docs").glob("*.md"), *(ROOT / n for n in ("README.md", "CONTRIBUTING.md"))]
)
HAVE_TESTS = {"tutorial.md"}
"""Pages whose blocks a test of their own runs, one after the other."""

BLOCK = re.compile(r"(?:<!-- ([^>]*) -->\n\n)?^```(\w+)[^\n]*\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes
    ----------
    page : str
        Name of its page.
    remark : str
        Text of the comment above it.
    language, text : str
        What it is.
    """

    page: str
    remark: str
    language: str
    text: str


def name_of(page: Path) -> str:
    """Path of a page in the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(*languages: str) -> Iterator[Block]:
    """Blocks of all pages in the given languages."""
    for page in PAGES:
        if page.name not in HAVE_TESTS:
            for remark, language, text in BLOCK.findall(page.read_text()):
                if language in languages:
                    yield Block(name_of(page), remark, language, text)
