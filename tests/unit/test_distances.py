"""Distances between labelled datasets are what their definitions say, on small input."""

import itertools
import math
from functools import cache

import numpy as np
import ot
import pytest
import scipy.stats
import torch
from scipy.integrate import quad

from wowbench.distances.dsw import DoubleSliced
from wowbench.distances.energy import Energy
from wowbench.distances.mmdsw import MMDSW
from wowbench.distances.otdd import OTDD
from wowbench.distances.sinkhorn_matched import SinkhornMatched
from wowbench.distances.sotdd import SlicedOTDD, positive_poisson
from wowbench.distances.swb1dg import SlicedBusemann1DGaussian
from wowbench.distances.swbg import SlicedBusemannGaussian
from wowbench.distances.wow import WoW
from wowbench.distances.wow_sliced import SlicedWoW
from wowbench.errors import InputError
from wowbench.geometry.directions import sample_directions

D = 4


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def dataset(sizes, seed, d=D, shift=0.0):
    generator = seeded(seed)
    return [
        torch.randn(n, d, generator=generator, dtype=torch.float64)
        + torch.randn(d, generator=generator, dtype=torch.float64)
        + shift
        for n in sizes
    ]


PAIRS = {
    "equal": (dataset((6, 6, 6), 1), dataset((6, 6, 6), 2, shift=0.5)),
    "ragged": (dataset((5, 7, 4), 3), dataset((6, 3), 4, shift=0.5)),
}


@pytest.fixture(params=PAIRS)
def pair(request):
    return PAIRS[request.param]


def drawn_by(distance, a):
    """What `measure` draws, as arrays."""
    drawn = distance.draw(a[0].shape[1], a[0], seeded())
    return [tensor.numpy() for tensor in drawn]


def mean_of_lines(a, b, labelled, n):
    """Mean over n directions of W_2^2 between all labelled points, by POT."""
    costs = []
    for ell in range(n):
        lines = []
        for classes in (a, b):
            z = [labelled(ell, x, points) for points in classes for x in points]
            lines.append(np.array(z))
        costs.append(ot.wasserstein_1d(lines[0], lines[1], p=2))
    return np.mean(costs), np.std(costs, ddof=1) / math.sqrt(n)


def as_numpy(classes):
    return [x.numpy() for x in classes]


def uniform(n):
    return np.full(n, 1 / n)


def root(matrix):
    """Root of a symmetric positive semidefinite matrix, which may be singular."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return vectors @ np.diag(np.sqrt(values.clip(0))) @ vectors.T


def w2(x, y):
    return ot.emd2(uniform(len(x)), uniform(len(y)), ot.dist(x, y))


def agrees(estimate, value, error=None):
    assert estimate.value == pytest.approx(value, rel=1e-9, abs=1e-12)
    assert estimate.error == (None if error is None else pytest.approx(error, rel=1e-9))


@pytest.mark.parametrize("rates", [(1, 2, 3, 4, 5), (0, 1, 2)])
def test_sotdd_is_its_definition(pair, rates):
    distance = SlicedOTDD(n_directions=15, rates=rates)
    a, b = map(as_numpy, pair)
    theta, psi, orders = drawn_by(distance, pair[0])

    def labelled(ell, x, points):
        z = psi[ell, 0] * (theta[ell] @ x)
        for i, order in enumerate(orders[ell]):
            moment = np.mean([(theta[ell] @ other) ** order for other in points])
            z += psi[ell, i + 1] * moment / math.factorial(order)
        return z

    agrees(distance.measure(*pair, seeded()), *mean_of_lines(a, b, labelled, 15))
    assert np.linalg.norm(psi, axis=1) == pytest.approx(1)
    assert psi.shape[1] == len(rates) + 1


def test_orders_are_poisson_numbers_that_are_not_0():
    rates = (0.0, 1.0, 3.5, 5.0)
    orders = positive_poisson(20_000, rates, seeded()).numpy()
    assert (orders[:, 0] == 1).all()
    for rate, column in zip(rates[1:], orders[:, 1:].T, strict=True):
        j = np.arange(1, 8)
        expected = scipy.stats.poisson.pmf(j, rate) / (1 - math.exp(-rate))
        found = np.array([(column == value).mean() for value in j])
        assert found == pytest.approx(expected, abs=4 * 0.5 / math.sqrt(20_000))
        assert column.min() == 1


@cache
def normal_quantiles(low, high):
    return quad(scipy.stats.norm.ppf, low, high, epsabs=1e-13)[0]


def test_swb1dg_is_its_definition(pair):
    distance = SlicedBusemann1DGaussian(n_directions=6)
    a, b = map(as_numpy, pair)
    theta, psi, ray = drawn_by(distance, pair[0])

    def labelled(ell, x, points):
        m1, s1 = ray[ell]
        line = np.sort(points @ theta[ell])
        n, integral = len(line), 0.0
        for i, y in enumerate(line):
            integral += y * normal_quantiles(i / n, (i + 1) / n)
        busemann = -m1 * line.mean() - s1 * integral
        return psi[ell, 0] * (theta[ell] @ x) + psi[ell, 1] * busemann

    value, error = mean_of_lines(a, b, labelled, 6)
    estimate = distance.measure(*pair, seeded())
    # The quadrature is as exact as its singular ends allow.
    assert estimate.value == pytest.approx(value, rel=1e-7)
    assert estimate.error == pytest.approx(error, rel=1e-6)
    assert (ray**2).sum(1) == pytest.approx(1)
    assert np.linalg.norm(psi, axis=1) == pytest.approx(1)


@pytest.mark.parametrize("dim", [2, 3])
def test_swbg_is_its_definition(pair, dim):
    distance = SlicedBusemannGaussian(n_directions=8, dim=dim)
    a, b = map(as_numpy, pair)
    theta, psi, mean, spread = drawn_by(distance, pair[0])
    everything = np.concatenate([*a, *b])
    centre = everything.mean(0)
    axes = np.linalg.svd(everything - centre)[2][:dim].T
    axes = axes * np.sign(axes[np.abs(axes).argmax(0), range(dim)])
    start = np.eye(dim)

    def labelled(ell, x, points):
        reduced = (points - centre) @ axes
        m, sigma = reduced.mean(0), np.cov(reduced.T, bias=True)
        end = (start + spread[ell]) @ (start + spread[ell])
        to_end = np.linalg.inv(root(start)) @ root(root(start) @ end @ root(start))
        middle = start - start @ to_end - to_end @ start + end
        busemann = -(mean[ell] @ m) + np.trace(start @ (to_end - np.eye(dim)))
        busemann -= np.trace(root(root(sigma) @ middle @ root(sigma)))
        return psi[ell, 0] * (theta[ell] @ x) + psi[ell, 1] * busemann

    value, error = mean_of_lines(a, b, labelled, 8)
    estimate = distance.measure(*pair, seeded())
    assert estimate.value == pytest.approx(value, rel=1e-6)
    assert estimate.error == pytest.approx(error, rel=1e-6)
    speed = (mean**2).sum(1) + (spread**2).sum((1, 2))
    assert speed == pytest.approx(1)
    assert (np.linalg.eigvalsh(spread) > 0).all()


def test_the_busemann_function_of_gaussians_is_a_limit_of_distances():
    """B(nu) = lim W_2(nu, mu_t) - t along the ray mu_t, here at t = 10^5."""
    distance = SlicedBusemannGaussian(n_directions=2, dim=3)
    drawn = distance.draw(D, torch.zeros(1, dtype=torch.float64), seeded())
    a, b = PAIRS["ragged"]
    (side, _), t = distance.sides(a, b), 1e5
    _, found = distance.embed(torch.zeros(2, 1, dtype=torch.float64), side, drawn)
    for ell, (mean, spread) in enumerate(zip(drawn.mean, drawn.spread, strict=True)):
        end = torch.eye(3) + t * spread
        for c, (m, sigma) in enumerate(zip(*side.extras, strict=True)):
            half = torch.from_numpy(root(sigma.numpy()))
            fidelity = torch.linalg.svdvals(half @ end).sum()
            squared = (t * mean - m).square().sum() + torch.trace(sigma) + torch.trace(end @ end)
            busemann = (squared - 2 * fidelity).sqrt() - t
            expected = drawn.psi[ell, 1] * busemann
            assert found[ell, c].item() == pytest.approx(expected.item(), abs=1e-3)


def test_dsw_is_its_definition(pair):
    distance = DoubleSliced(n_directions=7, n_functions=3, levels=5, length=1.0)
    a, b = map(as_numpy, pair)
    theta, functions = drawn_by(distance, pair[0])
    grid, costs = np.linspace(0, 1, 5), []
    for ell in range(7):
        for g in functions[ell]:
            z, others = (
                np.array(
                    [
                        np.trapezoid(np.quantile(points @ theta[ell], grid) * g, grid)
                        for points in side
                    ]
                )
                for side in (a, b)
            )
            costs.append(ot.wasserstein_1d(z, others, p=2))
    by_direction = np.reshape(costs, (7, 3)).mean(1)
    error = by_direction.std(ddof=1) / math.sqrt(7)
    agrees(distance.measure(*pair, seeded()), np.mean(costs), error)


def test_the_functions_of_dsw_have_their_covariance():
    distance = DoubleSliced(n_directions=400, n_functions=100, levels=4, length=0.5)
    functions = drawn_by(distance, PAIRS["equal"][0])[1].reshape(-1, 4)
    grid = np.linspace(0, 1, 4)
    expected = np.exp(-((grid[:, None] - grid) ** 2) / 0.5)
    assert np.cov(functions.T) == pytest.approx(expected, abs=0.04)


def test_a_quantile_function_of_one_point_is_constant():
    a, b = dataset((1,), 5), dataset((1,), 6)
    distance = DoubleSliced(n_directions=5, n_functions=2)
    theta, functions = drawn_by(distance, a)
    gaps = theta @ (a[0] - b[0]).numpy()[0]
    integrals = np.trapezoid(functions, np.linspace(0, 1, 10))
    agrees(
        distance.measure(a, b, seeded()),
        np.mean((gaps[:, None] * integrals) ** 2),
        ((gaps[:, None] * integrals) ** 2).mean(1).std(ddof=1) / math.sqrt(5),
    )


def sliced(a, b, n, p):
    """W_p^p on each of n directions between all classes, (n, C, C')."""
    directions = sample_directions(n, D, generator=seeded(), dtype=torch.float64).numpy()
    return np.array(
        [
            [[ot.wasserstein_1d(x @ theta, y @ theta, p=p) for y in b] for x in a]
            for theta in directions
        ]
    )


@pytest.mark.parametrize(
    ("kernel", "p", "k"),
    [
        ({"name": "riesz", "r": 1.0}, 2, lambda cost: -np.sqrt(cost)),
        ({"name": "gaussian", "h": 2.0}, 2, lambda cost: np.exp(-cost / 4)),
        ({"name": "imq", "h": 2.0}, 2, lambda cost: (2 + cost) ** -0.5),
        ({"name": "laplace", "h": 2.0}, 1, lambda cost: np.exp(-cost / 2)),
    ],
)
def test_mmdsw_is_its_definition(pair, kernel, p, k):
    a, b = map(as_numpy, pair)
    n = 9
    costs = [sliced(x, y, n, p) for x, y in ((a, a), (a, b), (b, b))]

    def mmd(of_a, across, of_b):
        return k(of_a).mean() - 2 * k(across).mean() + k(of_b).mean()

    estimate = MMDSW(n_directions=n, kernel=kernel).measure(*pair, seeded())
    means = [c.mean(0) for c in costs]
    assert estimate.value == pytest.approx(mmd(*means), rel=1e-9)
    # The delta method by differences: one direction a little heavier than the others.
    step = 1e-6
    slopes = [
        (
            mmd(*(m + step * (c[ell] - m) for m, c in zip(means, costs, strict=True)))
            - mmd(*(m - step * (c[ell] - m) for m, c in zip(means, costs, strict=True)))
        )
        / (2 * step)
        for ell in range(n)
    ]
    assert estimate.error == pytest.approx(np.std(slopes, ddof=1) / math.sqrt(n), rel=1e-5)


def outer(costs):
    return ot.emd(uniform(len(costs)), uniform(len(costs[0])), costs)


def test_wow_is_its_definition(pair):
    a, b = map(as_numpy, pair)
    costs = np.array([[w2(x, y) for y in b] for x in a])
    agrees(WoW().measure(*pair, seeded()), (outer(costs) * costs).sum())


def test_wow_sliced_is_its_definition(pair):
    a, b = map(as_numpy, pair)
    costs = sliced(a, b, 11, 2)
    plan = outer(costs.mean(0))
    values = (plan * costs).sum((1, 2))
    error = values.std(ddof=1) / math.sqrt(11)
    agrees(SlicedWoW(n_directions=11).measure(*pair, seeded()), values.mean(), error)


def bures(x, y):
    m, s, other_m, other_s = x.mean(0), np.cov(x.T), y.mean(0), np.cov(y.T)
    cross = np.trace(root(root(s) @ other_s @ root(s)))
    return ((m - other_m) ** 2).sum() + np.trace(s) + np.trace(other_s) - 2 * cross


def labelled_costs(a, b, between):
    rows = [(x, points) for points in a for x in points]
    columns = [(y, points) for points in b for y in points]
    return np.array([[((x - y) ** 2).sum() + between(p, q) for y, q in columns] for x, p in rows])


@pytest.mark.parametrize(("inner", "between", "rel"), [("gaussian", bures, 1e-6), ("exact", w2, 0)])
def test_otdd_is_its_definition(pair, inner, between, rel):
    a, b = map(as_numpy, pair)
    costs = labelled_costs(a, b, between)
    value = (outer(costs) * costs).sum()
    estimate = OTDD(inner=inner).measure(*pair, seeded())
    assert estimate.value == pytest.approx(value, rel=rel or 1e-9)
    assert estimate.error is None


def entropic(costs, epsilon):
    """Least <P, C> + epsilon KL(P | uniform), by POT."""
    mass, other = uniform(len(costs)), uniform(len(costs[0]))
    options = {"method": "sinkhorn_log", "stopThr": 1e-8, "numItermax": 20_000}
    plan = ot.sinkhorn(mass, other, costs, epsilon, **options)
    ratio = np.where(plan > 0, plan, 1) / np.outer(mass, other)
    return (plan * costs).sum() + epsilon * (plan * np.log(ratio)).sum()


def test_otdd_by_sinkhorn_is_its_definition(pair):
    a, b = map(as_numpy, pair)
    epsilon = 5.0

    across, of_a, of_b = (
        entropic(labelled_costs(x, y, w2), epsilon) for x, y in ((a, b), (a, a), (b, b))
    )
    expected = across - of_a / 2 - of_b / 2
    distance = OTDD(inner="exact", outer="sinkhorn", epsilon=epsilon)
    assert distance.measure(*pair, seeded()).value == pytest.approx(expected, rel=1e-4)


def test_gaussian_otdd_of_many_points_is_that_of_their_covariances():
    a, b = dataset((40, 30), 7, d=3), dataset((35, 45), 8, d=3)
    costs = labelled_costs(*map(as_numpy, (a, b)), bures)
    expected = (outer(costs) * costs).sum()
    assert OTDD().measure(a, b, seeded()).value == pytest.approx(expected, rel=1e-6)


def test_otdd_by_sinkhorn_tends_to_that_by_transport(pair):
    exact = OTDD().measure(*pair, seeded()).value
    near = OTDD(outer="sinkhorn", epsilon=0.02).measure(*pair, seeded()).value
    assert near == pytest.approx(exact, rel=0.02)


def test_otdd_says_when_sinkhorn_does_not_converge(monkeypatch):
    monkeypatch.setattr("wowbench.distances.otdd.FINE_ITERATIONS", 2)
    monkeypatch.setattr("wowbench.distances.otdd.COARSE_ITERATIONS", 1)
    message = r"'otdd': epsilon is 1e-05, with which 2 .* marginal error of .*; expected a larger"
    with pytest.raises(InputError, match=message):
        OTDD(outer="sinkhorn", epsilon=1e-5).measure(*PAIRS["equal"], seeded())


def test_sinkhorn_matched_is_its_definition():
    a, b = PAIRS["equal"]
    blur, epsilon = 1.5, 2 * 1.5**2

    def divergence(x, y):
        across, of_x, of_y = (entropic(ot.dist(u, v), epsilon) for u, v in ((x, y), (x, x), (y, y)))
        return across - of_x / 2 - of_y / 2

    costs = [[divergence(x, y) for y in as_numpy(b)] for x in as_numpy(a)]
    expected = min(
        np.mean([costs[c][k] for c, k in enumerate(order)])
        for order in itertools.permutations(range(3))
    )
    found = SinkhornMatched(blur=blur).measure(a, b, seeded())
    # GeomLoss stops after its annealing: closer to the fixed point with every blur.
    assert found.value == pytest.approx(expected, rel=0.01)


def test_energy_is_its_definition(pair):
    x, y = (np.concatenate(as_numpy(side)) for side in pair)

    def mean(u, v):
        return np.mean([[np.linalg.norm(p - q) for q in v] for p in u])

    agrees(Energy().measure(*pair, seeded()), 2 * mean(x, y) - mean(x, x) - mean(y, y))


def test_blocks_of_directions_and_of_points_change_nothing(pair, monkeypatch):
    distances = [
        SlicedOTDD(n_directions=20),
        SlicedBusemann1DGaussian(n_directions=20),
        SlicedBusemannGaussian(n_directions=20),
        DoubleSliced(n_directions=20),
        MMDSW(n_directions=20),
        SlicedWoW(n_directions=20),
        Energy(),
    ]
    whole = [distance.measure(*pair, seeded()) for distance in distances]
    for module in ("sliced", "dsw", "class_costs"):
        monkeypatch.setattr(f"wowbench.distances.{module}.PROJECTIONS_PER_BLOCK", 100)
    monkeypatch.setattr("wowbench.distances.energy.PAIRS_PER_BLOCK", 30)
    for distance, expected in zip(distances, whole, strict=True):
        found = distance.measure(*pair, seeded())
        # The distance of a point from itself is the root of a rounding error.
        rel = 1e-8 if distance.name == "energy" else 1e-12
        assert found.value == pytest.approx(expected.value, rel=rel), distance.name
