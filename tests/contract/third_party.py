"""Distributions of a third party, written to a folder, and ways to run with them."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

METHOD = """
from typing import ClassVar
from wowbench.methods.base import Method

class Odd(Method):
    '''Nobody (2023).'''

    summary: ClassVar[str] = "odd"
    pairings: ClassVar[frozenset[str]] = frozenset({"free"})
    label_rule: ClassVar[str] = "none"
"""
"""What a method of theirs lacks but its name."""

PIECES = """
from typing import ClassVar
from wowbench.kernels.base import Kernel
from wowbench.schemes.momentum import Momentum

class Cauchy(Kernel):
    '''K = 1 / (1 + SW_2^2).'''

    name: ClassVar[str] = "cauchy"
    summary: ClassVar[str] = "K = 1 / (1 + SW_2^2)"
    p: ClassVar[int] = 2
    conditionally_positive_definite: ClassVar[bool] = True

    def value(self, cost):
        return 1 / (1 + cost)

    def derivative(self, cost):
        return -1 / (1 + cost) ** 2

class Plain(Momentum):
    '''Explicit steps (Cauchy, 1847).'''

    name: ClassVar[str] = "plain"
    summary: ClassVar[str] = "explicit steps without momentum"
    momentum: float = 0.0
"""
"""A kernel and a scheme of a third party."""

QUESTION = """
from typing import ClassVar
from wowbench.evaluators.base import Evaluator
from wowbench.tasks.transfer import Transfer

class Head(Evaluator):
    name: ClassVar[str] = "head"
    summary: ClassVar[str] = "how many particles there are"
    metrics: ClassVar[dict] = {"particles": (0.0, float("inf"))}

    def score(self, evidence, seeds, device):
        return [{"metric": "particles", "value": len(evidence.trajectory.last.particles)}]

class Census(Transfer):
    name: ClassVar[str] = "census"
    summary: ClassVar[str] = "a transfer of which particles are counted"

    def evaluators(self, method):
        return [Head(), *super().evaluators(method)]
"""
"""An evaluator and a task of a third party."""


def distribute(folder, name, modules, methods, **others):
    """Write a distribution: modules, and metadata with entry points, of methods and of others."""
    folder.mkdir(exist_ok=True)
    for module, source in modules.items():
        (folder / f"{module}.py").write_text(source)
    info = folder / f"{name.replace('-', '_')}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    lines = []
    for group, entries in {"methods": methods, **others}.items():
        lines += [f"[wowbench.{group}]", *(f"{entry} = {v}" for entry, v in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


def run(*arguments, path):
    """Run Python with distributions on its path; the file of wowbench comes before them."""
    paths = [str(ROOT), *map(str, path)]
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
    )


def wowbench(*arguments, path):
    return run("-m", "wowbench.cli", *map(str, arguments), path=path)


def config(folder, method):
    """Write a config that uses a method."""
    values = {
        "name": "mine",
        "experiments": [
            {
                "task": "transfer",
                "source": {"name": "MNIST", "bundled": True},
                "targets": [{"name": "FashionMNIST", "bundled": True}],
                "methods": [method, "train_on_target"],
                "shots": [1],
            }
        ],
    }
    path = folder / "config.yaml"
    path.write_text(json.dumps(values))
    return path
