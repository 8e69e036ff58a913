"""Files of the repository that pages link to, as pages and files of the site.

Pages are read on their own too, where their links lead out of ``docs``. In the site these lead to
copies, so that it needs no other host.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
FOLDER = "repository"
NAMED = ("CHANGELOG.md", "CONTRIBUTING.md", "workflow/schemas/config.schema.json")
"""Files that the navigation and generated pages name."""

LINK = re.compile(r"(\]\()([^)\s#]+)((?:#[^)\s]*)?\))")


def add_files(files: Files, config: MkDocsConfig) -> None:
    """Add the files outside ``docs`` that pages link to, and those that these link to."""
    todo = [ROOT / name for name in NAMED]
    todo += [path for page in sorted(DOCS.glob("*.md")) for path in _outside(page)]
    done = set()
    while todo:
        path = todo.pop()
        if path in done:
            continue
        done.add(path)
        if path.is_dir():
            listing = _listing(path)
            files.append(File.generated(config, _site_path(path), content=listing))
            todo += [child for child in path.iterdir() if child.is_file()]
            continue
        files.append(File.generated(config, _site_path(path), abs_src_path=str(path)))
        if path.suffix == ".md":
            todo += _outside(path)


def with_site_links(markdown: str, file: File) -> str:
    """Let the links of a page lead to where the site has the files."""
    page = _origin(file)

    def changed(found: re.Match) -> str:
        if page is None or "://" in found[2] or found[2].startswith("mailto:"):
            return found[0]
        target = (page.parent / found[2]).resolve()
        link = os.path.relpath(_site_path(target), os.path.dirname(file.src_uri))
        return f"{found[1]}{link}{found[3]}"

    return LINK.sub(changed, markdown)


def _outside(page: Path) -> Iterator[Path]:
    """Paths outside ``docs`` that a page links to."""
    for _, link, _ in LINK.findall(page.read_text(encoding="utf-8")):
        path = (page.parent / link).resolve()
        if "://" not in link and path.exists() and not path.is_relative_to(DOCS):
            yield path


def _site_path(path: Path) -> str:
    """Path of a file or a folder of the repository in the site's sources."""
    if path.is_relative_to(DOCS):
        return path.relative_to(DOCS).as_posix()
    inside = f"{FOLDER}/{path.relative_to(ROOT).as_posix()}"
    return f"{inside}/index.md" if path.is_dir() else inside


def _origin(file: File) -> Path | None:
    """File of the repository that a page is made of; None for one that is generated."""
    if not file.src_uri.startswith(f"{FOLDER}/"):
        path = DOCS / file.src_uri
        return path if path.exists() else None
    path = ROOT / file.src_uri.removeprefix(f"{FOLDER}/")
    return path if path.exists() else None


def _listing(folder: Path) -> str:
    name = folder.relative_to(ROOT).as_posix()
    children = sorted(child.name for child in folder.iterdir() if child.is_file())
    lines = "\n".join(f"- [{child}]({child})" for child in children)
    config = folder / "config.yaml"
    shown = f"\n\n```yaml\n{config.read_text().strip()}\n```" if config.exists() else ""
    return f"# {name}\n\n{lines}{shown}\n"
