"""Energies with closed WoW gradients, and the flows whose answers they give."""

import re

import pytest
import torch

from wowbench.flows import descend
from wowbench.functionals.energies import (
    HalfSquaredWoW,
    InteractionEnergy,
    PotentialEnergy,
)
from wowbench.geometry.wow import wow_distance, wow_geodesic
from wowbench.kernels.gaussian import Gaussian
from wowbench.kernels.imq import InverseMultiquadric
from wowbench.kernels.laplace import Laplace
from wowbench.kernels.riesz import Riesz
from wowbench.schemes.momentum import Momentum


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


ENERGIES = {
    "wasserstein": PotentialEnergy(normal(4, 2, seed=5)),
    "wasserstein-split": PotentialEnergy(normal(7, 2, seed=5)),
    "riesz": InteractionEnergy(Riesz(r=1.5)),
    "gaussian": InteractionEnergy(Gaussian(h=0.7)),
    "laplace": InteractionEnergy(Laplace(h=0.7)),
    "imq": InteractionEnergy(InverseMultiquadric(h=0.7)),
    "wow": HalfSquaredWoW(normal(3, 4, 2, seed=6)),
    "wow-split": HalfSquaredWoW([normal(3, 2, seed=6), normal(6, 2, seed=7)]),
}


@pytest.mark.parametrize("name", ENERGIES)
def test_gradient_is_the_wow_gradient(name):
    """`n C dF/dx` by central differences, particle by particle."""
    energy, x = ENERGIES[name], normal(3, 4, 2)
    value, gradient = energy.evaluate(x)
    assert value.shape == ()
    numerical = torch.zeros_like(x)
    for index in range(x.numel()):
        step = torch.zeros(x.numel(), dtype=x.dtype)
        step[index] = 1e-6
        ahead, behind = (energy.evaluate(x + s * step.view_as(x))[0] for s in (1, -1))
        numerical.view(-1)[index] = 12 * (ahead - behind) / 2e-6
    torch.testing.assert_close(gradient, numerical, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ENERGIES)
def test_first_order_expansion_along_a_wow_optimal_displacement(name):
    """F(P_t) = F(P) + t <grad, v> + o(t) where v moves P along a geodesic."""
    energy, x = ENERGIES[name], normal(3, 4, 2)
    # Short of the first crossing the geodesic keeps order and particles of x.
    velocity = wow_geodesic(x, normal(3, 4, 2, seed=1), 1.0) - x
    value, gradient = energy.evaluate(x)
    slope = (gradient * velocity).sum(-1).mean()
    t = 1e-6
    moved, _ = energy.evaluate(x + t * velocity)
    assert ((moved - value) / t).item() == pytest.approx(slope.item(), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", ENERGIES)
def test_order_of_classes_and_particles_does_not_matter(name):
    energy, x = ENERGIES[name], normal(3, 4, 2)
    value, gradient = energy.evaluate(x)
    classes, particles = [2, 0, 1], [3, 1, 0, 2]
    permuted = x[classes][:, particles]
    torch.testing.assert_close(energy.evaluate(permuted), (value, gradient[classes][:, particles]))


@pytest.mark.parametrize("name", ["riesz", "gaussian", "laplace", "imq"])
def test_float32_stays_float32(name):
    value, gradient = ENERGIES[name].evaluate(normal(3, 4, 2).float())
    assert value.dtype == gradient.dtype == torch.float32


def test_potential_contracts_to_its_reference_by_its_closed_form():
    """Short of a crossing, particles keep their images."""
    x, reference, steps, lr = normal(3, 1, 2), normal(1, 2, seed=1), 10, 0.1
    moved = descend(PotentialEnergy(reference), x, Momentum(lr=lr, momentum=0), steps=steps).x
    torch.testing.assert_close(moved, reference + (1 - lr) ** steps * (x - reference))


def test_wasserstein_potential_moves_along_the_geodesic():
    x, reference = normal(1, 5, 2), normal(5, 2, seed=1)
    value, gradient = PotentialEnergy(reference).evaluate(x)
    torch.testing.assert_close(x - 0.3 * gradient, wow_geodesic(x, reference[None], 0.3))
    torch.testing.assert_close(value, wow_distance(x, reference[None]) ** 2 / 2)


@pytest.mark.parametrize("target", [normal(3, 4, 2, seed=2), [normal(2, 2), normal(5, 2)]])
def test_wow_energy_is_half_the_squared_distance(target):
    x = normal(3, 4, 2)
    value, _ = HalfSquaredWoW(target).evaluate(x)
    torch.testing.assert_close(value, wow_distance(x, target) ** 2 / 2)


def test_wow_energy_moves_along_the_geodesic():
    x, y = normal(3, 4, 2), normal(3, 4, 2, seed=1)
    _, gradient = HalfSquaredWoW(y).evaluate(x)
    for t in (0.3, 1.0):
        torch.testing.assert_close(x - t * gradient, wow_geodesic(x, y, t))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("m", [4, 6])
def test_wow_energy_on_a_gpu_is_that_on_the_cpu(m):
    x, y = normal(3, 4, 2), normal(3, m, 2, seed=1)
    value, gradient = HalfSquaredWoW(y.cuda()).evaluate(x.cuda())
    expected = HalfSquaredWoW(y).evaluate(x)
    torch.testing.assert_close((value.cpu(), gradient.cpu()), expected)


def test_interaction_translates_classes_and_keeps_the_mean_of_their_means():
    x = normal(3, 4, 2)
    for name in ("riesz", "gaussian", "laplace", "imq"):
        _, gradient = ENERGIES[name].evaluate(x)
        torch.testing.assert_close(gradient, gradient[:, :1].expand_as(gradient))
        torch.testing.assert_close(gradient.mean((0, 1)), torch.zeros(2, dtype=x.dtype))


def test_interaction_of_two_classes_in_closed_form():
    x = torch.tensor([[[-1.0], [1.0]], [[1.0], [5.0]]])
    value, gradient = InteractionEnergy(Laplace(h=2.0)).evaluate(x)
    repulsion = torch.tensor(-1.5).exp()
    torch.testing.assert_close(value, (1 + repulsion) / 4)
    expected = torch.tensor([1.0, 1.0, -1.0, -1.0]).view(2, 2, 1) * repulsion / 4
    torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize("name", ["riesz", "gaussian", "laplace", "imq"])
def test_classes_of_one_mean_do_not_push_each_other(name):
    _, gradient = ENERGIES[name].evaluate(torch.ones(3, 4, 2))
    assert (gradient == 0).all()


@pytest.mark.parametrize("name", ENERGIES)
def test_bad_particles_are_named(name):
    with pytest.raises(ValueError, match=re.escape("x has shape (3, 2); expected (C, n, d)")):
        ENERGIES[name].evaluate(torch.zeros(3, 2))
    ragged = [torch.zeros(3, 2), torch.zeros(2, 2)]
    with pytest.raises(ValueError, match="x has classes of different sizes; expected a tensor"):
        ENERGIES[name].evaluate(ragged)


@pytest.mark.parametrize("name", ["wasserstein", "wow"])
def test_other_spaces_are_named(name):
    with pytest.raises(ValueError, match="x has dimension 3; expected 2, that of"):
        ENERGIES[name].evaluate(normal(3, 4, 3))


def test_bad_targets_are_named():
    with pytest.raises(ValueError, match=re.escape("target has shape (2, 3); expected (C, n, d)")):
        HalfSquaredWoW(torch.zeros(2, 3))
    with pytest.raises(ValueError, match=re.escape("reference[0] has shape (3,); expected (n_c,")):
        PotentialEnergy(torch.zeros(3))
