"""Pages whose tables are those of archives."""

from pathlib import Path

import pytest

from wowbench.errors import InputError
from wowbench.results.pages import fill_page

ROOT = Path(__file__).parents[2]
ARCHIVE = "results/measured/k100"


def page(folder, comment, below=""):
    path = folder / "page.md"
    path.write_text(f"Before.\n\n<!-- {comment} -->\n\n{below}After.\n")
    return path


def test_a_table_is_written_below_its_comment_in_place_of_the_old_one(tmp_path):
    path = page(tmp_path, f"transfer_accuracy of {ARCHIVE}", "| old |\n|:---|\n| row |\n\n")
    fill_page(path, ROOT)
    lines = path.read_text().splitlines()
    assert lines[:4] == ["Before.", "", f"<!-- transfer_accuracy of {ARCHIVE} -->", ""]
    assert lines[4].startswith("| datasets")
    assert [line.split("|")[3].strip() for line in lines[6:10]] == [
        "train_on_target",
        "train_on_target (matched steps)",
        "mmdsw",
        "mmdsw_fast",
    ]
    assert lines[10:] == ["", "After."]


def test_a_comment_alone_gets_its_table(tmp_path):
    path = page(tmp_path, f"transfer_accuracy of {ARCHIVE}")
    fill_page(path, ROOT)
    text = path.read_text()
    assert "| mmdsw " in text
    assert "|\n\nAfter.\n" in text
    fill_page(path, ROOT)
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        (f"transfer_acuracy of {ARCHIVE}", "no table 'transfer_acuracy'; did you mean"),
        ("transfer_accuracy of results/measured/none", "results/measured/none is no archive"),
        ("nothing to be seen", "page.md has no comment like <!-- TABLE of ARCHIVE -->"),
    ],
)
def test_what_cannot_be_filled_leaves_the_page_as_it_was(tmp_path, comment, message):
    path = page(tmp_path, comment, "| old |\n")
    before = path.read_text()
    with pytest.raises(InputError, match=message):
        fill_page(path, ROOT)
    assert path.read_text() == before
