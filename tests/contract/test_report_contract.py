"""The checks of tables and figures: the package's own pass, and what is broken is found."""

import pytest

from wowbench.contract import reports
from wowbench.contract.kinds import checks_of
from wowbench.errors import InputError
from wowbench.plugins import load_plugin
from wowbench.tasks.transfer import Transfer

HEAD = (
    "from wowbench.results.report import Figure, Table\n\n\nclass Odd(Table):\n    '''Odd.'''\n\n"
)
MAKE = "    def make(self, scores):\n        "
BROKEN = {
    "odd_empty": (
        MAKE + "return scores[[]]",
        {"writes all its files": "it has no column"},
    ),
    "odd_twice": (
        MAKE + "return scores[['k', 'k']]",
        {"writes all its files": "two of its columns are called alike: ['k', 'k']"},
    ),
    "odd_clock": (
        MAKE + "import time\n        return scores[['k']].assign(at=time.perf_counter_ns())",
        {"is the same each time": "made twice, its file .csv is another one"},
    ),
    "odd_change": (
        MAKE + "scores['k'] = 0\n        return scores[['k']]",
        {"leaves the scores as they were": "it changes the scores"},
    ),
    "odd_first": (
        MAKE + "return scores[scores.metric == 'accuracy'].iloc[[0]]",
        {"takes a run without a result": "IndexError: "},
    ),
    "odd_nothing": (
        "    def write(self, scores, out, plan=None):\n        pass",
        dict.fromkeys(
            (
                "writes all its files",
                "is the same each time",
                "leaves the scores as they were",
                "takes a run without a result",
            ),
            "it writes no file .csv",
        ),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found_and_nothing_else(name, tmp_path, monkeypatch):
    text, expected = BROKEN[name]
    path = tmp_path / f"{name}.py"
    path.write_text(HEAD + text)
    monkeypatch.syspath_prepend(tmp_path)
    load_plugin(path)
    reasons = {check.title: check.reason() for check in checks_of("table", f"{name}:Odd")}
    found = {title: reason for title, reason in reasons.items() if reason is not None}
    assert found.keys() == expected.keys()
    for title, reason in expected.items():
        assert found[title].startswith(reason)


@pytest.mark.parametrize("kind", ["table", "figure"])
def test_those_of_accuracies_of_transfer_keep_to_it(kind):
    listed = Transfer.tables if kind == "table" else Transfer.figures
    (path,) = (path for path in listed if path.endswith(":TransferAccuracy"))
    checks = checks_of(kind, path)
    assert len(checks) == 5
    assert {check.title: check.reason() for check in checks} == dict.fromkeys(
        check.title for check in checks
    )


def test_one_that_reads_flows_is_imported_alone():
    titles = [c.title for c in checks_of("figure", "wowbench.figures.loss_curves:LossCurves")]
    assert titles == ["imports what it needs"]


def test_a_figure_is_no_table():
    path = "wowbench.figures.loss_curves:LossCurves"
    with pytest.raises(InputError, match="is among the figures; expected a table"):
        checks_of("table", path)
    with pytest.raises(InputError, match=r"got \{'name': 'a'\}; expected an import path, module:C"):
        checks_of("table", {"name": "a"})


def test_the_scores_are_those_of_a_transfer():
    _, scores = reports.made_up_scores()
    accuracies = scores[scores.metric == "accuracy"]
    assert set(accuracies.method) == {"train_on_target", "mmdsw"}
    assert set(accuracies.k) == {1, 5}
    assert accuracies.value.nunique() > 1
    _, diverged = reports.made_up_scores("diverged")
    assert diverged.value.isna().all()
