"""Formulas: from docstrings' and pages' TeX to MathML, which browsers show without a script."""

import html
import re
import textwrap

from latex2mathml.converter import convert
from markdown import Extension, Markdown
from markdown.preprocessors import Preprocessor

DIRECTIVE = re.compile(r"^( *)\.\. math::(.*)\n((?:[ \t]*\n|\1 +\S.*(?:\n|$))*)", re.M)
ROLE = re.compile(r":math:`([^`]+)`")
RENDERED = re.compile(
    r'<(span|div) class="arithmatex">\s*(?:\\\(|\\\[)(.*?)(?:\\\)|\\\])\s*</\1>', re.S
)


class DocstringFormulas(Extension):
    """Read formulas as numpydoc has them, ``.. math::`` and ``:math:``, like those of pages."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Put the preprocessor before all others."""
        md.preprocessors.register(_Preprocessor(md), "docstring_formulas", 200)


class _Preprocessor(Preprocessor):
    def run(self, lines: list[str]) -> list[str]:
        text = DIRECTIVE.sub(_block, "\n".join((*lines, "")))
        return ROLE.sub(lambda found: f"${found[1]}$", text).split("\n")


def _block(found: re.Match) -> str:
    tex = f"{found[2].strip()}\n{textwrap.dedent(found[3])}".strip()
    lines = " ".join(line.strip() for line in tex.splitlines() if line.strip())
    return f"{found[1]}$$\n{found[1]}{lines}\n{found[1]}$$\n\n"


def with_mathml(content: str) -> str:
    """Replace the TeX of a built page by MathML.

    Raises
    ------
    ValueError
        For a command that the converter does not know.
    """
    return RENDERED.sub(_mathml, content)


def _mathml(found: re.Match) -> str:
    tex = html.unescape(found[2]).strip()
    display = "block" if found[1] == "div" else "inline"
    mathml = convert(tex, display=display)
    if "\\" in html.unescape(mathml):
        raise ValueError(f"this formula has a command that cannot be shown: {tex}")
    return f'<{found[1]} class="formula">{mathml}</{found[1]}>'
