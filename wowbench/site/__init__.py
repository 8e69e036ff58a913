"""Pages of results: one self-contained HTML file each, which opens without a network."""

from pathlib import Path

TEMPLATES = sorted(str(path) for path in (Path(__file__).parent / "templates").iterdir())
"""Files that every page is made of."""
