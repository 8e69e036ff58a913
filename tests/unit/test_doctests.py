"""The examples in the docstrings of the mathematics run, and print what they say."""

import doctest
import importlib
import pkgutil

import pytest

PACKAGES = ("geometry", "functionals", "kernels", "schemes", "flows", "labelling")
MODULES = sorted(
    module.name
    for name in PACKAGES
    for package in [importlib.import_module(f"wowbench.{name}")]
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
)
WITH_EXAMPLES = (
    "wowbench.flows.descent",
    "wowbench.flows.weights",
    "wowbench.functionals.product_mmd",
    "wowbench.functionals.sliced_mmd",
    "wowbench.geometry.pairs",
    "wowbench.geometry.products",
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_print_what_they_say(name):
    found = doctest.testmod(importlib.import_module(name))
    assert found.failed == 0
    assert found.attempted > 0 or name not in WITH_EXAMPLES


def test_the_modules_with_examples_are_there():
    assert set(WITH_EXAMPLES) <= set(MODULES)
