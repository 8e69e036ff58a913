"""Fill templates, with all that a page needs inside of it."""

from __future__ import annotations

import base64
import io
import os
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import itables
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from wowbench.files import write_text
from wowbench.site.citation import works
from wowbench.site.tables import PAGE_LENGTH, html_table, slug

WIDEST = 1600
"""Pixels that an image on a page has at most from left to right."""

DENSITY = 2
"""Pixels of a figure for each pixel of the page, on which it may be as wide as that."""


def write_page(template: str, out: Path, **content: Any) -> None:
    """Write a page.

    Parameters
    ----------
    template : str
        File of ``wowbench/site/templates``.
    out : Path
        HTML file to write.
    **content
        What the template calls for.
    """
    environment = Environment(
        loader=PackageLoader("wowbench.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"slug": slug, "rst": rst}
    environment.globals |= {
        "table": html_table,
        "style": Markup(_bundled("css")),
        "script": data_uri(_bundled("js").encode(), "text/javascript"),
        "page_length": PAGE_LENGTH,
        "version": version("wowbench"),
        "works": works(),
    }
    write_text(out, environment.get_template(template).render(**content))


def relative(path: str | Path, out: Path) -> str:
    """Address of a file as seen from a page."""
    return Path(os.path.relpath(path, out.parent)).as_posix()


def data_uri(content: bytes, kind: str) -> str:
    """Write a file's content as an address that holds it."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def image(path: Path) -> dict[str, Any]:
    """Read an image as what a page holds of it.

    Parameters
    ----------
    path : Path
        PNG or GIF file. A PNG wider than `WIDEST` is made smaller, and an animation stays as it is.

    Returns
    -------
    dict
        ``src``, ``width`` and ``height`` in pixels of the page, and whether it ``moves``.
    """
    from PIL import Image

    content = path.read_bytes()
    with Image.open(path) as picture:
        width, height = picture.size
        if path.suffix == ".gif":
            src = data_uri(content, "image/gif")
            return {"src": src, "width": width, "height": height, "moves": True}
        if width > WIDEST:
            content = _smaller(picture, (WIDEST, round(height * WIDEST / width)))
    shown = {"width": width // DENSITY, "height": height // DENSITY}
    return {"src": data_uri(content, "image/png"), **shown, "moves": False}


def rst(text: str) -> Markup:
    """Write a caption, which is reStructuredText, as HTML."""
    from docutils.core import publish_parts

    settings = {"report_level": 5, "raw_enabled": False, "file_insertion_enabled": False}
    parts = publish_parts(text, writer="html5", settings_overrides=settings)
    return Markup(parts["body"])


def _smaller(picture, size: tuple[int, int]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    picture.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(buffer, "PNG")
    return buffer.getvalue()


@cache
def _bundled(suffix: str) -> str:
    """Script or style of DataTables, as itables ships it."""
    return files(itables).joinpath(f"html/dt_bundle.{suffix}").read_text(encoding="utf-8")
