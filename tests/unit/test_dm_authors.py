"""DM as the paper's code has it: a functional for each class, and labels by the coupling."""

import pytest
import torch

from wowbench.errors import InputError
from wowbench.functionals.base import Functional
from wowbench.functionals.distribution_matching import DistributionMatching
from wowbench.functionals.wrappers import ByClass
from wowbench.methods.problem import Problem, RunContext
from wowbench.parameters import FromRegistry
from wowbench.registry import METHODS
from wowbench.space import Space

BUILD = FromRegistry(METHODS).build
SHAPE = (1, 8, 8)
GENERATOR = torch.Generator().manual_seed(0)
SOURCE = torch.randn(3, 2, *SHAPE, generator=GENERATOR)
TARGET = torch.randn(3, 6, *SHAPE, generator=GENERATOR) + torch.arange(3.0).reshape(3, 1, 1, 1, 1)
PROBLEM = Problem(SOURCE, TARGET, Space(SHAPE), "by_number", batch_size=4)
SCENARIO = {"augmentation": True, "embedding": True}


def flow(name, problem=PROBLEM, **parameters):
    method = BUILD({"name": name, "steps": 3, "scheme": {"lr": 0.01}, **parameters})
    return method.run(problem, RunContext(seed=1))


class Drawing(Functional):
    """Adds a number drawn for this call to the distance between means."""

    def __init__(self, target):
        self.matching = DistributionMatching(target)

    def value_and_grad(self, state, generator):
        value, grads = self.matching.value_and_grad(state, generator)
        return value + torch.rand((), generator=generator), grads


def test_a_functional_that_tells_classes_apart_is_the_mean_of_its_classes():
    x, target = SOURCE.flatten(2), TARGET.flatten(2)
    value, grads = ByClass([DistributionMatching(c) for c in target.split(1)]).value_and_grad(
        {"x": x}, None
    )
    expected, grad = DistributionMatching(target).evaluate(x)
    torch.testing.assert_close(value, expected)
    assert grads["x"].equal(grad)


def test_each_class_has_its_own_draws():
    x, target = SOURCE.flatten(2), TARGET.flatten(2)
    by_class = ByClass([Drawing(c) for c in target.split(1)])
    value, _ = by_class.value_and_grad({"x": x}, torch.Generator().manual_seed(2))
    drawn = torch.rand(3, generator=torch.Generator().manual_seed(2))
    expected, _ = DistributionMatching(target).evaluate(x)
    torch.testing.assert_close(value, expected + drawn.mean())


@pytest.mark.parametrize(("classes", "message"), [(0, "functionals is empty"), (2, "x has 3")])
def test_one_functional_for_each_class(classes, message):
    functionals = [DistributionMatching(c) for c in TARGET.flatten(2).split(1)]
    with pytest.raises(ValueError, match=message):
        ByClass(functionals[:classes]).value_and_grad({"x": SOURCE.flatten(2)}, None)


@pytest.mark.parametrize("scenario", [{}, SCENARIO])
def test_with_both_fields_as_in_dm_it_is_dm(scenario):
    own = {"labels": "class_numbers", "network_per_class": False}
    found, expected = flow("dm_authors", **own, **scenario), flow("dm", **scenario)
    assert found.losses.equal(expected.losses)
    assert found.last.particles.equal(expected.last.particles)
    assert found.last.labels.equal(expected.last.labels)


def test_networks_of_each_class_matter_only_where_there_are_some():
    assert flow("dm_authors").losses.equal(flow("dm").losses)
    found, expected = flow("dm_authors", **SCENARIO), flow("dm", **SCENARIO)
    assert not found.last.particles.isclose(expected.last.particles).all()


def test_a_class_takes_the_label_of_the_class_that_it_is_coupled_with():
    # Class c starts on class c + 1, from which steps of this size do not lead away.
    astray = Problem(TARGET.roll(-1, 0), TARGET, Space(SHAPE), "by_number", batch_size=4)
    small = {"scheme": {"lr": 1e-6}}
    coupled = flow("dm_authors", astray, **small).last.labels
    assert coupled.reshape(3, -1)[:, 0].tolist() == [1, 2, 0]
    numbered = flow("dm_authors", astray, labels="class_numbers", **small).last.labels
    assert numbered.reshape(3, -1)[:, 0].tolist() == [0, 1, 2]


@pytest.mark.parametrize("labels", ["coupling", "class_numbers"])
def test_unlike_numbers_of_classes_are_refused(labels):
    few = Problem(SOURCE[:2], TARGET, Space(SHAPE), "by_number", batch_size=4)
    with pytest.raises(InputError, match="the source has 2 classes and the target 3"):
        flow("dm_authors", few, labels=labels)
