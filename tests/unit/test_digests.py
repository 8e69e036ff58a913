"""What an edit of the package reruns: by the digests of all that a plan has."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

DIGESTS = """
import json, sys
from wowbench.plan import Plan
plan = Plan.load(sys.argv[1])
jobs = [(verb, name) for verb in plan.jobs for name in plan.jobs[verb]]
digests = {f"{verb} {name}": plan.sources(verb, name) for verb, name in jobs}
for report in plan.reports:
    digests[f"{report.base.folder} {report.name}"] = plan.digest(report.module)
for name in ("scores", "verdict_page"):
    digests[f"results {name}"] = plan.digest(f"wowbench.results.{name}")
print(json.dumps(digests))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """Copy the package, to be edited."""
    folder = tmp_path_factory.mktemp("checkout") / "wowbench"
    ignored = shutil.ignore_patterns("__pycache__", "*.npz")
    return shutil.copytree(ROOT / "wowbench", folder, ignore=ignored)


def digests(package):
    """Digest of every job, table and figure of the mini config, by the code of a copy."""
    done = subprocess.run(
        [sys.executable, "-c", DIGESTS, str(ROOT / "workflow/config/mini.yaml")],
        cwd=package.parent,
        env=os.environ | {"PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def changed(package, edits):
    """Names of what has another digest after edits (new text by file), which are undone again."""
    before = digests(package)
    originals = {file: (package / file).read_text() for file in edits}
    for file, text in edits.items():
        assert text != originals[file]
        (package / file).write_text(text)
    after = digests(package)
    for file, text in originals.items():
        (package / file).write_text(text)
    return {name for name in before if before[name] != after[name]}


def test_an_edited_kernel_reruns_the_flows_and_distances_that_use_it(package):
    text = (package / "kernels/riesz.py").read_text()
    names = changed(package, {"kernels/riesz.py": f"{text}\nEDITED = True\n"})
    uses = r"flow (rings/|.*/mmdsw(_aug_emb|_fast|_sprint)?/)|distance .*/mmdsw-"
    expected = {name for name in digests(package) if re.match(uses, name)}
    # They read what the defaults of MMDSW are.
    expected |= {"tables rings_loss", "figures rings_losses"}
    assert names == expected != set()


def test_an_edited_network_reruns_no_draw_and_no_flow_without_an_embedding(package):
    text = (package / "evaluation/networks.py").read_text()
    names = changed(package, {"evaluation/networks.py": f"{text}\nEDITED = True\n"})
    assert names >= {name for name in digests(package) if name.startswith("evaluate ")} != set()
    unmoved = "train_on_target|random|otdd|mmd_product"
    others = rf"prepare |draw |figures (?!rings_losses)|flow .*/({unmoved})/"
    assert not [name for name in names if re.match(others, name)]


def test_edited_prose_reruns_nothing(package):
    edits = {}
    for path in sorted(package.rglob("*.py")):
        text = re.sub(r'"""(?=\S)', '"""Edited. ', path.read_text())
        edits[str(path.relative_to(package))] = f"# edited\n{text}\n# edited\n"
    assert len(edits) > 100
    assert changed(package, edits) == set()
