"""The contract suite finds what it is there to find: each method here breaks it in one way."""

import re

import broken_checkpoints as kept
import broken_descriptions as said
import broken_outcomes as gave
import pytest
import toys

from wowbench.contract import descriptions
from wowbench.contract.checks import Check, ContractError, report
from wowbench.contract.methods import STEPS, method_checks

OUTCOME = "gives what a trajectory is, on free classes"
SEED = "follows from the seed, on free classes"
RANDOM = "leaves the global random state alone, on free classes"
SNAPSHOTS = "keeps the snapshots asked for, on free classes"
PROBLEM = "leaves the problem as it was, on free classes"
PROGRESS = "reports its progress, on free classes"
RESUMES = "resumes where it was interrupted, on free classes"
COMPLETE = "takes no step when it is complete, on free classes"
KILLED = "resumes after being killed"
SHAPE = "takes or refuses images of 3 x 8 x 9, on free classes"
ONE_SHOT = "takes or refuses one target image per class, on free classes"
FEWER = "takes or refuses fewer target classes, on free classes"
MORE = "takes or refuses more target classes, on free classes"
BESIDE = "gives the same beside others, on free classes"
TORCH = "imports no torch"

CHECKED = [OUTCOME, SNAPSHOTS, SHAPE, ONE_SHOT, FEWER, MORE]
"""Checks that look at the outcome's every field."""

BROKEN = {
    said.LongSummary: {
        "has a summary": r"summary is 'images that move\\ntowards others'; expected"
    },
    said.NoSummary: {"has a summary": "summary is ' '; expected one line of text"},
    said.NoLabelRule: {"says what it takes part in": "label_rule is ''; expected one line of text"},
    said.UnknownPairing: {
        "says what it takes part in": "no pairing 'freely'; expected among free, by_number"
    },
    said.NoPairing: {
        "says what it takes part in": r"pairings is frozenset\(\); expected a frozenset of"
    },
    said.UnknownPublished: {
        "says what it takes part in": "unknown method 'mdsw'; did you mean 'mmdsw'"
    },
    said.NoReference: {"cites its source": "docstring has no reference; expected a DOI, an arXiv"},
    said.NoDocstring: {
        "cites its source": "docstring has no reference",
        "documents its parameters": "NoDocstring has no docstring",
    },
    said.Documented: {"documents its parameters": "Documented documents sped, and has no such"},
    said.Undocumented: {"documents its parameters": "taste is in no docstring; expected in the"},
    said.LostInJson: {
        "keeps its parameters through JSON": r"speed=0.5.* comes back from JSON as .*speed=1.0"
    },
    said.UnfitForJson: {"keeps its parameters through JSON": "ValueError: .*not JSON compliant"},
    said.OddMetricName: {"names metrics of its own": "metric 'The Distance' is no name in lower"},
    said.MetricOfJobs: {"names metrics of its own": "'accuracy' is one that every flow has"},
    gave.UndeclaredMetric: dict.fromkeys(
        CHECKED, "'distance'; expected what the method declares: none"
    ),
    gave.SeedIgnored: {SEED: "6 seeds give the same outcome; use context.seed, or declare"},
    gave.NotDeterministic: {
        SEED: "is declared deterministic, and other seeds give other particles"
    },
    gave.Unseeded: {
        SEED: "two runs of one seed give other particles",
        RANDOM: "its particles depend on the global random state",
        SNAPSHOTS: "with snapshots it gives other particles than without",
        RESUMES: "resumed, it gives other particles than without an interruption",
    },
    gave.WritesGlobalState: {RANDOM: "it changes the global random state of NumPy$"},
    gave.SeedsGlobally: {RANDOM: "it changes the global random state of the standard library$"},
    gave.ReadsGlobalState: {
        RANDOM: "its particles depend on the global random state",
    },
    gave.SnapshotsIgnored: {
        SNAPSHOTS: r"frames is of steps \[4\]; expected \[0, 2, 3, 4\]",
    },
    gave.SnapshotsOfTheEnd: {SNAPSHOTS: "snapshot after 0 steps has the particles after the last"},
    gave.SnapshotsThatDisturb: {SNAPSHOTS: "with snapshots it gives other particles than without"},
    gave.ProblemChanged: {
        PROBLEM: "it changes problem.source in place",
        SEED: "two runs of one seed give other particles",
        RANDOM: "its particles depend",
        SNAPSHOTS: "with snapshots it gives other particles than without",
        RESUMES: "resumed, it gives other",
    },
    gave.OneShape: {SHAPE: r"RuntimeError: shape '\[-1, 1, 28, 28\]' .*broken_outcomes.py:\d+\)$"},
    gave.ClassForClass: {
        FEWER: r"RuntimeError: The size of tensor .*toys.py:\d+\)$",
        MORE: "RuntimeError: The size of tensor ",
    },
    gave.RefusesLate: dict.fromkeys([FEWER, MORE], "it refuses the problem after 1 steps: method"),
    gave.RefusesAtLength: {ONE_SHOT: "its refusal has several lines: method 'good': one image is"},
    gave.RefusesAll: {OUTCOME: "method 'good': nothing is good enough"},
    gave.Unclipped: dict.fromkeys(
        CHECKED, r"particles is in \[-.*; expected values in \[0, 1\]: project them"
    ),
    gave.LabelsOfTheSource: {
        FEWER: r"frames\[4\].labels is in 0\.\.2; expected target classes, 0\.\.1"
    },
    gave.OneLoss: {
        **dict.fromkeys(CHECKED, r"losses is torch.float32 \(1,\); expected .* \(4,\)"),
        PROGRESS: "IndexError: ",
    },
    gave.LossAsColumn: dict.fromkeys(
        CHECKED, r"losses is torch.float32 \(4, 1\); expected .* \(4,\)"
    ),
    gave.OtherLosses: {PROGRESS: "it reports the loss .* of step 4, and records "},
    gave.Silent: {
        PROGRESS: r"its last report is of step none; expected 4",
        RESUMES: "it reports no progress after 3 steps and more",
    },
    kept.NoCheckpoint: {
        RESUMES: "it had saved no checkpoint after 2 steps and more; hand context.checkpoint to",
        COMPLETE: "there is no checkpoint after the last step; expected one",
    },
    kept.CheckpointRemoved: {COMPLETE: "there is no checkpoint after the last step; expected one"},
    kept.StateForgotten: {
        RESUMES: "resumed, it gives other particles than without an interruption"
    },
}


def failures(method, titles=None):
    """Reasons by title of the checks that fail, of all or of those with the given titles."""
    reasons = {}
    for check in method_checks(method):
        if titles is None or check.title in titles:
            reasons[check.title] = check.reason()
    assert titles is None or reasons.keys() == titles
    return {title: reason for title, reason in reasons.items() if reason is not None}


def quick_titles(method):
    return {check.title for check in method_checks(method)} - {KILLED, BESIDE, TORCH}


@pytest.mark.parametrize("cls", BROKEN, ids=lambda cls: cls.__name__)
def test_what_is_broken_is_found_and_nothing_else(cls):
    method = cls(steps=STEPS)
    found = failures(method, quick_titles(method))
    assert found.keys() == BROKEN[cls].keys()
    for title, message in BROKEN[cls].items():
        assert re.search(message, found[title]), found[title]
        assert "\n" not in found[title]


def test_a_method_that_keeps_to_it_passes():
    method = toys.Good(steps=STEPS)
    assert failures(method) == {}
    assert failures(gave.RefusesOddShapes(steps=STEPS), {SHAPE, OUTCOME}) == {}


def test_a_method_without_steps_need_not_resume():
    method = toys.Still()
    titles = {check.title for check in method_checks(method)}
    assert titles.isdisjoint({KILLED, RESUMES, COMPLETE, PROGRESS, BESIDE})
    assert failures(method) == {}


def test_flows_that_are_in_each_others_way_are_found():
    (reason,) = failures(gave.SharesWithAll(steps=STEPS), {BESIDE}).values()
    assert reason == (
        "beside others in threads it gives other particles than alone; keep what it changes to "
        "each run, or declare the class attribute concurrent false"
    )
    assert failures(gave.SharesAndSaysSo(steps=STEPS), {BESIDE}) == {}


def test_what_leaves_time_to_save_is_not_enough():
    reasons = failures(kept.SavesOnlyWhatIsCaught(steps=STEPS), {KILLED, RESUMES})
    assert reasons.keys() == {KILLED}
    assert "it had saved no checkpoint after 2 steps and more" in reasons[KILLED]


def test_a_child_that_fails_says_why():
    reason = failures(kept.FailsElsewhere(steps=STEPS), {KILLED})[KILLED]
    assert reason == (
        "it ended before it was killed after 3 steps, with exit status 1: RuntimeError: elsewhere"
    )


def test_a_module_that_imports_torch_is_found(tmp_path, monkeypatch):
    (tmp_path / "heavy.py").write_text(
        "import torch\nimport toys\n\nclass Heavy(toys.Good):\n    'Nobody (2023).'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    from heavy import Heavy

    assert failures(Heavy(), {TORCH}) == {
        TORCH: "importing heavy fails or imports torch: import torch inside functions"
    }


@pytest.mark.parametrize(
    "reference",
    [
        "Welling (2009)",
        "(Welling, 2009)",
        "(Welling 2009)",
        "see Zhao and Bilen (2023), Section 2",
        "[Zhao & Bilen, 2023b]",
        "Müller-Öz et al., in press",
        "Álvarez (1999)",
        "Hua et al",
        "Hua, Nguyen and Blanchet, *Dynamic flows on curved space*, 2023",
        "arXiv:2506.07534",
        "arXiv 2506.07534",
        "https://arxiv.org/abs/2506.07534",
        "arXiv:math/0309285",
        "arXiv:math.PR/0309285",
        "doi:10.1145/1553374.1553517",
        "https://doi.org/10.1007/978-3-319-46128-1_8",
    ],
)
def test_a_reference_may_have_any_usual_form(reference):
    descriptions.cites_its_source(documented(f"Move images.\n\nAs {reference}.\n"))


@pytest.mark.parametrize(
    "text", ["", "In 2023 we moved images", "of 2023 images", "version 10.12/3", "by (2023) of us"]
)
def test_what_is_no_reference_is_none(text):
    with pytest.raises(ContractError, match="its docstring has no reference"):
        descriptions.cites_its_source(documented(f"Move images.\n\n{text}.\n"))


def documented(docstring):
    return type("Documented", (toys.Good,), {"__doc__": docstring, "__module__": "toys"})()


def test_a_report_has_a_line_for_each_check(capsys):
    def fail():
        raise ContractError("it is\nodd")

    def crash():
        raise KeyError("missing")

    good, bad, worse = Check("is good", int), Check("is even", fail), Check("runs", crash)
    assert report([good])
    assert capsys.readouterr().out == "passed: is good\n"
    assert not report([good, bad, worse, good])
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["passed: is good", "FAILED: is even: it is odd"]
    assert re.fullmatch(r"FAILED: runs: KeyError: 'missing' \(.*test_suite.py:\d+\)", lines[2])
    assert lines[3] == lines[0]
