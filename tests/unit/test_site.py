"""Pages of results: what they say of a run, whole or not, and of archives."""

import base64
import io
import json
import re
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest
import yaml

from wowbench.cli import BAD_INPUT, main
from wowbench.plan import Plan
from wowbench.results.archive import archive_run
from wowbench.results.scores import gather_scores
from wowbench.results.verdict_rows import AGREES, DIFFERS, NOT_COMPARABLE, UNTESTED, VERDICTS
from wowbench.site.agreement import Agreement, agreement, total
from wowbench.site.citation import CITATION, works
from wowbench.site.facts import costs, surroundings
from wowbench.site.page import image
from wowbench.site.tables import Badge, Link, Links, html_table

DRAWN = ("transfer_accuracy", "transfer_paired")


class Page(HTMLParser):
    """Addresses and text of a page."""

    def __init__(self, path):
        super().__init__()
        self.folder = Path(path).parent
        self.addresses, self.ids, self.words = [], set(), []
        self.feed(Path(path).read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.ids.add(attributes.get("id"))
        self.addresses += [attributes[n] for n in ("href", "src") if n in attributes]

    def handle_data(self, data):
        self.words += data.split()

    @property
    def text(self):
        return " ".join(self.words)

    def broken(self):
        """Addresses that lead nowhere, or away from this machine."""
        return [
            address
            for address in self.addresses
            if not address.startswith("data:")
            and not (address.startswith("#") and address[1:] in self.ids)
            and not (self.folder / unquote(address)).is_file()
        ]


def config_file(config):
    Path("config.yaml").write_text(yaml.safe_dump(config))
    return "config.yaml"


@pytest.fixture
def reported(tiny_run, monkeypatch):
    """The tiny run with two of its tables and figures."""
    reports = [one for one in tiny_run.plan.reports if one.name in DRAWN]
    monkeypatch.setattr(Plan, "reports", reports)
    scores = gather_scores(tiny_run.plan)
    for one in reports:
        one.load().write(scores, tiny_run.plan.root / one.file, tiny_run.plan)
    return tiny_run


def page_of(run):
    out = run.plan.root / "site" / "index.html"
    assert main(["site", "--config", config_file(run.config), "--out", str(out)]) == 0
    return Page(out)


def test_the_page_of_a_finished_run(reported):
    page = page_of(reported)
    assert page.broken() == []
    assert "is not finished" not in page.text
    assert "2 prepare, 1 draw, 2 flow, 2 evaluate" in page.text
    assert "Test accuracy of transfer learning by target, k and method" in page.text
    assert "Methods compared with MMDSW on the same draws" in page.text
    assert "train_on_target" in page.text
    record = json.loads(
        Path(reported.plan.record("evaluate", reported.name("evaluate", "mmdsw"))).read_text()
    )
    values = [m["value"] for m in record["measurements"] if m["metric"] == "accuracy"]
    assert f"{sum(values) / len(values):.4g} mean of {len(values)} trainings" in page.text
    assert record["provenance"]["packages"]["torch"] in page.text
    assert "Clément Bonet" in page.text


def test_each_number_leads_to_its_record(reported):
    page = page_of(reported)
    for verb in ("flow", "evaluate"):
        for name in reported.plan.jobs[verb]:
            assert f"../records/{verb}/{name}.json" in page.addresses


def test_the_page_of_a_half_finished_run_says_what_is_missing(reported):
    name = reported.name("evaluate", "mmdsw")
    Path(reported.plan.record("evaluate", name)).unlink()
    log = Path(reported.plan.path("logs", f"evaluate/{name}.log"))
    log.parent.mkdir(parents=True)
    log.write_text("some\nRuntimeError: <no space left>\n")
    Path(reported.plan.root / "tables" / "transfer_paired.csv").unlink()
    page = page_of(reported)
    assert page.broken() == []
    assert "This run is not finished. 1 job" in page.text
    assert "1 of 2 evaluate" in page.text
    assert name in page.text
    assert "RuntimeError: <no space left>" in page.text
    assert "tables/transfer_paired.csv" in page.text
    assert "tables/transfer_accuracy.csv" not in page.text


def test_the_page_of_an_empty_run_says_so(reported):
    shutil.rmtree(reported.plan.root)
    page = page_of(reported)
    assert page.broken() == []
    assert "No job of this run has a score yet." in page.text
    assert "0 of 2 evaluate" in page.text
    assert "No job has run." in page.text


def test_the_page_of_a_failed_run_is_among_what_is_salvaged(reported):
    name = reported.name("evaluate", "mmdsw")
    Path(reported.plan.record("evaluate", name)).unlink()
    assert main(["salvage", "--config", config_file(reported.config)]) == 0
    page = Page(reported.plan.root / "partial" / "site" / "index.html")
    assert page.broken() == []
    assert name in page.text
    assert "tables and figures have not been made" not in page.text


def test_the_page_of_archives(reported):
    for name in ("one", "two"):
        archive_run(reported.plan, Path("kept") / name)
    Path("kept/notes.txt").write_text("no archive")
    arguments = ["site", "--archives", "kept", "--out", "public/index.html"]
    assert main(arguments) == 0
    page = Page("public/index.html")
    assert page.broken() == []
    assert {"one", "two"} < page.ids
    assert "../kept/two/scores.csv" in page.addresses
    assert page.text.count("Test accuracy of transfer learning by target") == 2
    # What flows wrote is not in an archive, and so not what figures make of it.
    drawn = {name for name in page.ids if name and "figure-" in name}
    assert {"one-figure-transfer_accuracy", "two-figure-transfer_accuracy"} <= drawn
    assert "one-figure-transfer_samples" not in drawn


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda: Path("kept/one/scores.csv").unlink(), "kept has no archives"),
        (lambda: Path("kept/one/provenance.json").unlink(), "it has no provenance.json"),
        (lambda: Path("kept/one/provenance.json").write_text("{"), "kept/one/provenance.json: "),
        (lambda: Path("kept/one/provenance.json").write_text("{}"), "expected a list"),
    ],
)
def test_what_is_no_archive_is_refused_by_name(reported, capsys, break_it, said):
    archive_run(reported.plan, Path("kept/one"))
    break_it()
    assert main(["site", "--archives", "kept", "--out", "index.html"]) == BAD_INPUT
    error = capsys.readouterr().err
    assert said in error
    assert len(error.strip().splitlines()) == 1
    assert not Path("index.html").exists()


def test_a_missing_package_is_named_with_what_installs_it(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "itables", None)
    monkeypatch.delitem(sys.modules, "wowbench.site.page")
    assert main(["site", "--archives", "kept", "--out", "index.html"]) == BAD_INPUT
    error = capsys.readouterr().err
    assert "'itables': pip install 'wowbench[workflow]'" in error


def test_verdicts_are_counted_tested_ones_first(scores_of):
    experiment = {"task": "transfer", "source": "MNIST", "targets": ["FashionMNIST"]}
    experiment |= {"shots": [1, 5], "flows": 6, "trainings": 5, "methods": ["train_on_target"]}
    # Published: 26.0 and 38.5 percent; what is 0.0 cannot be a draw's luck.
    near = {1: 0.26, 5: 0.0}
    found = agreement(
        scores_of(
            experiment, value=lambda r: near[r["k"]] + 0.001 * (r["flow_seed"] + r["training_seed"])
        )
    )
    assert found.counts == {AGREES: 1, DIFFERS: 1}
    assert found.lead == "1 of 2 cells run as in the paper agree with its numbers."
    assert list(found.frame.published.str[:4]) == ["26.0", "38.5"]
    assert list(found.frame.verdict.map(str)) == [AGREES, DIFFERS]


def test_verdicts_of_several_runs_add_up():
    parts = [
        Agreement({NOT_COMPARABLE: 2}, pd.DataFrame({"k": [1, 2]})),
        Agreement({UNTESTED: 1, AGREES: 1}, pd.DataFrame({"k": [3, 4]})),
    ]
    whole = total(parts)
    assert list(whole.counts.items()) == [(AGREES, 1), (UNTESTED, 1), (NOT_COMPARABLE, 2)]
    assert (whole.tested, whole.cells, len(whole.frame)) == (1, 4, 4)
    assert "none of which was tested" in parts[0].lead
    assert set(whole.counts) <= set(VERDICTS)


def test_tables_are_sorted_by_leading_numbers():
    frame = pd.DataFrame(
        {
            "mean": ["9.5 ± 1.0", "", "+1,024.5", "2.6e-06"],
            "mixed": ["1", "all", "", "2"],
            "three": ["3D", "4D", "5D", "6D"],
            "to": [Link("<a>", "x.json?&"), Links([Link("1", "y")]), Badge("not run"), None],
        }
    )
    table = str(html_table(frame, "t"))
    assert re.findall(r'data-order="(.*?)"', table) == ["9.5", "", "+1024.5", "2.6e-06"]
    assert '<a href="x.json?&amp;">&lt;a&gt;</a>' in table
    assert '<span class="badge badge-not-run">not run</span>' in table
    assert 'data-paging="false"' in table
    assert "data-searching" not in table


def test_long_tables_have_pages_and_short_ones_no_filter():
    long, short = (str(html_table(pd.DataFrame({"n": range(n)}), "t")) for n in (40, 2))
    assert 'data-paging="false"' not in long
    assert 'data-searching="false"' in short


def test_costs_are_summed_by_job_and_method(tiny_run):
    from wowbench.results.run import read_run

    records = read_run(tiny_run.plan)
    for i, ((verb, _), record) in enumerate(records.items()):
        record.seconds = float(2**i)
        record.provenance["threads"] = 3 if verb == "flow" else None
        record.peak_memory_bytes = (i + 1) * 2**20
    table = costs((verb, record) for (verb, _), record in records.items())
    # 2 prepared, 1 drawn, 2 flowed with a method each, 2 evaluated.
    assert list(table.seconds) == [3, 4, 8, 16, 32, 64, 127]
    assert list(table["core-seconds"]) == [3, 4, 24, 48, 32, 64, 3 + 4 + 24 + 48 + 32 + 64]
    assert list(table["longest (s)"]) == [2, 4, 8, 16, 32, 64, 64]
    assert list(table["memory (MiB)"]) == [2, 3, 4, 5, 6, 7, 7]
    assert list(table.jobs) == [2, 1, 1, 1, 1, 1, 7]


def test_surroundings_name_all_that_differs():
    one = {"device": "cpu", "wowbench": "1.0", "commit": "a" * 40, "dirty": True}
    one |= {"written": "2026-01-02T10:00:00+00:00"}
    other = one | {"device": "H100", "driver": "570", "dirty": False}
    other |= {"written": "2026-01-03T11:30:00+00:00"}
    facts = surroundings([one, other, one])
    assert facts["device"] == "cpu; H100 (driver 570)"
    assert facts["code"].count("commit aaaaaaaaaaaa") == 2
    assert facts["code"].count("uncommitted changes") == 1
    assert facts["written"] == "2026-01-02 10:00 to 2026-01-03 11:30 UTC"
    assert surroundings([]) == {}


def test_what_is_cited_is_what_the_citation_file_says(tmp_path):
    paper, suite = works()
    known = yaml.safe_load(CITATION.read_text())
    assert suite.fields["version"] == str(known["version"])
    assert paper.key == "bonet2025"
    assert paper.bibtex.startswith("@inproceedings{bonet2025,\n  author = {Clément Bonet and ")
    assert "arXiv:2506.07534" in paper.text
    (alone,) = works(tmp_path / "absent.cff")
    assert alone.key == "wowbench"


def test_wide_images_are_made_smaller_and_animations_stay(tmp_path):
    from PIL import Image

    for name, size in (("wide.png", (3200, 100)), ("small.png", (300, 100))):
        Image.new("RGB", size).save(tmp_path / name)
    Image.new("P", (40, 30)).save(tmp_path / "moves.gif")
    sizes = {p.name: image(p) for p in tmp_path.iterdir()}
    shown = {name: (one["width"], one["height"]) for name, one in sizes.items()}
    assert shown == {"wide.png": (1600, 50), "small.png": (150, 50), "moves.gif": (40, 30)}
    embedded = base64.b64decode(sizes["wide.png"]["src"].partition(",")[2])
    assert Image.open(io.BytesIO(embedded)).size == (1600, 50)
    assert sizes["moves.gif"]["src"].startswith("data:image/gif;base64,R0lG")
