"""Flows are put together: any functional, any scheme, a label rule; a new one is short."""

import inspect
from typing import ClassVar

import pytest
import torch

from wowbench.contract.methods import method_checks
from wowbench.errors import InputError
from wowbench.flows import Checkpoint, descend
from wowbench.flows.descent import can_be_captured
from wowbench.functionals import ParticleFunctional, SlicedMMD
from wowbench.functionals.distribution_matching import DistributionMatching
from wowbench.functionals.embedded import Embedded
from wowbench.functionals.energies import HalfSquaredWoW, InteractionEnergy
from wowbench.functionals.label_gaussians import embed_labels
from wowbench.functionals.otdd import OTDD
from wowbench.functionals.product_mmd import ProductMMD
from wowbench.functionals.wrappers import ByClass, Noisy, PlainGradient
from wowbench.kernels.gaussian import Gaussian
from wowbench.kernels.riesz import Riesz
from wowbench.methods.image_flow import ImageFlow
from wowbench.methods.problem import Problem, RunContext
from wowbench.parameters import FromRegistry
from wowbench.registry import METHODS
from wowbench.schemes.adamw import AdamW
from wowbench.schemes.momentum import Momentum
from wowbench.schemes.polyak import Polyak
from wowbench.space import Space

BUILD = FromRegistry(METHODS).build
GENERATOR = torch.Generator().manual_seed(0)
SOURCE, TARGET = (torch.rand(3, n, 9, generator=GENERATOR) for n in (6, 4))
LABELS, TARGET_LABELS = embed_labels(SOURCE, TARGET)
MEAN, COV = LABELS.per_sample(6)
PARTICLES, LABELLED = {"x": SOURCE}, {"x": SOURCE, "mean": MEAN, "cov": COV}
GAUSSIANS = (TARGET, TARGET_LABELS.mean, TARGET_LABELS.cov)

FUNCTIONALS = {
    "sliced": (SlicedMMD(TARGET, Riesz(), n_directions=50), PARTICLES),
    "embedded": (Embedded(DistributionMatching, TARGET.unflatten(2, (1, 3, 3))), PARTICLES),
    "by class": (ByClass([DistributionMatching(c) for c in TARGET.split(1)]), PARTICLES),
    "plain": (PlainGradient(DistributionMatching(TARGET)), PARTICLES),
    "interaction": (InteractionEnergy(Riesz(r=1.5)), PARTICLES),
    "wow": (HalfSquaredWoW(TARGET), PARTICLES),
    "product": (ProductMMD(*GAUSSIANS, bandwidths=(2.0, 3.0, 5.0)), LABELLED),
    "noisy": (Noisy(ProductMMD(*GAUSSIANS, bandwidths=(2.0, 3.0, 5.0)), 0.01), LABELLED),
    "otdd": (OTDD(*GAUSSIANS), LABELLED),
}
SCHEMES = [
    Momentum(lr=0.05, momentum=0.9),
    Momentum(lr=0.2, momentum=0),
    AdamW(lr=0.01),
    AdamW(lr=0.02, betas=(0.5, 0.9), weight_decay=0),
]


def flow(name, scheme, **arguments):
    functional, start = FUNCTIONALS[name]
    generator = torch.Generator().manual_seed(1)
    return descend(functional, start, scheme, generator=generator, **{"steps": 60, **arguments})


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
@pytest.mark.parametrize("name", FUNCTIONALS)
def test_any_scheme_decreases_any_functional(name, scheme):
    found = flow(name, scheme, snapshots=(0, 7))
    first, last = found.losses[0], found.losses[-10:].mean()
    assert last < first - 0.1 * first.abs()
    functional, start = FUNCTIONALS[name]
    for part, geometry in functional.parts.items():
        assert not found.state[part].equal(start[part])
        assert found.snapshots[0][part].equal(start[part])
        if geometry == "bures":
            assert torch.linalg.eigvalsh(found.state[part]).min() > -1e-6


@pytest.mark.parametrize("scheme", [SCHEMES[0], SCHEMES[2]], ids=repr)
@pytest.mark.parametrize("name", FUNCTIONALS)
def test_any_pair_resumes_to_the_same_bits(name, scheme, tmp_path):
    def interrupt(done, loss):
        if done == 4:
            raise KeyboardInterrupt

    checkpoint = Checkpoint(tmp_path / "flow", "print", every_seconds=0)
    with pytest.raises(KeyboardInterrupt):
        flow(name, scheme, steps=9, checkpoint=checkpoint, progress=interrupt)
    assert checkpoint.load()[1] == 3
    resumed, whole = flow(name, scheme, steps=9, checkpoint=checkpoint), flow(name, scheme, steps=9)
    assert resumed.losses.equal(whole.losses)
    assert resumed.state.keys() == whole.state.keys()
    assert all(resumed.state[key].equal(value) for key, value in whole.state.items())


@pytest.mark.parametrize(
    ("name", "momentum", "adamw"),
    [
        ("sliced", True, True),
        ("embedded", True, True),
        ("plain", True, True),
        ("by class", True, True),
        ("wow", False, False),
        ("product", True, False),
        ("noisy", True, False),
        ("otdd", False, False),
    ],
)
def test_what_waits_for_the_device_says_so(name, momentum, adamw):
    functional, _ = FUNCTIONALS[name]
    assert can_be_captured(functional, Momentum()) == momentum
    assert can_be_captured(functional, AdamW()) == adamw
    assert can_be_captured(functional, AdamW(decay="linear")) is False
    assert can_be_captured(functional, Polyak(decay="linear")) == momentum


# What a new flow takes: a functional, and a method that names it.


class EnergyDistance(ParticleFunctional):
    """Half the squared energy distance of all particles, classes ignored (Szekely, 2003)."""

    def __init__(self, target):
        self.y = target.flatten(0, 1)

    def evaluate(self, x):
        with torch.enable_grad():
            points = x.detach().flatten(0, 1).requires_grad_()
            cross = torch.cdist(points, self.y).mean()
            own = torch.cdist(points, points).mean()
            value = cross - own / 2 - torch.cdist(self.y, self.y).mean() / 2
            (grad,) = torch.autograd.grad(value, points)
        return value.detach(), len(points) * grad.view_as(x)


class Energy(ImageFlow):
    """Flow of the energy distance (Szekely, 2003)."""

    name: ClassVar[str] = "energy"
    summary: ClassVar[str] = "flow of the energy distance of unlabelled images"
    pairings: ClassVar[frozenset[str]] = frozenset({"free"})
    deterministic: ClassVar[bool] = True

    def functional(self, target):
        return EnergyDistance(target)


# That is all: scenarios, schemes, labels, snapshots and checkpoints come with it.

ENERGY_CHECKS = [
    check
    for check in method_checks(Energy(steps=4))
    # These start an interpreter, in which this file imports torch.
    if check.title not in ("imports no torch", "resumes after being killed")
]


@pytest.mark.parametrize("check", ENERGY_CHECKS, ids=[check.title for check in ENERGY_CHECKS])
def test_a_flow_of_a_few_lines_keeps_to_the_contract(check):
    check.run()


def test_a_flow_of_a_few_lines_takes_any_scheme_and_scenario():
    lines = inspect.getsource(EnergyDistance) + inspect.getsource(Energy)
    assert lines.count("\n") < 40
    problem = Problem(
        SOURCE.unflatten(2, (1, 3, 3)),
        TARGET.unflatten(2, (1, 3, 3)),
        Space((1, 3, 3), bounds=(0, 1)),
    )
    for scheme in ({"lr": 0.05}, {"name": "adamw", "lr": 0.02}):
        method = Energy.parse({"scheme": scheme, "steps": 60}, "energy")
        losses = method.run(problem, RunContext(0)).losses
        assert losses[-1] < 0.5 * losses[0]
    method = Energy.parse({"augmentation": ["flip"], "steps": 3}, "energy")
    assert len(method.run(problem, RunContext(0)).last.particles) == 18


# Schemes and kernels in configs.


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("mmdsw", Momentum(lr=1, momentum=0.9)),
        ("mmdsw_fast", Momentum(lr=1, momentum=0.9)),
        ("dm", Momentum(lr=1, momentum=0.9)),
        ("otdd", AdamW(lr=1e-3, weight_decay=1e-4, betas=(0.9, 0.999))),
        ("mmd_product", Momentum(lr=10, momentum=0.9)),
    ],
)
def test_each_method_has_its_published_scheme(name, scheme):
    assert BUILD(name).scheme == scheme


def test_a_mapping_without_a_name_changes_the_default():
    product = {"name": "mmd_product", "scheme": {"momentum": 0.5}}
    assert BUILD(product).scheme == Momentum(lr=10, momentum=0.5)
    assert BUILD({"name": "otdd", "scheme": {"lr": 0.1}}).scheme == AdamW(lr=0.1)
    named = {"name": "otdd", "scheme": {"name": "momentum", "lr": 0.1}}
    assert BUILD(named).scheme == Momentum(lr=0.1)
    assert BUILD({"name": "otdd", "scheme": "momentum"}).scheme == Momentum()
    assert BUILD({"name": "mmdsw", "kernel": {"r": 0.5}}).kernel == Riesz(r=0.5)
    gaussian = {"name": "mmdsw", "kernel": {"name": "gaussian", "h": 2}}
    assert BUILD(gaussian).kernel == Gaussian(h=2)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"scheme": {"lr": -1}}, "scheme: adamw: lr: got -1"),
        ({"scheme": {"momentum": 0.5}}, "scheme: adamw: unknown key 'momentum'"),
        ({"scheme": {"name": "sgd"}}, "scheme: unknown scheme 'sgd'; expected one of adamw, mom"),
        ({"scheme": 3}, "scheme: got 3; expected the name of a scheme"),
        ({"lr": 1}, "unknown key 'lr'"),
    ],
)
def test_a_scheme_that_cannot_be_made_is_named(values, message):
    with pytest.raises(InputError) as caught:
        BUILD({"name": "otdd", **values})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "sizes", "message"),
    [
        ("dm", {"target_classes": 4}, "'dm': the source has 3 classes and the target 4; expected"),
        ("otdd", {"target_classes": 4}, "'otdd': 6 images of each of 3 classes are 18; expected"),
        ("mmd_product", {"target_classes": 5}, "expected a multiple of the target's 5 classes"),
        ("mmdsw", {"target_classes": 4}, None),
    ],
)
def test_what_the_label_rule_cannot_label_is_refused_beforehand(name, sizes, message):
    sizes = {"source_classes": 3, "n": 6, "k": 2, "shape": (1, 8, 8)} | sizes
    if message is None:
        BUILD(name).check_sizes(**sizes)
    else:
        with pytest.raises(InputError) as caught:
            BUILD(name).check_sizes(**sizes)
        assert message in str(caught.value)


def test_another_scheme_has_its_own_metrics():
    problem = Problem(
        SOURCE.unflatten(2, (1, 3, 3)),
        TARGET.unflatten(2, (1, 3, 3)),
        Space((1, 3, 3), bounds=(0, 1)),
    )
    named = {"name": "otdd", "scheme": {"name": "momentum", "lr": 1e-3}, "steps": 2}
    assert BUILD(named).run(problem, RunContext(0)).metrics.keys() == {
        "held_out_loss",
        "sinkhorn_error",
        "sinkhorn_failures",
    }
