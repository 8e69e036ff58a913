"""What runs again after a change, and what does not."""

import re

import pytest

from wowbench.tasks.transfer import Transfer

pytestmark = pytest.mark.workflow

RESULTS = "results/smoke"
FOLLOWS = {
    **{"aggregate": 1, "table": len(Transfer.tables), "figure": len(Transfer.figures), "site": 1}
}


def test_a_second_run_has_nothing_to_do(finished):
    assert finished.would_run() == {}


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        # 2 shots; the other method's 2 flows and 2 evaluations stay.
        (
            *("wowbench/kernels/riesz.py", "@KERNELS", "EDITED = True\n\n\n@KERNELS"),
            {"flow": 2, "evaluate": 2, **FOLLOWS, "default": 1},
        ),
        (
            *("wowbench/methods/mmdsw.py", "DirectionCount = 500", "DirectionCount = 400"),
            {"flow": 2, "evaluate": 2, **FOLLOWS, "default": 1},
        ),
        ("wowbench/kernels/riesz.py", '"""The Riesz', '"""This Riesz', {}),
        (
            *(
                "wowbench/results/tables/transfer_accuracy.py",
                "beside Table 2 of the paper.",
                "beside the paper's Table 2.",
            ),
            {"table": 1, "site": 1, "default": 1},
        ),
        (
            *("results/published/transfer_accuracy.csv", ",40.5,", ",41.5,"),
            {"table": 1, "figure": 1, "site": 1, "default": 1},
        ),
        (
            "results/published/transfer_runtime.csv",
            "MNIST",
            "mnist",
            {"table": 1, "figure": 1, "site": 1, "default": 1},
        ),
        ("results/published/distillation_accuracy.csv", "MNIST", "mnist", {}),
    ],
)
def test_an_edit_reruns_what_depends_on_it_and_no_more(finished, path, old, new, expected):
    with finished.edited(path, old, new):
        assert finished.would_run() == expected


def test_changed_bundled_files_are_prepared_again(again):
    data = again.folder / "wowbench/datasets/bundled/fashionmnist_test.npz"
    data.write_bytes(data.read_bytes() + b"0")
    assert again.would_run() == {
        **{"prepare": 1, "draw": 2, "flow": 4, "evaluate": 4, **FOLLOWS, "default": 1}
    }


def test_the_flows_that_a_figure_reads_are_its_inputs(finished):
    done = finished.snakemake("--dry-run", "--forcerun", "figure")
    inputs = {}
    for block in done.stdout.split("rule figure:")[1:]:
        (line,) = re.findall("input: (.*)", block.split("rule ")[0])
        name = re.search("wildcards: name=(.*)", block)[1]
        inputs[name] = {path.split("/")[2] for path in line.split(", ")}
    assert inputs == {
        "loss_curves": {"flows", "scores.csv"},
        "transfer_samples": {"draws", "flows", "scores.csv"},
        "transfer_accuracy": {"transfer_accuracy.csv", "scores.csv"},
        "transfer_runtime": {"transfer_runtime.csv", "scores.csv"},
    }


def test_a_data_root_is_text_and_not_shell(checkout):
    hostile = "$(touch executed) `touch executed`; touch executed & '\" with spaces"
    target = f"{RESULTS}/data/MNIST-bundled.safetensors"
    arguments = ("--config", f"data_root={hostile}", "--", target)
    done = checkout.snakemake(*arguments)
    assert done.returncode == 0, done.stderr
    assert checkout.would_run(*arguments) == {}
    assert (checkout.folder / target).exists()
    assert not (checkout.folder / "executed").exists()
