"""What the site has beside the pages of ``docs``: the reference, formulas, linked files."""

import re

from formulas import DocstringFormulas, with_mathml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from reference import reference_pages
from repository import add_files, with_site_links

LONG_CELL = re.compile(r"<td((?: style=\"[^\"]*\")?>[^<]{80,})")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the formulas of docstrings to what Markdown knows."""
    config.markdown_extensions.append(DocstringFormulas())
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made of the code, and files that pages link to."""
    for path, text in reference_pages():
        files.append(File.generated(config, path, content=text))
    add_files(files, config)
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Let links out of ``docs`` lead to the site's copies."""
    return with_site_links(markdown, page.file)


def on_page_content(html: str, page: Page, **_: object) -> str:
    """Write formulas as MathML, and let long cells of tables be wide."""
    html = LONG_CELL.sub(r'<td class="long"\1', html)
    try:
        return with_mathml(html)
    except ValueError as error:
        raise PluginError(f"{page.file.src_uri}: {error}") from None
